"""``armillary missions``: which mission plugins are installed."""

import json
from typing import Annotated

import typer

from armillary.tree import discover


def missions(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """List the installed missions; a broken plugin is listed with its reason."""
    rows = [
        {
            "name": plugin.name,
            "package": plugin.package,
            "title": plugin.mission.title if plugin.mission else "",
            "archives": [archive.name for archive in plugin.mission.archives] if plugin.mission else [],
            "recipes": [recipe.output for recipe in plugin.mission.recipes] if plugin.mission else [],
            "queries": [f"{plugin.name}/{one.name}" for one in plugin.mission.queries] if plugin.mission else [],
            "event_classes": [one.name for one in plugin.mission.event_classes] if plugin.mission else [],
            "citations": list(plugin.mission.citations) if plugin.mission else [],
            "problem": plugin.problem,
        }
        for plugin in discover()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=1))
        return
    for row in rows:
        typer.echo(f"{row['name']:16} {row['title'] or 'left out: ' + str(row['problem'])}  ({row['package']})")
