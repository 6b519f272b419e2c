"""The real files as one archive: every leaf of the tree keeps the promise of its kind."""

from pathlib import Path

import pytest

from armillary.model import Extent, Interval, Product, Request, silent
from armillary.model.kinds import check
from armillary.science.trim import trim
from armillary.sources.folder import FolderSource

pytestmark = pytest.mark.real
MOST = 200


@pytest.fixture(scope="module")
def source(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> FolderSource:
    return FolderSource("local", real_data, tmp_path_factory.mktemp("state") / "index.sqlite")


@pytest.fixture(scope="module")
def products(source: FolderSource) -> list[Product]:
    return source.inventory(silent)


def first_part(product: Product) -> Extent:
    """The first hundredth of the coverage."""
    span = product.coverage
    if span is None:
        return Extent()
    return Extent(time=Interval(span.start, span.start + max(1, (span.stop - span.start) // 100)))


def test_every_leaf_keeps_its_promise(source: FolderSource, products: list[Product]) -> None:
    assert len(products) > 100
    step = -(-len(products) // MOST)
    for product in products[::step]:
        extent = first_part(product)
        data = source.fetch(product, Request(product.path, extent), silent)
        check(product.kind, data, product.path)
        check(product.kind, trim(data, extent.only("time")), product.path)


def test_paths_are_unique_and_told(products: list[Product]) -> None:
    names = [product.path for product in products]
    assert len(set(names)) == len(names)
    assert all(name.startswith("local/") and "//" not in name for name in names)
    assert all(product.title and product.version and product.source == "local" for product in products)


def test_ion_moments_of_a_day_are_one_series(source: FolderSource, products: list[Product]) -> None:
    found = [one for one in products if one.path.endswith("dis-moms/mms1_dis_numberdensity_fast")]
    if not found:
        pytest.skip("the folder has no MMS1 FPI-DIS moments")
    product = found[0]
    assert product.path.startswith("local/mms1/fpi/fast/l2/dis-moms/")
    assert product.units in {"cm^-3", "cm-3", "1/cm^3"}
    data = source.fetch(product, Request(product.path, Extent()), silent)
    assert data.sizes["time"] == product.rows
    assert 0 < float(data["mms1_dis_numberdensity_fast"].median()) < 200  # the dayside boundary layers


def test_each_file_is_told_about_once(source: FolderSource, products: list[Product]) -> None:
    del products
    rows = source.status()
    assert {row.state for row in rows} <= {"ok", "damaged", "ignored"}
    assert all(row.reason for row in rows if row.state != "ok")
    assert all(row.products for row in rows if row.state == "ok")
