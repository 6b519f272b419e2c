"""``armillary desk``: the web workbench."""

from typing import Annotated

import typer

from armillary.services.cli.session import desk_of


def desk(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to bind; loopback unless told otherwise.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = 0,
    allow_origin: Annotated[
        list[str] | None, typer.Option(help="Origin whose pages may embed tables of sources and classify; repeatable.")
    ] = None,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = False,
) -> None:
    """Open the web workbench and print its address."""
    from armillary.services.web import serve

    serve(desk_of(context), host=host, port=port, open_browser=browser, origins=allow_origin or ())
