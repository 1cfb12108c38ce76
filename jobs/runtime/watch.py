"""The driver's view of a run in training: it reads the history that its first worker writes, as anybody could."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from argan.errors import UserError
from argan.runs.folder import read_history
from argan.storage import Storage
from argan.viewing.numbers import duration
from jobs.runtime.cli import Progress
from jobs.runtime.regularly import regularly


class Watch:
    """A progress line for every new row of the run's history.

    Speed is the row's own: the time between lines has Ray's start in it, and a fall back to an older checkpoint.
    """

    def __init__(self, run: Storage, progress: Progress) -> None:
        self._run = run
        self._progress = progress
        self._row: dict[str, Any] = {}
        self._has_news()  # what is there already is none
        self._had_news = False

    @contextmanager
    def following(self, *, interval_s: float = 2.0) -> Iterator[None]:
        """While the block lasts, and once more at its end where it ends well."""
        try:
            with regularly(self._look, interval_s):
                yield
            self._had_news = self._has_news() or self._had_news
        finally:
            if self._had_news:
                self._say(self._progress.close)

    def _look(self) -> None:
        if self._has_news():
            self._had_news = True
            self._say(self._progress.show)

    def _has_news(self) -> bool:
        """Whether the history ends in another row than the last time. False where it cannot be read just now."""
        try:
            history = read_history(self._run)
        except UserError:
            return False
        if not history or history[-1]["images_seen"] == self._row.get("images_seen"):
            return False
        self._row = history[-1]
        return True

    def _say(self, say: Callable[..., None]) -> None:
        row = self._row
        note = f"waiting for data {row['speed/data_wait_share']:.1%} | {duration(row['time/elapsed_s'])} so far"
        say(row["images_seen"], note, rate=row["speed/images_per_s"])
