"""Two opened folders never disturb each other, whatever their files are called."""

from pathlib import Path

import armillary as arm


def write_day(folder: Path, day: int, value: float) -> None:
    folder.mkdir(exist_ok=True)
    rows = "".join(f"2020-01-{day:02d}T{hour:02d}:00:00Z,{value + hour}\n" for hour in range(24))
    (folder / f"wind_202001{day:02d}.csv").write_text(f"time,n (cm^-3)\n{rows}")


def test_a_folder_with_fewer_files_of_the_same_names_takes_nothing_away(tmp_path: Path) -> None:
    for day in (1, 2, 3):
        write_day(tmp_path / "all", day, 100.0 * day)
    write_day(tmp_path / "some", 2, 200.0)
    first = arm.open(tmp_path / "all")
    second = arm.open(tmp_path / "some", tmp_path / "all")
    assert first.get("local/wind/n").sizes["time"] == 72
    assert second.get("local/wind/n").sizes["time"] == 24
    assert second.get("local/wind/n@all").sizes["time"] == 72
    assert arm.open(tmp_path / "all").get("local/wind/n").sizes["time"] == 72


def test_damage_is_told_of_the_folder_that_has_it(tmp_path: Path) -> None:
    write_day(tmp_path / "good", 1, 1.0)
    write_day(tmp_path / "bad", 1, 1.0)
    (tmp_path / "bad" / "broken.cdf").write_bytes(b"not a CDF")
    desk = arm.open(tmp_path / "good", tmp_path / "bad")
    damaged = {archive.name: desk.sources[key].damaged() for key, archive in desk.archives.items()
               if archive.protocol == "folder"}  # type: ignore[attr-defined]  # fmt: skip
    assert damaged["good"] == []
    assert [path for path, _ in damaged["bad"]] == ["broken.cdf"]


def test_numbers_may_be_given_as_numbers(tmp_path: Path) -> None:
    desk = arm.open(home=tmp_path)
    request_texts = desk.get("simulated/stars/photometry", cone="80.5,-9.5,0.2")
    assert desk.get("simulated/stars/photometry", cone=(80.5, -9.5, 0.2)).equals(request_texts)
    assert desk.get("simulated/stars/photometry", rows=(3, 5)).num_rows == 2
