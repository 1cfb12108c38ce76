"""How far a sweep is: what its ledger has settled, and between the rungs what the histories of its trials say."""

import threading
from contextlib import AbstractContextManager
from typing import TextIO

from argan.errors import UserError
from argan.runs.folder import read_history
from argan.search.ledger import Ledger, Trial
from argan.storage import Storage
from jobs.runtime.cli import Progress
from jobs.runtime.regularly import regularly


class SweepWatch:
    """A progress line of all trials together every so often, and one at every rung."""

    def __init__(self, ledger: Ledger, runs: Storage, *, stream: TextIO | None = None) -> None:
        """`runs` is the folder of the trials' runs."""
        self._ledger = ledger
        self._runs = runs
        total = ledger.sweep.num_trials * ledger.sweep.rungs_images[-1]
        self._one_at_a_time = threading.Lock()  # Tune's thread tells, and our own shows
        self._met = {trial.number for trial in ledger.trials}
        self._progress = Progress(total, "images", start=self.images(), stream=stream)

    def following(self, *, interval_s: float = 30.0) -> AbstractContextManager[None]:
        """While the block lasts, a line every so often."""
        return regularly(self._show, interval_s)

    def tell(self, trial: Trial) -> None:
        """Of a trial that was judged or has ended."""
        with self._one_at_a_time:
            self._meet()
            self._progress.close(self.images(), f"{self._judged(trial)} | {self._ends()}")

    def _show(self) -> None:
        with self._one_at_a_time:
            self._meet()
            self._progress.show(self.images(), self._ends())

    def _meet(self) -> None:
        """A trial whose run was there before it was proposed, from another sweep's folder, is no speed of ours."""
        for trial in list(self._ledger.trials):
            if trial.number not in self._met:
                self._met.add(trial.number)
                self._progress.found(self._reached(trial))

    def images(self) -> int:
        """Of the whole budget: an ended trial has used its share or saved it, another stands where its history does."""
        last = self._ledger.sweep.rungs_images[-1]
        return sum(last if trial.status else self._reached(trial) for trial in list(self._ledger.trials))

    def _reached(self, trial: Trial) -> int:
        try:
            history = read_history(self._runs.child(trial.run))
        except UserError:  # storage stays away, or somebody is at the history: it may be there the next time
            history = []
        return max(trial.images, history[-1]["images_seen"] if history else 0)

    def _judged(self, trial: Trial) -> str:
        values = trial.rungs[-1].values if trial.rungs else {}
        numbers = ", ".join(
            f"{objective.name} {values[objective.name]:.3g}"
            for objective in self._ledger.sweep.objectives
            if values.get(objective.name) is not None
        )
        what = ", ".join(part for part in (numbers, trial.status or "goes on") if part)
        return f"trial {trial.number} at {trial.images:,}: {what}"

    def _ends(self) -> str:
        ended = sum(trial.status is not None for trial in list(self._ledger.trials))
        return f"{ended}/{self._ledger.sweep.num_trials} trials ended"
