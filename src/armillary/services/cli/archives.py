"""``armillary open|add|archives|remove|refresh``: which archives the tree shows."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import PurePath
from typing import Annotated, Any

import typer

from armillary.errors import BadRequest, UnknownArchive
from armillary.model import Archive
from armillary.services.cli.session import desk_of, progress_bar
from armillary.services.desk import Desk, archives_file, folder_archive, key_of, list_archive
from armillary.services.desk import open as open_desk
from armillary.services.home import home
from armillary.tree import add_archive, free_name, read_archives, remove_archive

Name = Annotated[str, typer.Option(help="Name of the archive; made from the address if left out.")]


def open_(
    context: typer.Context,
    folder: Annotated[str, typer.Argument(help="Folder of files.")],
    name: Name = "",
) -> None:
    """Make a folder of real files an archive: index it and remember it."""
    archive = folder_archive(folder, _taken(), name)
    _remember(context, archive)


def add(
    context: typer.Context,
    protocol: Annotated[str, typer.Argument(help="hapi, tap or folder.")],
    address: Annotated[str, typer.Argument(help="URL of the server, or folder; of tap also gaia, vizier, irsa, csa.")],
    name: Name = "",
) -> None:
    """Add an archive: `armillary add hapi URL`, `armillary add tap gaia`."""
    if protocol == "folder":
        open_(context, address, name)
        return
    if protocol == "tap":
        from armillary.sources.tap.known import tap_archive

        _remember(context, tap_archive(address, _taken(), name))
        return
    if protocol != "hapi":
        raise BadRequest(f"there is no protocol {protocol!r}", "use hapi, tap or folder")
    from armillary.sources.connect import check_url, name_from_url

    url = check_url(address)
    _remember(context, Archive(name=name or free_name(name_from_url(url), _taken()), protocol="hapi", address=url))


def archives(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the archives with the files and datasets that cannot be used."""
    desk = desk_of(context)
    rows = [_row(desk, key) for key in desk.archives]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        _print_row(row)


def remove(name: Annotated[str, typer.Argument(help="Name of an added archive.")]) -> None:
    """Forget an archive; its files stay where they are."""
    gone = remove_archive(archives_file(home()), name)
    typer.echo(f"forgot {gone.name} ({gone.address})")


def refresh(context: typer.Context, name: Annotated[str, typer.Argument(help="Name of an archive.")]) -> None:
    """List an archive anew: ask the server again, look at the files again."""
    desk = desk_of(context)
    key = next((key for key, archive in desk.archives.items() if archive.name == name), None)
    if key is None:
        has = ", ".join(archive.name for archive in desk.archives.values())
        raise UnknownArchive(f"there is no archive {name!r}", f"there are: {has}")
    with progress_bar(name) as progress:
        list_archive(desk, key, progress)
    _print_row(_row(desk, key))


def _taken() -> set[str]:
    return {archive.name for archive in read_archives(archives_file(home()))}


def _remember(context: typer.Context, archive: Archive) -> None:
    """List an archive first and remember it only if that worked."""
    known = next((one for one in read_archives(archives_file(home())) if key_of(one) == key_of(archive)), archive)
    with progress_bar(f"listing {archive.name}") as progress:
        desk = open_desk(known, *(context.obj or ()), progress=progress)
    if key_of(known) in desk.problems:
        raise desk.problems[key_of(known)]
    add_archive(archives_file(home()), known)
    _print_row(_row(desk, key_of(known)))
    typer.echo(f"see: armillary tree {'local' if known.protocol == 'folder' else known.name}", err=True)


def _print_row(row: dict[str, Any]) -> None:
    kinds = ", ".join(f"{number} {kind}" for kind, number in row["kinds"].items())
    typer.echo(f"{row['name']}: {row['products']} products{f' ({kinds})' if kinds else ''} from {row['address']}")
    for path, reason in row["damaged"]:
        typer.echo(f"  damaged: {path}: {reason.removeprefix(f'{PurePath(path).name} is damaged: ')}")
    if row["ignored"]:
        typer.echo(f"  ignored: {len(row['ignored'])} files that hold no product; `armillary archives --json` says why")
    for dataset, reason in row["problems"].items():
        typer.echo(f"  problem: {dataset}: {reason}")


def _row(desk: Desk, key: str) -> dict[str, Any]:
    archive = desk.archives[key]
    source = desk.sources.get(key)
    damaged: list[tuple[str, str]] = getattr(source, "damaged", list)()  # only a folder has files that may be damaged
    ignored = [(one.path, one.reason) for one in getattr(source, "status", list)() if one.state == "ignored"]
    problems: dict[str, str] = getattr(source, "problems", dict)()  # and only a server datasets that it cannot describe
    leaves = replace(desk.inventory, names={key: archive.name}).leaves()
    kinds = dict(Counter(leaf.kind for leaf in leaves).most_common())
    counts = {"products": len(leaves), "kinds": kinds, "damaged": damaged, "ignored": ignored, "problems": problems}
    return archive.to_record() | {"address": _shown(archive)} | counts


def _shown(archive: Archive) -> str:
    from armillary.sources.http import shown

    return shown(archive.address) if archive.protocol in {"hapi", "tap"} else archive.address
