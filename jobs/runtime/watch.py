"""The driver's view of a run in training: it reads the history that the controller writes, as anybody could."""

import threading
from collections.abc import Callable
from typing import Any

from argan.errors import StorageError
from argan.runs.folder import read_history
from argan.storage import Storage
from argan.viewing.numbers import duration
from jobs.runtime.cli import Progress


class Watch:
    """While the block lasts, a progress line for every new row of the run's history.

    Speed is the row's own: the time between lines has Ray's start in it, and a fall back to an older checkpoint.
    """

    def __init__(self, run: Storage, progress: Progress, *, interval_s: float = 2.0) -> None:
        self._run = run
        self._progress = progress
        self._interval_s = interval_s
        self._row: dict[str, Any] = {}
        self._has_news()  # what is there already is none
        self._had_news = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: object) -> None:
        self._ended.set()
        if kind is None:  # who is on the way out, perhaps because storage is away, does not wait for another look
            self._thread.join()
            self._had_news = self._has_news() or self._had_news
        if self._had_news:
            self._say(self._progress.close)

    def _follow(self) -> None:
        while not self._ended.wait(self._interval_s):
            if self._has_news():
                self._had_news = True
                self._say(self._progress.show)

    def _has_news(self) -> bool:
        """Whether the history ends in another row than the last time. False where storage stays away."""
        try:
            history = read_history(self._run)
        except StorageError:
            return False
        if not history or history[-1]["images_seen"] == self._row.get("images_seen"):
            return False
        self._row = history[-1]
        return True

    def _say(self, say: Callable[..., None]) -> None:
        row = self._row
        note = f"waiting for data {row['speed/data_wait_share']:.1%} | {duration(row['time/elapsed_s'])} so far"
        say(row["images_seen"], note, rate=row["speed/images_per_s"])
