"""Start and stop a private DaCHS server with a database of its own."""

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from armillary.errors import BadRequest, SourceDown
from armillary.testing.dachs.descriptor import TapTable, descriptor

#: The account that the servers run under where the caller is root, which PostgreSQL refuses.
ACCOUNT: Final = "postgres"
#: Debian's packages that it takes.
PACKAGES: Final = ("python3-gavo", "postgresql-15-pgsphere", "postgresql-15-q3c")
_SCRIPTS: Final = tuple(Path(__file__).with_name(name) for name in ("keeper.py", "publishing.py"))
_DACHS, _PYTHON = Path("/usr/bin/dachs"), Path("/usr/bin/python3")


@dataclass(frozen=True)
class TapServer:
    """A TAP server that runs.

    Parameters
    ----------
    url : str
        The base URL of its TAP service.
    folder : Path
        Where it keeps everything; it is removed when the server stops.
    process : int
        The process that keeps the servers alive.
    """

    url: str
    folder: Path
    process: int


def missing() -> str:
    """Say what this machine lacks for the server, "" if nothing.

    Examples
    --------
    >>> isinstance(missing(), str)
    True
    """
    advice = f"apt-get install --no-install-recommends {' '.join(PACKAGES)}"
    if not _DACHS.exists() or not _PYTHON.exists():
        return f"GAVO DaCHS is not installed: {advice}"
    if _programs() is None:
        return f"PostgreSQL with pgsphere and q3c is not installed: {advice}"
    if os.geteuid() == 0 and not _account():
        return f"there is no account {ACCOUNT!r} to run PostgreSQL as: {advice}"
    return ""


@contextlib.contextmanager
def tap_server(tables: Mapping[str, TapTable]) -> Iterator[TapServer]:
    """Serve tables by TAP on the loopback, as long as the context is open.

    Parameters
    ----------
    tables : mapping of str to TapTable
        By ``schema.table``.

    Raises
    ------
    SourceDown
        It does not start; the error says at which step.
    """
    if reason := missing():
        raise SourceDown(f"no TAP server can be had: {reason}", "install it or do without")
    folder = Path(tempfile.mkdtemp(prefix="armillary-tap-"))
    keeper = None
    try:
        port = _free_port()
        _prepare(folder, tables, port)
        keeper = _start(folder)
        _wait_until_ready(keeper)
        yield TapServer(f"http://127.0.0.1:{port}/tap", folder, keeper.pid)
    finally:
        if keeper is not None:
            _end(keeper)
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path | None:
    """Find the folder of the newest PostgreSQL that knows spheres."""
    for programs in sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True):
        extensions = Path("/usr/share/postgresql") / programs.parent.name / "extension"
        wanted = [extensions / "pg_sphere.control", extensions / "q3c.control", programs / "postgres"]
        if all(one.exists() for one in wanted):
            return programs
    return None


def _version(programs: Path) -> float:
    try:
        return float(programs.parent.name)
    except ValueError:
        return 0.0


def _account() -> Any:
    import pwd

    try:
        return pwd.getpwnam(ACCOUNT)
    except KeyError:
        return None


def _free_port() -> int:
    """Find a port that stays free until DaCHS listens: none of those that the system gives to clients."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind(("127.0.0.1", port))
            return port


def _prepare(folder: Path, tables: Mapping[str, TapTable], port: int) -> None:
    """Write everything that the keeper needs."""
    schemas: dict[str, dict[str, TapTable]] = {}
    for name, table in tables.items():
        schema, dot, rest = name.partition(".")
        if not (dot and schema.isidentifier() and rest.isidentifier()):
            raise BadRequest(f"{name!r} is not schema.table", "name every table like gaiadr3.gaia_source")
        schemas.setdefault(schema, {})[rest] = table
    (folder / "gavo.rc").write_text(_settings(folder, port), "utf-8")
    descriptors = []
    for schema, its in schemas.items():
        path = folder / "gavo" / "inputs" / schema / "q.rd"
        path.parent.mkdir(parents=True)
        path.write_text(descriptor(schema, its), "utf-8")
        descriptors.append(f"{schema}/q")
    plan = {
        "dachs": str(_DACHS), "programs": str(_programs()), "port": port, "descriptors": descriptors,
        "tables": [_copied(folder, name, table) for name, table in tables.items()],
    }  # fmt: skip
    (folder / "plan.json").write_text(json.dumps(plan), "utf-8")
    # The account may not be able to read the package or to run this Python: the system's runs copies.
    for script in _SCRIPTS:
        shutil.copyfile(script, folder / script.name)
    if os.geteuid() == 0:
        _give_away(folder)


def _settings(folder: Path, port: int) -> str:
    import grp

    group = grp.getgrgid(_account().pw_gid if os.geteuid() == 0 else os.getegid()).gr_name
    return "\n".join([
        "[general]", f"rootDir: {folder / 'gavo'}", f"gavoGroup: {group}", f"group: {group}", "sendmail: true", "[web]",
        "bindAddress: 127.0.0.1", f"serverPort: {port}", f"serverURL: http://127.0.0.1:{port}", "user:",
        "sitename: Armillary's test server", "[ivoa]", "authority: x-armillary", "",
    ])  # fmt: skip


def _copied(folder: Path, name: str, table: TapTable) -> str:
    """Write the rows for the database, and give the SQL that reads them."""
    from pyarrow import csv

    path = folder / f"{name}.csv"
    csv.write_csv(table.rows, path, csv.WriteOptions(include_header=False))
    columns = ", ".join(f'"{one}"' for one in table.rows.column_names)
    return f"COPY {name} ({columns}) FROM '{path}' WITH (FORMAT csv); ANALYZE {name}"


def _give_away(folder: Path) -> None:
    owner = _account()
    for path in [folder, *folder.rglob("*")]:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def _start(folder: Path) -> "subprocess.Popen[bytes]":
    command = [str(_PYTHON), str(folder / "keeper.py"), str(folder), str(os.getpid())]
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        owner = _account()
        account = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
    return subprocess.Popen(  # noqa: S603 - our own words
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env={"LC_ALL": "C.UTF-8"}, **account
    )


def _wait_until_ready(keeper: "subprocess.Popen[bytes]") -> None:
    output: IO[bytes] | None = keeper.stdout
    line = output.readline().decode("utf-8", "replace").strip() if output else ""
    if line != "ready":
        reason = line.removeprefix("failed: ") or "its keeper ended without a word"
        raise SourceDown(f"the TAP server did not start: {reason}", f"see what it takes: {', '.join(PACKAGES)}")


def _end(keeper: "subprocess.Popen[bytes]") -> None:
    for stream in (keeper.stdin, keeper.stdout):
        if stream:
            stream.close()
    try:
        keeper.wait(30)
    except subprocess.TimeoutExpired:
        keeper.kill()
        keeper.wait()
