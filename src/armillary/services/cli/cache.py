"""``armillary cache``: what is stored, how much it saved, and whether it is sound."""

import json
from typing import Annotated, Any, Final

import typer

from armillary.services.home import cache_of, home

app = typer.Typer(no_args_is_help=True, help="See, check and clear what was fetched.")

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
_KIB: Final = 1024


@app.command()
def show(as_json: AsJson = False) -> None:
    """Show what is stored of each product, and what that saved."""
    cache = cache_of(home())
    products, totals = cache.show(), cache.totals()
    if as_json:
        typer.echo(json.dumps({"products": products, "totals": totals}, indent=1))
        return
    for one in products:
        typer.echo(_line(one["path"], one))
    typer.echo(_line(f"total of {len(products)} products", totals))


@app.command()
def clear(
    pattern: Annotated[str, typer.Argument(help="Products to forget, such as 'local/mms1/*'.")] = "*",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Forget what is stored; it is fetched again when it is asked for."""
    if not yes:
        typer.confirm(f"Forget everything stored of {pattern}?", abort=True)
    typer.echo(f"{cache_of(home()).clear(pattern)} entries forgotten")


@app.command()
def verify(as_json: AsJson = False) -> None:
    """Check every stored byte; damaged entries are dropped, and the exit status is 1."""
    damaged = cache_of(home()).verify()
    if as_json:
        typer.echo(json.dumps(damaged, indent=1))
    else:
        for one in damaged:
            typer.echo(f"dropped {one['path']} {one['start']} {one['stop']}: {one['problem']}")
        typer.echo(f"{len(damaged)} damaged entries" if damaged else "all entries are sound")
    if damaged:
        raise typer.Exit(1)


def _line(name: str, counts: dict[str, Any]) -> str:
    numbers = f"{counts['hits']} hits, {counts['misses']} misses, {counts['seconds_saved']:.1f} s saved"
    spans = counts.get("intervals", [])
    times = f", {spans[0][0]} to {spans[-1][1]}" if spans else ""
    return f"{name}: {counts['entries']} entries, {_size(counts['bytes'])}, {numbers}{times}"


def _size(octets: float) -> str:
    for unit in ("B", "kB", "MB"):
        if octets < _KIB:
            return f"{octets:.3g} {unit}"
        octets /= _KIB
    return f"{octets:.3g} GB"
