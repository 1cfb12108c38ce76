"""Ray Tune's search and scheduling, answered from the ledger: Tune runs the trials, the ledger knows them."""

import json
import math
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ray.exceptions import OutOfMemoryError, WorkerCrashedError
from ray.tune.schedulers import FIFOScheduler, TrialScheduler
from ray.tune.search import Searcher

from argan.errors import UserError
from argan.search.course import next_trial, settle
from argan.search.crashes import Crashes
from argan.search.ledger import Ledger, Rung, Trial
from argan.settings import run_name, to_dict
from jobs.runtime.cli import say

ITS_OWN = (OutOfMemoryError.__name__, WorkerCrashedError.__name__)
"""Deaths that may be a trial's own, over and over: it is larger than the machines, or crashes what it calls."""


class LedgerSearch(Searcher):
    """Hands out the trials that did not end, in their order, then new ones; at most so many at a time.

    Tune's own files about it stay empty: they would be a second truth.
    """

    def __init__(self, ledger: Ledger, crashes: Crashes, shared: dict[str, Any], concurrent: int) -> None:
        """`shared` is what each trial is given beside its own."""
        super().__init__()
        self._ledger = ledger
        self._crashes = crashes
        self._shared = shared
        self._concurrent = concurrent
        self._running: dict[str, int] = {}  # Tune's name -> our number

    def suggest(self, trial_id: str) -> Any:
        if len(self._running) >= self._concurrent:
            return None
        trial = next_trial(self._ledger, {*self._running.values(), *self._crashes.numbers})
        if trial is None:
            if self._running:
                return None
            self._crashes.close()
            return Searcher.FINISHED
        self._running[trial_id] = trial.number
        config = self._ledger.sweep.config(trial.changes)
        if run_name(config) != trial.run:
            raise UserError(
                f"trial {trial.number} was begun as {trial.run}, and is {run_name(config)} now: other code?"
            )
        given = {"number": trial.number, "config": to_dict(config), "images_done": trial.images}
        return {**self._shared, **given}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """The scheduler takes it."""

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        self._running.pop(trial_id, None)

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def save(self, checkpoint_path: str) -> None:
        """Nothing: see the class."""

    def restore(self, checkpoint_path: str) -> None:
        raise NotImplementedError("a sweep goes on from its ledger")


class LedgerScheduler(FIFOScheduler):
    """Writes every result into the ledger before anything follows from it, and gives trials up by the sweep's rule.

    A trial whose process was lost, with its node or for want of memory, is none that ended: the search hands it out
    again, and it goes on from its last rung.
    """

    def __init__(
        self,
        ledger: Ledger,
        crashes: Crashes,
        told: Callable[[Trial], None],
        stands_at: Callable[[str], int],
        max_failures: int,
    ) -> None:
        """`told` is called after each result; `stands_at` says how many images a run has seen at its newest
        checkpoint; `max_failures` is how often in a row, without a checkpoint between, a trial's process may be lost.
        """
        super().__init__()
        self._ledger = ledger
        self._crashes = crashes
        self._told = told
        self._stands_at = stands_at
        self._max_failures = max_failures
        self._lost: Counter[int] = Counter()
        self._lost_at_images: dict[int, int] = {}
        self.failed: UserError | None = None  # Tune wraps it beyond recognition

    def __getstate__(self) -> dict[str, Any]:
        return {}  # as the search: what Tune keeps of it is for nobody

    def on_trial_result(self, tune_controller: Any, trial: Any, result: dict[str, Any]) -> str:
        try:
            return TrialScheduler.CONTINUE if self._take(result) else TrialScheduler.STOP
        except UserError as error:
            self.failed = error
            raise

    def on_trial_error(self, tune_controller: Any, trial: Any) -> None:
        # Where Tune has just written it: get_error() looks into storage, where it comes seconds later.
        text = Path(trial.error_file).read_text().strip() if trial.error_file else ""
        number = trial.config["number"]
        images = self._stands_at(self._ledger.trials[number].run)
        before = self._lost_at_images.setdefault(number, images)
        if images > before:
            self._lost[number], self._lost_at_images[number] = 0, images  # it got somewhere in between
        self._lost[number] += 1
        why = (text.splitlines() or ["an error without words"])[-1]
        if self._lost[number] <= self._max_failures:
            say(f"the process of trial {number} was lost, another takes over: {why}")
            return
        times = f"{self._lost[number]} times in a row"
        lost = f"the process of trial {number} was lost {times}, the last time with {why}"
        try:
            if not any(death in text for death in ITS_OWN):
                raise UserError(lost)
            self._set_aside(number, lost)
        except UserError as error:
            self.failed = error
            raise

    def _set_aside(self, number: int, why: str) -> None:
        self._lost[number] = 0
        say(f"trial {number} crashed and is set aside: {why}")
        self._crashes.set_aside(number, why)

    def _take(self, result: dict[str, Any]) -> bool:
        """Whether the trial goes on."""
        ledger, number = self._ledger, result["number"]
        ours = ledger.trials[number]
        if "failed" in result:
            raise UserError(f"trial {number} failed, the same command tries again: {result['failed']}")
        if "crashed" in result:
            self._set_aside(number, result["crashed"])
            return False
        if result.get("images", math.inf) <= ours.images:
            return True  # somebody climbs again from below: the rung stands there
        self._lost[number] = 0
        if "broke" in result:
            ledger.end(number, "broke", result["broke"])
            keeps = False
        else:
            ledger.reach(number, Rung(result["images"], json.loads(result["values"]), result["seconds"]))
            self._crashes.are_their_own()
            keeps = settle(ledger, ours)
        self._told(ours)
        return keeps
