"""Tables in a pipe: one line a row."""

import pytest

from armillary.services.cli.sheets import print_table


def test_wide_tables_are_not_folded_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"event_f1_iou{at}" for at in range(40)]
    print_table(["model", *names], [["extra_trees", *["0.123 [0.101, 0.145]"] * 40]])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["model", *names]
    assert row.count("0.123 [0.101, 0.145]") == 40
