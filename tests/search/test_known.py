"""What an earlier sweep has found is known to this one: all that fits, and nothing that was measured otherwise."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from small_sweep import small_sweep, steps

from argan.errors import UserError
from argan.judging_size import JudgingSize
from argan.search.known import learn_from
from argan.search.ledger import Ledger
from argan.search.space import LogUniform
from argan.search.sweep import Sweep
from argan.search.table import TABLE, sweep_table
from argan.storage import Storage, open_storage

SWEEP = small_sweep(stopping="dominated")


@pytest.fixture
def earlier(tmp_path: Path) -> Storage:
    """A sweep's folder, as one that was run to its end leaves it."""
    folder = open_storage(str(tmp_path / "earlier"))
    list(steps(folder, SWEEP))
    table = sweep_table(Ledger(folder, SWEEP), data_uri="data", runs_uri="runs")
    folder.write_bytes(TABLE, json.dumps(table).encode())
    return folder


def learning(tmp_path: Path, sweep: Sweep) -> Ledger:
    ledger = Ledger(open_storage(str(tmp_path / "learning")), sweep)
    ledger.begin()
    return ledger


def test_finished_trials_are_known_and_stay_so(tmp_path: Path, earlier: Storage) -> None:
    sweep = replace(SWEEP, search="optuna")
    ledger = learning(tmp_path, sweep)
    learn_from(earlier, ledger)
    trials = [trial for trial in Ledger(earlier, SWEEP).trials if trial.status == "finished"]
    assert 0 < len(trials) < SWEEP.num_trials
    assert [known.changes for known in ledger.known] == [trial.changes for trial in trials]
    assert [known.costs for known in ledger.known] == [ledger.costs(trial.rungs[-1]) for trial in trials]
    again = Ledger(open_storage(str(tmp_path / "learning")), sweep)
    assert (again.known, again.known_from) == (ledger.known, earlier.uri)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"search": "random"}, "is for optuna: the search random does not learn"),
        ({"fixed": {"prior.gain": 3.0}}, r"config\.prior\.gain was 2\.2, is 3\.0"),
        ({"judging": JudgingSize(num_photos=13)}, r"judging\.num_photos was .*, is 13"),
        ({"judged_by": "another protocol"}, "judged_by was .*another protocol"),
        ({"rungs_images": (4_000, 8_000)}, "trials of 16,000 images, not 8,000"),
        (
            {"space": {**SWEEP.space, "prior.weight": LogUniform(low=20, high=30)}},
            "no finished trial in this sweep's space",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, earlier: Storage, changes: dict[str, object], problem: str
) -> None:
    ledger = learning(tmp_path, replace(SWEEP, **{"search": "optuna", **changes}))
    with pytest.raises(UserError, match=problem):
        learn_from(earlier, ledger)
    assert not ledger.known


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sweep": {}, "trials": []}', '{"sweep": [], "trials": []}'])
def test_what_is_no_table_is_one_sentence(tmp_path: Path, text: str) -> None:
    folder = open_storage(str(tmp_path / "earlier"))
    folder.write_bytes(TABLE, text.encode())
    with pytest.raises(UserError, match=r"no sweep's table|trained or judged otherwise"):
        learn_from(folder, learning(tmp_path, replace(SWEEP, search="optuna")))


def test_a_table_whose_trials_are_damaged_is_named(tmp_path: Path, earlier: Storage) -> None:
    table = json.loads(earlier.read_bytes(TABLE))
    for row in table["trials"]:
        del row["changes"]
    earlier.write_bytes(TABLE, json.dumps(table).encode())
    with pytest.raises(UserError, match=r"table\.json is no sweep's table: KeyError\('changes'\)"):
        learn_from(earlier, learning(tmp_path, replace(SWEEP, search="optuna")))


def test_nothing_is_learned_from_nowhere_or_too_late(tmp_path: Path, earlier: Storage) -> None:
    ledger = learning(tmp_path, replace(SWEEP, search="optuna"))
    with pytest.raises(UserError, match=r"there is no sweep at .*: table\.json is missing"):
        learn_from(open_storage(str(tmp_path / "nowhere")), ledger)
    ledger.propose({}, "run")
    with pytest.raises(UserError, match="has begun without"):
        learn_from(earlier, ledger)
