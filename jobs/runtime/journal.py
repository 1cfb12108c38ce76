"""What people watch while a run trains: TensorBoard and the report page. Written in one place, Ray's controller."""

import logging
from typing import Any

from ray.train import UserCallback

from argan.runs.folder import read_history
from argan.runs.report import picture_positions, write_report
from argan.storage import Storage, open_storage
from jobs.runtime.tensorboard import write_events

log = logging.getLogger(__name__)


class Journal(UserCallback):
    """After every tick: what the run's folder has that TensorBoard and the page do not show yet."""

    def __init__(self, run_uri: str, *, board: str, start_images: int, command: str) -> None:
        self._run_uri = run_uri
        self._board = board
        self._command = command
        self._shown_images = start_images

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Any) -> None:
        try:
            self._catch_up(open_storage(self._run_uri))
        except Exception as error:  # in Ray's controller it would end the training
            log.warning("nothing could be shown at this tick, a later one catches up: %s", error)

    def _catch_up(self, run: Storage) -> None:
        rows = [row for row in read_history(run) if row["images_seen"] > self._shown_images]
        pictures = [position for position in picture_positions(run) if position > self._shown_images]
        if not rows:
            return
        write_events(run, self._board, rows, pictures)
        self._shown_images = rows[-1]["images_seen"]
        if pictures:
            write_report(run, state="training", resume_command=self._command)
