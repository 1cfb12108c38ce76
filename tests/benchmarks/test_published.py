"""What docs/results tells of a sweep is what its benchmarks say of the table that lies there."""

import json
from pathlib import Path

import early_stopping
import pytest
import sweep_knobs

RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"
TABLE = RESULTS / "sweep-table.json"
PAGE = (RESULTS / "sweep.md").read_text()


def test_what_stopping_early_costs(capsys: pytest.CaptureFixture[str]) -> None:
    early_stopping.main([str(TABLE), "--keep-share", "0.4"])
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    asha, dominated = (
        f"{found[rule]['hypervolume_share']:.3f} at {found[rule]['images_share']:.3f}".replace("0.", ".")
        for rule in ("asha", "dominated")
    )
    assert f"| .4 | {asha} | **{dominated}** |" in PAGE


def test_what_the_trials_say_of_the_knobs(capsys: pytest.CaptureFixture[str]) -> None:
    """To the digits that the page rounds to."""
    sweep_knobs.main([str(TABLE)])
    found = sorted(values(row) for row in capsys.readouterr().out.splitlines()[2:-1])
    section = PAGE.partition("## What it says of the knobs")[2].partition("\n*Medians")[0]
    told = sorted(values(row) for row in section.splitlines() if row.startswith("| ") and "KID" not in row)
    assert len(found) == len(told) == 9
    for row, expected in zip(found, told, strict=True):
        assert row[:2] == pytest.approx(expected[:2], abs=0.51)
        assert row[2:] == pytest.approx(expected[2:], abs=0.00501)


def values(row: str) -> list[float]:
    """The numbers of a row of a table, without its name."""
    return [float(cell) for cell in row.split("|")[2:-1]]
