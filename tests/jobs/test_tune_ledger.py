"""What the ledger makes of failures: a lost process goes on, anything else ends the sweep with its reason."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from ray.exceptions import NodeDiedError, OutOfMemoryError, RayError, RayTaskError, WorkerCrashedError
from ray.train._internal.storage import StorageContext
from ray.tune.experiment import Trial
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
from argan.search.crashes import Crashes
from argan.search.ledger import Ledger
from argan.storage import open_storage
from jobs.runtime import trial
from jobs.runtime.trial import run_trial, verdict
from jobs.runtime.tune_ledger import LedgerScheduler, LedgerSearch


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    ledger = Ledger(open_storage(str(tmp_path)), tiny_sweep(2))
    ledger.begin()
    return ledger


@pytest.fixture
def lost(tmp_path: Path) -> Trial:
    return failed(
        tmp_path, RayTaskError("train", "Traceback\nThe actor died: its node was drained", NodeDiedError("drained"))
    )


class StorageOfTests(StorageContext):
    """As it is within a session of Ray's."""

    def _get_session_path(self) -> str:
        return f"{self.storage_fs_path}-session"


def failed(folder: Path, error: Exception) -> Trial:
    """Tune's own trial, as it stands when the scheduler is told: nothing of it is in storage yet."""
    storage = StorageOfTests(str(folder / "tune"), experiment_dir_name="tune", trial_dir_name="trial")
    made = Trial("no trainable", stub=True, config={"number": 0}, storage=storage)
    Path(made.local_path).mkdir(parents=True, exist_ok=True)
    made.handle_error(error)
    return made


def search_and_scheduler(
    ledger: Ledger, max_failures: int = 1, stands_at: Callable[[str], int] = lambda run: 0
) -> tuple[LedgerSearch, LedgerScheduler]:
    """One trial at a time, so many failures in a row are put up with."""
    crashes = Crashes(ledger, max_failures)
    scheduler = LedgerScheduler(ledger, crashes, lambda trial: None, stands_at, max_failures)
    return LedgerSearch(ledger, crashes, {}, 1), scheduler


def rung(number: int, images: int) -> dict:
    return {"number": number, "images": images, "values": json.dumps({"kid": 9.0}), "seconds": 1.0}


def test_a_trial_whose_process_was_lost_is_handed_out_again_from_its_last_rung(ledger: Ledger, lost: Trial) -> None:
    search, scheduler = search_and_scheduler(ledger)
    assert search.suggest("a")["images_done"] == 0
    assert search.suggest("b") is None  # one at a time
    scheduler.on_trial_result(None, None, rung(0, RUNGS[0]))
    scheduler.on_trial_error(None, lost)
    search.on_trial_complete("a", error=True)
    again = search.suggest("b")
    assert (again["number"], again["images_done"]) == (0, RUNGS[0])


def test_lost_too_often_in_a_row_is_the_end(ledger: Ledger, lost: Trial) -> None:
    search, scheduler = search_and_scheduler(ledger)
    search.suggest("a")
    scheduler.on_trial_error(None, lost)
    scheduler.on_trial_result(None, None, rung(0, RUNGS[0]))  # it got somewhere: the count begins anew
    scheduler.on_trial_error(None, lost)
    with pytest.raises(UserError, match=r"trial 0 was lost 2 times in a row, .*its node was drained"):
        scheduler.on_trial_error(None, lost)
    assert scheduler.failed is not None


def test_a_checkpoint_between_two_losses_begins_the_count_anew(ledger: Ledger, lost: Trial) -> None:
    """Nobody gets the count back by asking while storage is away."""
    stands_at = iter((0, 8_000, 16_000, 0, 16_000))
    search, scheduler = search_and_scheduler(ledger, max_failures=2, stands_at=lambda run: next(stands_at))
    search.suggest("a")
    for _ in range(4):
        scheduler.on_trial_error(None, lost)
    with pytest.raises(UserError, match="trial 0 was lost 3 times in a row"):
        scheduler.on_trial_error(None, lost)


def test_a_failure_that_is_not_the_trials_own_ends_the_sweep_and_writes_nothing(ledger: Ledger) -> None:
    search, scheduler = search_and_scheduler(ledger)
    search.suggest("a")
    with pytest.raises(UserError, match="trial 0 failed, the same command tries again: shard 3 is damaged"):
        scheduler.on_trial_result(None, None, {"number": 0, "failed": "shard 3 is damaged"})
    assert "shard 3" in str(scheduler.failed)
    assert ledger.trials[0].status is None


def test_a_failure_of_its_own_ends_the_trial(ledger: Ledger) -> None:
    search, scheduler = search_and_scheduler(ledger)
    search.suggest("a")
    scheduler.on_trial_result(None, None, {"number": 0, "broke": "the loss is nan"})
    search.on_trial_complete("a")
    assert (ledger.trials[0].status, ledger.trials[0].error) == ("broke", "the loss is nan")
    assert search.suggest("b")["number"] == 1


def test_a_rung_that_is_reached_again_is_written_once(ledger: Ledger) -> None:
    """Whoever begins a trial from below, or twice: the ledger has each rung once, and the trial goes on."""
    search, scheduler = search_and_scheduler(ledger)
    search.suggest("a")
    for _ in range(2):
        assert scheduler.on_trial_result(None, None, rung(0, RUNGS[0])) == "CONTINUE"
    assert [each.images for each in ledger.trials[0].rungs] == [RUNGS[0]]


def crash(search: LedgerSearch, scheduler: LedgerScheduler, number: int) -> None:
    """That trial is handed out, and crashes."""
    assert search.suggest(f"t{number}")["number"] == number
    try:
        scheduler.on_trial_result(None, None, {"number": number, "crashed": "out of memory"})
    finally:
        search.on_trial_complete(f"t{number}")


def test_a_crash_is_a_trials_own_as_soon_as_another_gets_somewhere(ledger: Ledger) -> None:
    search, scheduler = search_and_scheduler(ledger)
    crash(search, scheduler, 0)
    assert ledger.trials[0].status is None
    assert search.suggest("b")["number"] == 1
    scheduler.on_trial_result(None, None, rung(1, RUNGS[0]))
    assert (ledger.trials[0].status, ledger.trials[0].error) == ("broke", "out of memory")


def test_crashes_one_after_another_end_the_sweep_and_write_nothing(ledger: Ledger) -> None:
    """An image without a module, a driver that does not fit: else it would break one trial after another."""
    search, scheduler = search_and_scheduler(ledger)
    crash(search, scheduler, 0)
    with pytest.raises(UserError, match="trials 0, 1 crashed one after another, the last with out of memory; the same"):
        crash(search, scheduler, 1)
    assert scheduler.failed is not None
    assert [trial.status for trial in ledger.trials] == [None, None]


def test_bad_trials_in_a_row_do_not_block_a_sweep_for_good(tmp_path: Path) -> None:
    """Killed and begun anew, it comes past them: as many as it puts up with, and those behind them get somewhere."""
    ledger = Ledger(open_storage(str(tmp_path)), tiny_sweep(4))
    ledger.begin()
    crash(*search_and_scheduler(ledger), 0)
    search, scheduler = search_and_scheduler(Ledger(open_storage(str(tmp_path)), ledger.sweep))
    crash(search, scheduler, 0)
    search.suggest("b")
    scheduler.on_trial_result(None, None, rung(1, RUNGS[0]))
    found = Ledger(open_storage(str(tmp_path)), ledger.sweep)
    assert [trial.status for trial in found.trials] == ["broke", None]


def test_the_last_trial_crashes_where_nobody_got_anywhere_since_this_start(ledger: Ledger) -> None:
    """What earlier trials got somewhere with may have been another image."""
    search, scheduler = search_and_scheduler(ledger)
    search.suggest("a")
    for images in RUNGS:
        scheduler.on_trial_result(None, None, rung(0, images))
    search, scheduler = search_and_scheduler(ledger)
    crash(search, scheduler, 1)
    with pytest.raises(UserError, match="trial 1 crashed: out of memory; the same command tries again"):
        search.suggest("c")
    assert ledger.trials[1].status is None


@pytest.mark.parametrize("gets_somewhere", [True, False])
def test_the_last_trials_crash(ledger: Ledger, gets_somewhere: bool) -> None:
    search, scheduler = search_and_scheduler(ledger)
    if gets_somewhere:
        search.suggest("a")
        for images in RUNGS:
            scheduler.on_trial_result(None, None, rung(0, images))
        search.on_trial_complete("a")
        crash(search, scheduler, 1)
        assert search.suggest("c") == "FINISHED"
        assert ledger.trials[1].status == "broke"
        return
    search, scheduler = search_and_scheduler(ledger, max_failures=2)
    for number in range(2):
        crash(search, scheduler, number)
    with pytest.raises(UserError, match="trials 0, 1 crashed one after another"):
        search.suggest("c")


@pytest.mark.parametrize("death", [OutOfMemoryError("Task was killed"), WorkerCrashedError()])
def test_a_trial_that_dies_over_and_over_where_no_node_is_lost_has_crashed(
    death: RayError, ledger: Ledger, tmp_path: Path
) -> None:
    search, scheduler = search_and_scheduler(ledger)
    search.suggest("a")
    said = f"Traceback\nray.exceptions.{type(death).__name__}: Task was killed\nmemory: 20 of 20 GB"
    killed = failed(tmp_path, RayTaskError("train", said, death))
    for _ in range(2):
        scheduler.on_trial_error(None, killed)
    search.on_trial_complete("a", error=True)
    assert search.suggest("b")["number"] == 1


@pytest.mark.parametrize("wrapped", [False, True])
def test_storage_that_stayed_away_takes_the_trial_to_another_process(
    wrapped: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = StorageError("s3://bucket cannot be reached")

    def climb(given: dict) -> None:
        raise RayTaskError("judge", "a traceback", away) if wrapped else away

    monkeypatch.setattr(trial, "climb", climb)
    with pytest.raises(RayTaskError if wrapped else StorageError):
        run_trial({"number": 0})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (NonFiniteError("nan"), "broke"),
        (CollapseError("flat"), "broke"),
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
