"""What the ledger makes of failures: a lost process goes on, anything else ends the sweep with its reason."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from ray.exceptions import RayTaskError
from tiny_sweep import RUNGS, tiny_sweep

from argan.errors import (
    CollapseError,
    DataError,
    FailedTrainingError,
    NonFiniteError,
    StorageError,
    UserError,
)
from argan.runs.lease import LeaseHeldError
from argan.search.ledger import Ledger
from argan.storage import open_storage
from jobs.runtime.trial import PassedRungError, verdict
from jobs.runtime.tune_ledger import LedgerScheduler, LedgerSearch

LOST = SimpleNamespace(config={"number": 0}, get_error=lambda: "Failure # 1\nThe actor died: its node was drained\n")


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(open_storage(str(tmp_path)), tiny_sweep(2))
    ledger.begin()
    return ledger


def scheduler_of(ledger: Ledger) -> LedgerScheduler:
    return LedgerScheduler(ledger, lambda trial: None, max_failures=1)


def rung(number: int, images: int) -> dict:
    return {"number": number, "images": images, "values": json.dumps({"kid": 9.0}), "seconds": 1.0}


def test_a_trial_whose_process_was_lost_is_handed_out_again_from_its_last_rung(ledger: Ledger) -> None:
    search, scheduler = LedgerSearch(ledger, {}, concurrent=1), scheduler_of(ledger)
    assert search.suggest("a")["images_done"] == 0
    assert search.suggest("b") is None  # one at a time
    scheduler.on_trial_result(None, None, rung(0, RUNGS[0]))
    scheduler.on_trial_error(None, LOST)
    search.on_trial_complete("a", error=True)
    again = search.suggest("b")
    assert (again["number"], again["images_done"]) == (0, RUNGS[0])


def test_lost_too_often_in_a_row_is_the_end(ledger: Ledger) -> None:
    LedgerSearch(ledger, {}, concurrent=1).suggest("a")
    scheduler = scheduler_of(ledger)
    scheduler.on_trial_error(None, LOST)
    scheduler.on_trial_result(None, None, rung(0, RUNGS[0]))  # it got somewhere: the count begins anew
    scheduler.on_trial_error(None, LOST)
    with pytest.raises(UserError, match=r"trial 0 was lost 2 times in a row, .*its node was drained"):
        scheduler.on_trial_error(None, LOST)
    assert scheduler.failed is not None


def test_a_failure_that_is_not_the_trials_own_ends_the_sweep_and_writes_nothing(ledger: Ledger) -> None:
    LedgerSearch(ledger, {}, concurrent=1).suggest("a")
    scheduler = scheduler_of(ledger)
    with pytest.raises(UserError, match="trial 0 failed, the same command tries again: shard 3 is damaged"):
        scheduler.on_trial_result(None, None, {"number": 0, "failed": "shard 3 is damaged"})
    assert "shard 3" in str(scheduler.failed)
    assert ledger.trials[0].status is None


def test_a_failure_of_its_own_ends_the_trial(ledger: Ledger) -> None:
    search = LedgerSearch(ledger, {}, concurrent=1)
    search.suggest("a")
    scheduler_of(ledger).on_trial_result(None, None, {"number": 0, "broke": "the loss is nan"})
    search.on_trial_complete("a")
    assert (ledger.trials[0].status, ledger.trials[0].error) == ("broke", "the loss is nan")
    assert search.suggest("b")["number"] == 1


def test_a_rung_that_is_reached_again_is_written_once(ledger: Ledger) -> None:
    """Whoever begins a trial from below, or twice: the ledger has each rung once, and the trial goes on."""
    LedgerSearch(ledger, {}, concurrent=1).suggest("a")
    scheduler = scheduler_of(ledger)
    for _ in range(2):
        assert scheduler.on_trial_result(None, None, rung(0, RUNGS[0])) == "CONTINUE"
    assert [each.images for each in ledger.trials[0].rungs] == [RUNGS[0]]


def test_a_crash_is_a_trials_own_only_where_others_have_got_somewhere(ledger: Ledger, tmp_path: Path) -> None:
    """An image without a module, a driver that does not fit: else it would break one trial after another."""
    search, scheduler = LedgerSearch(ledger, {}, concurrent=1), scheduler_of(ledger)
    search.suggest("a")
    with pytest.raises(UserError, match="trial 0 failed, the same command tries again: no module"):
        scheduler.on_trial_result(None, None, {"number": 0, "crashed": "no module named argan"})
    for images in RUNGS:
        scheduler.on_trial_result(None, None, rung(0, images))
    search.on_trial_complete("a")
    search.suggest("b")
    scheduler.on_trial_result(None, None, {"number": 1, "crashed": "out of memory"})
    assert (ledger.trials[1].status, ledger.trials[1].error) == ("broke", "out of memory")
    assert not ledger.has_advanced
    assert not Ledger(open_storage(str(tmp_path)), ledger.sweep).has_advanced  # nor after a restart


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NonFiniteError("nan"), "broke"),
        (CollapseError("flat"), "broke"),
        (PassedRungError("on"), "broke"),
        (FailedTrainingError("died"), "crashed"),
        (torch.cuda.OutOfMemoryError("full"), "crashed"),
        (DataError("a shard is short"), "failed"),
        (StorageError("403"), "failed"),
        (UserError("4 workers need a GPU each"), "failed"),
        (LeaseHeldError("held"), "failed"),
        (RuntimeError("a bug"), "failed"),
    ],
)
def test_whose_failure_it_is(error: Exception, expected: str) -> None:
    assert verdict(error) == expected
    assert verdict(RayTaskError("judge", "a traceback", error)) == expected
