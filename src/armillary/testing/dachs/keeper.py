"""Keeps a DaCHS server and its database alive as long as the process that asked for it, and no longer.

It is run by the system's Python, as the account that owns the folder, with nothing but the standard library::

    python3 keeper.py FOLDER PARENT_PID

It says ``ready`` or ``failed: WHY`` in one line. When its standard input ends, or its parent is gone however it died,
it stops both servers and removes the folder. If it is killed itself, the kernel ends both servers with it.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Final

_PARENT_DEATH_SIGNAL: Final = 1  # PR_SET_PDEATHSIG of linux/prctl.h
#: What makes a database fast that nobody wants to keep.
_FORGETFUL: Final = (
    "fsync=off", "full_page_writes=off", "synchronous_commit=off", "wal_level=minimal", "max_wal_senders=0",
    "max_wal_size=4GB", "autovacuum=off", "shared_buffers=256MB", "maintenance_work_mem=128MB", "jit=off",
)  # fmt: skip
#: Seconds that one step may take.
_PATIENCE: Final = 120.0


class Failed(Exception):
    """A step did not work."""


def main(folder: Path, parent: int) -> None:
    """Start everything, tell so, wait for the parent's end, stop everything."""
    # Ctrl-C is for the parent; SIGTERM ends the wait like its death.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    running: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []
    try:
        _start(folder, running)
        _say("ready")
        _wait_for_end(parent)
    except (Failed, OSError, subprocess.SubprocessError) as error:
        _say(f"failed: {error}")
    finally:
        for process, end in reversed(running):
            _stop(process, end)
        shutil.rmtree(folder, ignore_errors=True)


def _start(folder: Path, running: "list[tuple[subprocess.Popen[bytes], signal.Signals]]") -> None:
    plan = json.loads((folder / "plan.json").read_text("utf-8"))
    programs, tables = Path(plan["programs"]), plan["tables"]
    login = ["-h", str(folder), "-U", "postgres"]
    _step(folder, programs / "initdb", "-D", folder / "pg", "-A", "trust", "-U", "postgres", "-E", "UTF8",
          "--locale=C.UTF-8", "-N")  # fmt: skip
    # A socket in a folder that only its owner enters needs no password and no port.
    settings = [word for one in ("listen_addresses=", *_FORGETFUL) for word in ("-c", one)]
    database = _serve(folder, signal.SIGQUIT, programs / "postgres", "-D", folder / "pg", "-k", folder, *settings)
    # Told to quit it stops at once and takes its children along.
    running.append((database, signal.SIGQUIT))
    _until(lambda: _works(folder, programs / "pg_isready", *login), database, folder, "the database")
    _step(folder, programs / "createdb", *login, "gavo")
    address = f"host={folder} port=5432 user=postgres dbname=gavo"
    _step(folder, sys.executable, folder / "publishing.py", address, *plan["descriptors"])
    server = _serve(folder, signal.SIGKILL, plan["dachs"], "serve", "debug")
    running.append((server, signal.SIGKILL))
    copies = [word for one in tables for word in ("-c", one)]
    _step(folder, programs / "psql", *login, "-q", "-v", "ON_ERROR_STOP=1", "-d", "gavo", *copies)
    _until(lambda: _answers(plan["port"]), server, folder, "DaCHS")


def _step(folder: Path, *command: Any) -> None:
    """Do one thing and wait for it."""
    if os.getppid() != int(sys.argv[2]):
        raise Failed("nobody waits for it any more")
    done = subprocess.run(  # noqa: S603 - the plan is our own
        [str(word) for word in command], check=False, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, env=_environment(folder), cwd=folder, timeout=_PATIENCE, preexec_fn=_die_with_parent,
    )  # fmt: skip
    with (folder / "log").open("ab") as log:
        log.write(done.stdout)
    if done.returncode:
        name = " ".join(Path(str(word)).name for word in command[:2])
        raise Failed(f"{name}: {_last_words(done.stdout)}")


def _works(folder: Path, *command: Any) -> bool:
    words = [str(word) for word in command]
    done = subprocess.run(words, check=False, capture_output=True, env=_environment(folder))  # noqa: S603
    return not done.returncode


def _serve(folder: Path, end: signal.Signals, *command: Any) -> "subprocess.Popen[bytes]":
    """Start what goes on until it is stopped, or gets the signal `end` when this process dies."""
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(  # noqa: S603
            [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            env=_environment(folder), cwd=folder, preexec_fn=lambda: _die_with_parent(end),  # noqa: PLW1509 - one thread
        )  # fmt: skip


def _die_with_parent(end: signal.Signals = signal.SIGKILL) -> None:
    ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, end)


def _environment(folder: Path) -> "dict[str, str]":
    """Give an environment without the caller's Python, locale or database settings."""
    path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    return {
        "PATH": path,
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "GAVOSETTINGS": str(folder / "gavo.rc"),
        "TZ": "UTC",
    }


def _until(works: Any, process: "subprocess.Popen[bytes]", folder: Path, name: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not works():
        if process.poll() is not None or time.monotonic() > deadline:
            raise Failed(f"{name} does not start: {_last_words((folder / 'log').read_bytes())}")
        time.sleep(0.05)


def _answers(port: int) -> bool:
    from http.client import HTTPConnection, HTTPException

    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", "/tap/availability")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def _wait_for_end(parent: int) -> None:
    """Wait until standard input ends or the parent is another process: a forked child of it may hold the input open."""
    while os.getppid() == parent:
        if select.select([sys.stdin], [], [], 1.0)[0] and not os.read(0, 1):
            return


def _stop(process: "subprocess.Popen[bytes]", end: signal.Signals) -> None:
    """End a server at once, for nothing of it is kept."""
    for sign in (end, signal.SIGKILL):
        if process.poll() is None:
            process.send_signal(sign)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5.0)


def _last_words(output: bytes) -> str:
    lines = [line.strip() for line in output.decode("utf-8", "replace").splitlines() if line.strip()]
    return " | ".join(lines[-3:]) if lines else "it said nothing"


def _say(line: str) -> None:
    with contextlib.suppress(OSError):  # nobody may listen any more
        os.write(1, f"{line}\n".encode())


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
