"""An ablation: a trial takes a set of keys by its name."""

from pathlib import Path
from types import ModuleType

import pytest
from small_sweep import small_sweep

from argan.errors import UserError
from argan.presets import preset
from argan.search.course import next_trial
from argan.search.ledger import Ledger, Rung
from argan.search.space import Choice
from argan.search.table import sweep_table
from argan.settings import naming_keys, override, run_name
from argan.storage import open_storage
from jobs.train import parse
from sweeps import ablation, finalists, recipe, sense

NAMES = ("ours", "plain")
SPACE = {"variant": Choice(values=NAMES), "seed": Choice(values=(3, 4))}
PLAIN = {"prior.contrast_weight": 0.0, "method": "gan"}


def test_a_variant_is_its_keys_in_every_trial_and_in_its_command(tmp_path: Path) -> None:
    sweep = small_sweep(space=SPACE, variants={"ours": {}, "plain": PLAIN}, search="grid", num_trials=9)
    ledger = Ledger(open_storage(str(tmp_path)), sweep)
    ledger.begin()
    for _ in range(4):
        trial = next_trial(ledger, ())
        assert trial is not None
        ledger.reach(trial.number, Rung(16_000, {"kid": 1.0, "spearman": 0.5}, 1.0))
    assert next_trial(ledger, ()) is None
    assert [tuple(trial.changes.values()) for trial in ledger.trials] == [
        ("ours", 3),
        ("ours", 4),
        ("plain", 3),
        ("plain", 4),
    ]
    table = sweep_table(Ledger(open_storage(str(tmp_path)), sweep), data_uri="data", runs_uri="runs")
    for row in table["trials"]:
        config = sweep.config(row["changes"])
        assert config.method == ("gan" if row["changes"]["variant"] == "plain" else "ar-gan")
        assert config.seed == row["changes"]["seed"]
        arguments = parse(row["command"].split()[2:])
        assert run_name(override(preset(arguments.preset), arguments.changes)) == row["run"] == run_name(config)


def test_what_a_variant_sets_is_no_part_of_what_all_share() -> None:
    sweep = small_sweep(space=SPACE, variants={"ours": {}, "plain": PLAIN}, search="grid")
    definition = sweep.definition()
    assert definition["variants"] == {"ours": {}, "plain": PLAIN}
    assert not {"method", "prior.contrast_weight", "seed"} & definition["config"].keys()
    other = small_sweep(space=SPACE, variants={"ours": {}, "plain": {"method": "gan"}}, search="grid")
    assert other.folder != sweep.folder


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"variants": {"ours": {}, "other": {}}}, "must be a choice of all variants"),
        ({"variants": {"ours": {}, "plain": {"prior.weihgt": 1.0}}}, "unknown configuration key"),
        ({"variants": {"ours": {}, "plain": {"prior.reach": 0.0}}}, "'ours' and 'plain' are the same run"),
        ({"variants": {"ours": {}, "plain": {"prior.weight": -1.0}}}, "prior.weight must be at least 0"),
        ({"variants": {"ours": {}, "plain": {"seed": 5}}}, "seed is set by a variant and by the sweep"),
        ({"variants": {"ours": {}, "plain": {"schedule.total_images": 5}}}, "the sweep's own to set"),
        (
            {"variants": {"ours": {}, "plain": PLAIN}, "fixed": {"method": "gan"}},
            "method is set by a variant and by the sweep",
        ),
        ({}, "unknown configuration key 'variant'"),
    ],
)
def test_variants_that_mean_nothing_are_refused(wrong: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        small_sweep(space=SPACE, search="grid", **wrong)


def test_the_definition_holds_all_that_names_each_variants_runs() -> None:
    """What one variant sets and another takes from the preset too: another preset would be another sweep."""
    sweep = small_sweep(space=SPACE, variants={"ours": {}, "plain": PLAIN}, search="grid")
    configs = sweep.definition()["config"]
    assert configs["ours"]["prior.contrast_weight"] == preset("small-32").prior.contrast_weight
    for name in NAMES:
        named = naming_keys(sweep.config({"variant": name, "seed": 3}))
        assert configs[name].keys() | {"seed"} == named.keys()


@pytest.mark.parametrize("sweep", [ablation, finalists, recipe, sense])
def test_every_variant_is_trained_with_every_seed_and_is_another_run(sweep: ModuleType) -> None:
    assert sweep.SWEEP.num_trials == len(sweep.VARIANTS) * len(sweep.SWEEP.space["seed"].values)
    configs = [sweep.SWEEP.config({"variant": name, "seed": 0}) for name in sweep.VARIANTS]
    assert len({run_name(config) for config in configs}) == len(sweep.VARIANTS)
