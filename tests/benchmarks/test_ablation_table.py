"""The ablation's table and its goals, from judgements written by hand: three variants, two seeds."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from ablation_table import cell, table
from goals import goals_of
from goals import main as tell_goals
from judged_sweep import judged_sweep

from argan.errors import DataError, UserError
from argan.evaluation.estimation import EstimatorBudget
from argan.evaluation.measures import RankSettings
from argan.evaluation.protocol import PROTOCOL, depth_protocol, training_protocol

VARIANTS = ("ours", "no prior", "standard GAN")
SIZES = {"disparity_error_px": 0.5, "side": 0.2}


def ranks(value: float) -> dict[str, float]:
    return {"foreground_auc": value, "ordinal_accuracy": value, "spearman": value, "inverted": 1 - value}


def of_photos(value: float) -> dict[str, Any]:
    """Guesses at .5 (flat), .6 (prior), .7 (the best cue), the mean of truth at .72, the ceiling at .9."""
    cues = {"+red": ranks(0.3), "-red": ranks(0.7)}
    guesses = {"constant": {**ranks(0.5), **SIZES}, "focus prior": {**ranks(0.6), **SIZES}, **cues}
    return {
        **ranks(value),
        **SIZES,
        "trivial_all": guesses,
        "trivial": {name: {"name": "-red", "value": 0.7} for name in ranks(0)},
        "fixed": {"mean of truth": {**ranks(0.72), **SIZES}},
        "ceiling": {**ranks(0.9), **SIZES},
        "gap_closed": dict.fromkeys(ranks(0), (value - 0.7) / 0.2),
        "gap_closed_past_fixed": dict.fromkeys(ranks(0), (value - 0.72) / 0.18),
    }


def judgement(value: float, kid: float) -> dict[str, Any]:
    real, budget, here = {"seed": 5, "num_photos": 9}, EstimatorBudget(), torch.device("cpu")
    taught = training_protocol({"photos": "uniform"}, budget, here)
    depth = depth_protocol(fakes=taught, ceiling=taught, test=real, ranks=RankSettings(seed=0))
    protocol = {**depth, "kid": {"real": real}}
    blur = {"blur_slope": 1.04, "blur_r_squared": 0.99, "blur_regions": 80, "blur_slope_in_training": 1.24}
    whole = {**of_photos(value), "smooth_subjects": of_photos(value - 0.05)}
    return {**whole, **blur, "kid": kid, "precision": 0.5, "recall": 0.1, "protocol": protocol}


def gan(kid: float) -> dict[str, Any]:
    protocol = {"protocol": PROTOCOL, "kid": {"real": {"seed": 5, "num_photos": 9}}}
    return {"kid": kid, "precision": 0.5, "recall": 0.1, "protocol": protocol}


@pytest.fixture
def sweep(tmp_path: Path) -> Path:
    """Seeds out of order, as trials that ran side by side may be."""
    judged = {
        ("ours", 2): judgement(0.86, 77.0),
        ("ours", 1): judgement(0.82, 70.0),
        ("no prior", 1): judgement(0.74, 60.0),
        ("no prior", 2): judgement(0.80, 66.0),
        ("standard GAN", 1): gan(100.0),
        ("standard GAN", 2): gan(110.0),
    }
    write(tmp_path, judged)
    return tmp_path


def write(folder: Path, judged: dict[tuple[str, int], dict[str, Any]], **changes: Any) -> None:
    (folder / "judged").mkdir(exist_ok=True)
    trials = []
    for number, ((variant, seed), result) in enumerate(judged.items()):
        (folder / "judged" / f"run{number}-240.json").write_text(json.dumps(result))
        changed = {"variant": variant, "seed": seed}
        trials.append(
            {"number": number, "run": f"run{number}", "changes": changed, "status": "finished", "error": None}
        )
        trials[-1] |= changes.get(str(number), {})
    space = {"seed": {"values": [1, 2]}, "variant": {"values": list(VARIANTS)}}
    told = {"name": "ablation", "space": space, "variants": {name: {} for name in VARIANTS}, "rungs_images": [96, 240]}
    (folder / "table.json").write_text(json.dumps({"sweep": told, "trials": trials}))


def change(sweep: Path, number: int, *path: str, to: Any) -> None:
    file = sweep / "judged" / f"run{number}-240.json"
    judged = json.loads(file.read_text())
    inner = judged
    for name in path[:-1]:
        inner = inner[name]
    inner[path[-1]] = to
    file.write_text(json.dumps(judged))


def test_each_column_holds_its_own_numbers_seed_by_seed(sweep: Path) -> None:
    columns = table(judged_sweep(sweep).by_variant)
    assert list(columns) == ["flat", "prior map", "best cue", "mean of truth", *VARIANTS, "ceiling"]
    assert columns["ours"]["foreground AUC"] == [0.82, 0.86]
    assert columns["ours"]["KID over the standard GAN's"] == pytest.approx([0.7, 0.7])
    assert columns["ours"]["gap closed: ordinal accuracy, smooth subjects"] == pytest.approx([0.35, 0.55])
    assert columns["best cue"]["ordinal accuracy"] == [0.7]
    assert columns["best cue"]["inverted"] == pytest.approx([0.3])
    assert columns["best cue"]["SIDE"] == [None]
    gaps = {name: columns[name]["gap closed: foreground AUC"] for name in ("flat", "best cue", "ceiling")}
    assert gaps == {"flat": [pytest.approx(-1)], "best cue": [0], "ceiling": [1]}
    assert columns["standard GAN"]["foreground AUC"] == [None, None]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], "-"),
        ([None, None], "-"),
        ([0.5], ".500"),
        ([0.5, 0.7], ".600 (.200)"),
        ([0.5, None], ".500, 1 of 2"),
        ([-0.25], "-.250"),
        ([-1.5, -2.0], "-1.750 (.500)"),
        ([20.0, 20.3], "20.1 (.3)"),
        ([1234.0, 1236.0], "1,235 (2)"),
    ],
)
def test_a_cell_says_what_is_not_there(values: list[float | None], text: str) -> None:
    assert cell(values) == text


def test_the_goals_are_told_seed_by_seed(sweep: Path, capsys: pytest.CaptureFixture[str]) -> None:
    goals = {goal.name: goal for goal in goals_of(table(judged_sweep(sweep).by_variant), "ours")}
    assert goals["gap closed, foreground AUC, >= .6"].reached == [True, True]
    assert goals["gap closed, ordinal accuracy, smooth subjects, >= .5"].reached == [False, True]
    lead = goals["lead over the best other column, > 0"]
    assert lead.values == pytest.approx([0.07, 0.06])  # smooth subjects: .77 against a cue's .7; .81 against .75
    mean_of_truth = goals["lead over the mean of truth, > 0"]
    assert mean_of_truth.values == pytest.approx([0.05, 0.09])
    assert tell_goals([str(sweep)]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["blur R^2, >= .9"]["reached"] is True


def test_what_is_undefined_reaches_no_goal_and_empties_no_row(sweep: Path) -> None:
    change(sweep, 1, "blur_slope", to=None)
    columns = table(judged_sweep(sweep).by_variant)
    assert cell(columns["ours"]["blur slope"]) == "1.040, 1 of 2"
    goals = {goal.name: goal.reached for goal in goals_of(columns, "ours")}
    assert goals["blur slope, .9 to 1.1"] == [False, True]


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        (("protocol", "test"), {"seed": 6}, "differ in test"),
        (("protocol", "fakes", "photos"), "own", r"differ in fakes\.photos"),
        (("trivial", "spearman", "value"), 0.1, "differ in the guesses"),
        (("protocol", "kid", "real", "seed"), 6, "differ in kid.real"),
        (("protocol", "protocol"), "argan-evaluation/1", "judged by argan-evaluation/1, not by"),
    ],
)
def test_what_was_judged_otherwise_stands_in_no_table(
    sweep: Path, path: tuple[str, ...], value: Any, text: str
) -> None:
    change(sweep, 2, *path, to=value)
    with pytest.raises(DataError, match=text):
        judged_sweep(sweep)


def test_a_sweep_that_is_not_whole_has_no_table(sweep: Path, tmp_path: Path) -> None:
    (sweep / "judged" / "run3-240.json").unlink()
    with pytest.raises(DataError, match=r"run3-240\.json is gone"):
        judged_sweep(sweep)
    write(sweep, {("ours", 1): judgement(0.8, 1.0)})
    with pytest.raises(UserError, match="not tried yet: ours with seed 2, no prior with seed 1"):
        judged_sweep(sweep)
    write(sweep, {("ours", 1): judgement(0.8, 1.0)}, **{"0": {"status": "running"}})
    with pytest.raises(UserError, match=r"not finished: 0 \(running\)"):
        judged_sweep(sweep)
    with pytest.raises(UserError, match="there is no sweep's table at"):
        judged_sweep(tmp_path / "nowhere")


def test_a_sweep_over_more_than_seeds_and_variants_has_no_table(sweep: Path) -> None:
    told = json.loads((sweep / "table.json").read_text())
    told["sweep"]["space"]["prior.weight"] = {"values": [1, 2]}
    (sweep / "table.json").write_text(json.dumps(told))
    with pytest.raises(UserError, match=r"it varies seed, variant, prior\.weight"):
        judged_sweep(sweep)
