"""What is proposed lies in the space, is new, and depends on nothing but the ledger."""

import itertools
from pathlib import Path

import pytest
from small_sweep import RUNGS, judged, small_sweep, steps

from argan.errors import UserError
from argan.search.ledger import Known, Ledger, Rung
from argan.search.proposals import propose
from argan.search.space import Choice, LogUniform, Uniform, grid_points
from argan.search.sweep import Objective
from argan.storage import open_storage


@pytest.mark.parametrize("search", ["random", "optuna", "grid"])
def test_proposals_lie_in_the_space_and_differ(tmp_path: Path, search: str) -> None:
    sweep = small_sweep(search=search, num_trials=14, stopping="none", rungs_images=(4_000,))
    list(steps(open_storage(str(tmp_path)), sweep))
    trials = Ledger(open_storage(str(tmp_path)), sweep).trials
    assert len(trials) == 14
    for trial in trials:
        assert trial.changes.keys() == sweep.space.keys()
        assert all(of.holds(trial.changes[key]) for key, of in sweep.space.items())
    assert all(a.changes != b.changes for a, b in itertools.combinations(trials, 2))


def test_a_grid_is_every_combination_once(tmp_path: Path) -> None:
    sweep = small_sweep(search="grid", grid_points=2, num_trials=100, stopping="none", rungs_images=(4_000,))
    list(steps(open_storage(str(tmp_path)), sweep))
    tried = [tuple(trial.changes.values()) for trial in Ledger(open_storage(str(tmp_path)), sweep).trials]
    assert sorted(tried) == sorted(itertools.product((1.0, 6.0), (0.1, 10.0), ("bernoulli", "uniform", "half_normal")))


def test_a_space_that_is_exhausted_ends_the_sweep(tmp_path: Path) -> None:
    space = {"dof.distribution": Choice(values=("bernoulli", "uniform"))}
    sweep = small_sweep(space=space, num_trials=9)
    ledger = Ledger(open_storage(str(tmp_path)), sweep)
    for _ in range(2):
        ledger.propose(propose(ledger), "run")
    assert propose(ledger) is None


def test_optuna_learns(tmp_path: Path) -> None:
    """After its first random trials it keeps to the part of the space that is better in both objectives."""
    sweep = small_sweep(search="optuna", num_trials=30, stopping="none", rungs_images=(16_000,))
    list(steps(open_storage(str(tmp_path)), sweep))
    trials = Ledger(open_storage(str(tmp_path)), sweep).trials
    off = [abs(trial.changes["optics.d_max_at_64_px"] - 3) for trial in trials]
    assert sum(off[15:]) / 15 < 0.7 * sum(off[:8]) / 8


def test_what_is_known_from_elsewhere_counts(tmp_path: Path) -> None:
    sweep = small_sweep(search="optuna")
    proposals = []
    for name, num_known in (("none", 0), ("some", 20)):
        ledger = Ledger(open_storage(str(tmp_path / name)), sweep)
        ledger.begin()
        known = []
        for number in range(num_known):
            changes = {
                "optics.d_max_at_64_px": sweep.space["optics.d_max_at_64_px"].at(number / 20),
                "prior.weight": 1.0,
                "dof.distribution": "uniform",
            }
            cost = abs(changes["optics.d_max_at_64_px"] - 5)
            known.append(Known(changes, (cost, cost)))
        ledger.know(known, "elsewhere")
        proposals.append(propose(ledger))
    assert proposals[0] != proposals[1]
    assert abs(proposals[1]["optics.d_max_at_64_px"] - 5) < 1.5


def test_those_that_still_run_and_those_that_broke_do_no_harm(tmp_path: Path) -> None:
    sweep = small_sweep(search="optuna", num_trials=20)
    ledger = Ledger(open_storage(str(tmp_path)), sweep)
    ledger.begin()
    for number in range(12):
        trial = ledger.propose(propose(ledger), f"run-{number}")
        if number % 3 == 0:
            ledger.end(number, "broke", "the loss is not finite")
        elif number % 3 == 1:
            values = judged(trial, 4_000)
            ledger.reach(number, Rung(4_000, values if number % 2 else {"kid": None, "spearman": None}, 1.0))
    assert propose(ledger) is not None


def proposed(folder: Path, *, seed: int = 0, running: float | None = None, rungs: tuple[float, ...] = (1.0,)) -> dict:
    """After ten trials stopped with the given costs a rung, each the better the nearer to the middle of the range."""
    sweep = small_sweep(search="optuna", num_trials=20, seed=seed)
    space = sweep.space["optics.d_max_at_64_px"]
    ledger = Ledger(open_storage(str(folder)), sweep)
    ledger.begin()
    others = {"prior.weight": 1.0, "dof.distribution": "uniform"}
    for number in range(10):
        off = abs(number / 10 - 0.5)
        ledger.propose({"optics.d_max_at_64_px": space.at(number / 10), **others}, f"run-{number}")
        for rung, turned in enumerate(rungs):
            values = {"kid": 100 * turned * off, "spearman": -turned * off}
            ledger.reach(number, Rung(RUNGS[rung], values, 1.0))
        ledger.end(number, "stopped")
    for number in range(10, 20 if running is not None else 10):
        ledger.propose({"optics.d_max_at_64_px": running + (number - 15) / 100, **others}, f"run-{number}")
    return propose(ledger)


def test_a_proposal_depends_on_the_seed(tmp_path: Path) -> None:
    assert proposed(tmp_path / "a") == proposed(tmp_path / "b") != proposed(tmp_path / "c", seed=1)


def test_a_stopped_trial_counts_by_its_last_rung(tmp_path: Path) -> None:
    at_last = proposed(tmp_path / "once")
    assert proposed(tmp_path / "turned", rungs=(-1.0, 1.0)) == at_last
    assert proposed(tmp_path / "otherwise", rungs=(1.0, -1.0)) != at_last


def test_a_proposal_goes_elsewhere_than_where_trials_run(tmp_path: Path) -> None:
    """Where trials run at the best place so far, it is left for one farther off, and never the other way round."""

    def off(seed: int, running: float) -> float:
        found = proposed(tmp_path / f"{seed}-{running}", seed=seed, running=running)
        return abs(found["optics.d_max_at_64_px"] - 3.5)

    moved = [off(seed, 3.5) - off(seed, 1.2) for seed in range(14, 20)]
    assert min(moved) >= 0
    assert sum(by > 0.1 for by in moved) >= 3


def test_optuna_keeps_away_from_where_trials_break(tmp_path: Path) -> None:
    """All above 3 broke, half of them after a first rung that looked better than any other."""
    sweep = small_sweep(search="optuna", num_trials=60)
    ledger = Ledger(open_storage(str(tmp_path)), sweep)
    ledger.begin()
    asked = []
    for number in range(40):
        trial = ledger.propose(propose(ledger), f"run-{number}")
        asked.append(trial.changes["optics.d_max_at_64_px"])
        breaks = asked[-1] > 3
        if not breaks or number % 2:
            ledger.reach(number, Rung(4_000, {"kid": 1.0, "spearman": 0.9} if breaks else judged(trial, 4_000), 1.0))
        ledger.end(number, "broke" if breaks else "finished", "collapsed" if breaks else "")
    assert sum(value > 3 for value in asked[20:]) < 11  # 9; 12 by chance, 18 where they count by their last rung


def test_a_choice_is_proposed_as_it_stands(tmp_path: Path) -> None:
    values = (1.23456, 2.34567)
    sweep = small_sweep(search="optuna", num_trials=20, space={"prior.weight": Choice(values=values)})
    ledger = Ledger(open_storage(str(tmp_path)), sweep)
    ledger.begin()
    trial = ledger.propose(propose(ledger), "run-0")
    ledger.reach(0, Rung(4_000, {"kid": 30.0, "spearman": 0.5}, 1.0))
    ledger.end(0, "stopped")
    assert trial.changes["prior.weight"] in values
    assert propose(ledger)["prior.weight"] in values


def test_ranges() -> None:
    assert grid_points(Uniform(low=1, high=3), 3) == [1, 2, 3]
    assert grid_points(LogUniform(low=0.1, high=10), 3) == [0.1, 1, 10]
    assert grid_points(Uniform(low=1, high=3), 1) == [2]
    assert {Choice(values=("a", "b")).at(share) for share in (0.0, 0.49, 0.5, 1.0)} == {"a", "b"}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"space": {}}, "varies nothing"),
        ({"space": {"prior.weihgt": Uniform(low=0, high=1)}}, "unknown configuration key"),
        ({"space": {"prior.gain": Uniform(low=-1.0, high=1)}}, "prior.gain must be greater than 0"),
        ({"fixed": {"prior.weight": 1.0}}, "both fixed and searched for"),
        ({"fixed": {"schedule.total_images": 8_000}}, "the sweep's own to set"),
        ({"space": {"schedule.tick_images": Choice(values=(4_000, 2_000))}}, "does not change what is learned"),
        ({"space": {"optics.views_per_side": Uniform(low=3, high=9)}}, "must be of type int"),
        ({"space": {"dof.distribution": Choice(values=("bernoulli", "beta", "uniform"))}}, "must be one of bernoulli"),
        ({"rungs_images": (8_000, 4_000)}, "must grow"),
        ({"rungs_images": (4_100,)}, "multiples of schedule.tick_images"),
        ({"num_trials": 0}, "num_trials must be at least 1"),
        ({"keep_share": 0.0}, r"keep_share must be in \(0, 1\]"),
        ({"objectives": ()}, "one or two objectives"),
        (
            {"objectives": (Objective(name="kid", goal="min", reference=1.0),), "stopping": "dominated"},
            "must be asha or none",
        ),
    ],
)
def test_what_cannot_be_run_is_refused_before_the_first_trial(wrong: dict, said: str) -> None:
    with pytest.raises(UserError, match=said):
        small_sweep(**wrong)


def test_ranges_that_are_none_are_refused() -> None:
    for make, said in (
        (lambda: Uniform(low=2, high=1), "low < high"),
        (lambda: LogUniform(low=0, high=1), "0 < low < high"),
        (lambda: Choice(values=()), "values that differ"),
        (lambda: Choice(values=("a", "a")), "values that differ"),
        (lambda: Choice(values=((96, 64), (64, 32))), "of words and numbers"),
        (lambda: Uniform(low=0.123456, high=1), "at most 4 digits"),
    ):
        with pytest.raises(UserError, match=said):
            make()
