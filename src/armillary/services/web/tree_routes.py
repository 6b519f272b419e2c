"""Routes of the data tree."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request

from armillary.model import Product
from armillary.services.desk import Desk

router = APIRouter(tags=["tree"])


@router.get("/tree")
def children(request: Request, path: str = "") -> list[dict[str, Any]]:
    """List what hangs directly under a place."""
    branches = desk_of(request).inventory.children(path)
    return [
        {"path": one.path, "has_children": one.has_children, "leaf": brief(one.leaf) if one.leaf else None}
        for one in branches
    ]


@router.get("/search")
def search(
    request: Request, words: str = "", under: str = "", limit: Annotated[int, Query(ge=1, le=2000)] = 200
) -> list[dict[str, Any]]:
    """Find leaves that hold all words."""
    return [brief(product) for product in desk_of(request).search(words, under, limit)]


@router.get("/product")
def product(request: Request, path: str) -> dict[str, Any]:
    """Tell all about one leaf."""
    found = desk_of(request).product(path)
    return {name: value for name, value in found.to_record().items() if name not in {"address", "version"}}


@router.get("/columns")
def columns(request: Request, path: str) -> list[dict[str, str]]:
    """Tell the columns of a table, where its archive knows them."""
    return desk_of(request).columns(path)


@router.get("/archives")
def archives(request: Request) -> list[dict[str, Any]]:
    """List the archives and what went wrong with them."""
    desk = desk_of(request)
    return [
        {"name": archive.name, "title": archive.title, "protocol": archive.protocol.partition(":")[0],
         "products": desk.inventory.count(key), "problem": str(desk.problems.get(key, ""))}
        for key, archive in desk.archives.items()
    ]  # fmt: skip


def desk_of(request: Request) -> Desk:
    """Give the desk that this application is for."""
    desk: Desk = request.app.state.desk
    return desk


def brief(one: Product) -> dict[str, Any]:
    """Give what a list of leaves shows."""
    return {
        name: getattr(one, name) for name in ("path", "title", "kind", "units", "start", "stop", "source", "recipe")
    }
