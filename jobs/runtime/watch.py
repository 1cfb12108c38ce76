"""The driver's view of a run in training: it reads the history that the controller writes, as anybody could."""

import threading

from argan.runs.folder import read_history
from argan.storage import Storage
from jobs.runtime.cli import Progress, duration


class Watch:
    """While the block lasts, a progress line for every new row of the run's history."""

    def __init__(self, run: Storage, progress: Progress, *, interval_s: float = 2.0) -> None:
        self._run = run
        self._progress = progress
        self._interval_s = interval_s
        self._shown_images = self._last_images()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="watch", daemon=True)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()
        self._show()

    def _follow(self) -> None:
        while not self._ended.wait(self._interval_s):
            self._show()

    def _last_images(self) -> int:
        history = read_history(self._run)
        return history[-1]["images_seen"] if history else 0

    def _show(self) -> None:
        history = read_history(self._run)
        if not history or history[-1]["images_seen"] == self._shown_images:
            return
        row = history[-1]
        self._shown_images = row["images_seen"]
        note = f"waiting for data {row['speed/data_wait_share']:.1%} | {duration(row['time/elapsed_s'])} so far"
        self._progress.show(row["images_seen"], note)
