"""What docs/results tells is what the records say that lie there and beside the zoo's models."""

import json
import re
from pathlib import Path
from typing import Any

import ablation_table
import early_stopping
import pytest
import sweep_knobs
from ablation_table import DEPTH_ROWS

from argan.evaluation.fixed import MEAN_OF_TRUTH

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "docs" / "results"
TABLE = RESULTS / "sweep-table.json"
PAGE = (RESULTS / "sweep.md").read_text()
DEPTH, ZOO = (RESULTS / "depth.md").read_text(), (RESULTS / "zoo.md").read_text()
RANKS = ("foreground_auc", "ordinal_accuracy", "spearman")
BOTH = RANKS[:2]


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


@pytest.mark.parametrize("resolution", [32, 64])
def test_the_zoo_by_its_records(resolution: int) -> None:
    found = json.loads((ROOT / f"argan/zoo/ar-gan-scenes-{resolution}/metrics.json").read_text())
    gap = found["gap_closed"]
    pictures = [found["protocol"]["images_seen"], found["kid"], *found["kid_interval"]]
    require_told(
        row(ZOO, f"`zoo:ar-gan-scenes-{resolution}`"),
        [*pictures, found["precision"], found["recall"], *(value for key in RANKS for value in (found[key], gap[key]))],
    )
    others = (found["fixed"][MEAN_OF_TRUTH], found["ceiling"])
    require_told(
        row(ZOO, f"{resolution} px"),
        [
            *(found["gap_closed_past_fixed"][key] for key in RANKS),
            *(one["disparity_error_px"] for one in (found, found["trivial_all"]["constant"], *others)),
            *(one["side"] for one in (found, found["trivial_all"]["focus prior"], *others)),
            *(100 * one["inverted"] for one in (found, *others)),
            *(found["smooth_subjects"]["gap_closed"][key] for key in RANKS),
            *(found["blur_slope"], found["blur_r_squared"]),
        ],
    )


@pytest.mark.parametrize("name", DEPTH_ROWS)
def test_64_px_by_its_record(name: str) -> None:
    found = json.loads((ROOT / "argan/zoo/ar-gan-scenes-64/metrics.json").read_text())
    key = DEPTH_ROWS[name]
    prior = {"value": found["trivial_all"]["focus prior"]["inverted"]}
    guess, mean, ceiling = (
        found["trivial"].get(key, prior)["value"],
        found["fixed"][MEAN_OF_TRUTH][key],
        found["ceiling"][key],
    )
    values = [guess, mean, found[key], ceiling]
    if key == "inverted":
        values = [100 * value for value in values]
    else:
        values += [(found[key] - start) / (ceiling - start) for start in (guess, better(key, guess, mean))]
    require_told(row(DEPTH.partition("## 64 px")[2].partition("\n## ")[0], name), values)


def test_the_ablation_by_its_records() -> None:
    section = DEPTH.partition("## Ablation")[2]
    trials = json.loads((RESULTS / "ablation" / "table.json").read_text())["trials"]
    judged = [trial for trial in trials if trial["rungs"]]
    told = [line.split(" | ", 2) for line in section.splitlines() if re.match(r"\| [\w' ]+ \| \d \|", line)]
    assert len(told) == len(judged) > 0
    for name, seed, rest in told:
        (run,) = (
            trial["run"]
            for trial in judged
            if trial["changes"] == {"seed": int(seed), "variant": name.removeprefix("| ")}
        )
        found = json.loads((RESULTS / "ablation" / "judged" / f"{run}-200000.json").read_text())
        values = [found["kid"]]
        if "gap_closed" in found:
            gaps = (each["gap_closed"][key] for each in (found, found["smooth_subjects"]) for key in BOTH)
            values = [*gaps, found["disparity_error_px"], 100 * found["inverted"], found["kid"]]
        require_told(rest, values)


def test_the_ablations_table_is_what_its_program_prints(capsys: pytest.CaptureFixture[str]) -> None:
    """Of the records beside the page, line for line; the page may leave rows out."""
    ablation_table.main([str(RESULTS / "ablation")])
    header, _, *printed = capsys.readouterr().out.splitlines()
    told = [line for line in DEPTH.partition("## Ablation")[2].splitlines() if line.count("|") == header.count("|")]
    assert told[0] == header
    rows = [line for line in told[1:] if not line.startswith("|---")]
    assert len(rows) >= 15
    assert set(rows) <= set(printed)


def test_five_seeds_by_their_records() -> None:
    section = DEPTH.partition("## Five seeds")[2]
    told = [line for line in section.splitlines() if line.startswith("| seed ")]
    trials = json.loads((RESULTS / "five-seeds" / "table.json").read_text())["trials"]
    rungs = [(rung["images"], trial["changes"]["seed"], trial["run"]) for trial in trials for rung in trial["rungs"]]
    assert len(told) == len(rungs) > 0
    for line, (images, seed, run) in zip(told, sorted(rungs), strict=True):
        found = json.loads((RESULTS / "five-seeds" / "judged" / f"{run}-{images}.json").read_text())
        assert line.startswith(f"| seed {seed}")
        gaps = ((found["gap_closed"][key], *found["gap_closed_interval"][key]) for key in BOTH)
        smooth = (found["smooth_subjects"]["gap_closed"][key] for key in BOTH)
        rest = (100 * found["inverted"], found["kid"], found["blur_slope"], found["blur_r_squared"])
        require_told(line.partition("|")[2].partition("|")[2], [*sum(gaps, ()), *smooth, *rest])


def better(measure: str, one: float, other: float) -> float:
    """The harder opponent: errors are better when small."""
    return max(one, other) if measure in RANKS else min(one, other)


def row(page: str, name: str) -> str:
    """The cells of the one row of a table that begins so, without the first."""
    (found,) = (line for line in page.splitlines() if line.startswith(f"| {name} |"))
    return found.removeprefix(f"| {name} |")


def require_told(text: str, values: list[Any]) -> None:
    """The numbers of a text are these, each to the digits that it shows."""
    shown = re.findall(r"-?[\d,]*\.?\d+", re.sub(r"\([a-z][^)]*\)", "", text))
    assert len(shown) == len(values), (shown, values)
    for number, value in zip(shown, values, strict=True):
        decimals = len(number.partition(".")[2])
        assert float(number.replace(",", "")) == pytest.approx(value, abs=0.5001 * 10**-decimals), (number, value)
