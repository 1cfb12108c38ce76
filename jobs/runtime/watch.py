"""The driver's view of a run in training: it reads the history that the controller writes, as anybody could."""

import threading
from typing import Any

from argan.errors import StorageError
from argan.runs.folder import read_history
from argan.storage import Storage
from argan.viewing.numbers import duration
from jobs.runtime.cli import Progress


class Watch:
    """While the block lasts, a progress line for every new row of the run's history."""

    def __init__(self, run: Storage, progress: Progress, *, interval_s: float = 2.0) -> None:
        self._run = run
        self._progress = progress
        self._interval_s = interval_s
        self._shown_images = 0
        self._new_row()  # what is there already is not news
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        row = self._new_row()
        if row is not None:
            self._progress.close(row["images_seen"], _note(row))

    def _follow(self) -> None:
        while not self._ended.wait(self._interval_s):
            row = self._new_row()
            if row is not None:
                self._progress.show(row["images_seen"], _note(row))

    def _new_row(self) -> dict[str, Any] | None:
        """The last row of the history, if it is another one than the last time. None where storage stays away."""
        try:
            history = read_history(self._run)
        except StorageError:
            return None
        if not history or history[-1]["images_seen"] == self._shown_images:
            return None
        self._shown_images = history[-1]["images_seen"]
        return history[-1]


def _note(row: dict[str, Any]) -> str:
    return f"waiting for data {row['speed/data_wait_share']:.1%} | {duration(row['time/elapsed_s'])} so far"
