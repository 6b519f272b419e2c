"""Which archives are remembered."""

from pathlib import Path

import pytest

from armillary.errors import CannotWrite, Conflict, DamagedFile, UnknownArchive
from armillary.model import Archive
from armillary.tree import add_archive, read_archives, remove_archive

A = Archive(name="a", protocol="folder", address="/data/a")
B = Archive(name="b", protocol="hapi", address="https://example.org/hapi")


def test_archives_are_remembered_in_order(tmp_path: Path) -> None:
    file = tmp_path / "archives.json"
    assert read_archives(file) == ()
    for one in (A, B, A):
        add_archive(file, one)
    assert read_archives(file) == (B, A)
    assert remove_archive(file, "b") == B
    assert read_archives(file) == (A,)
    assert [child.name for child in tmp_path.iterdir()] == ["archives.json"]


def test_names_are_unique_and_known(tmp_path: Path) -> None:
    file = tmp_path / "archives.json"
    add_archive(file, A)
    with pytest.raises(Conflict, match="already an archive 'a'"):
        add_archive(file, Archive(name="a", protocol="folder", address="/data/other"))
    with pytest.raises(UnknownArchive, match="archives are: a"):
        remove_archive(file, "z")


@pytest.mark.parametrize("text", ["{", "[1]", '"x"'])
def test_a_damaged_file_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "archives.json"
    file.write_text(text)
    with pytest.raises(DamagedFile, match=r"archives\.json"):
        read_archives(file)


def test_code_cannot_be_named_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "archives.json"
    file.write_text('[{"name": "x", "protocol": "os:system", "address": "ls"}]')
    assert read_archives(file) == ()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CannotWrite, match="cannot be saved"):
        add_archive(tmp_path / "file" / "archives.json", A)
