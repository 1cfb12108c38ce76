"""What people watch while a run trains: TensorBoard and the report page. Written in one place, Ray's controller."""

import io
import logging
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from ray.train import UserCallback

from argan.errors import StorageError
from argan.runs.folder import read_history
from argan.runs.report import picture_positions, write_report
from argan.storage import Storage, open_storage

log = logging.getLogger(__name__)


class Journal(UserCallback):
    """After every tick: what the run's folder has that TensorBoard and the page do not show yet.

    It travels to the controller by pickle, so what cannot travel (the TensorBoard writer) is made there, at the first
    tick.
    """

    def __init__(self, run_uri: str, *, board: str, start_images: int, command: str) -> None:
        self._run_uri = run_uri
        self._board_name = board
        self._resume_command = command
        self._shown_images = start_images
        self._board: TensorBoard | None = None

    def after_report(self, run_context: Any, metrics: list[dict[str, Any]], checkpoint: Any) -> None:
        try:
            self._catch_up(open_storage(self._run_uri))
        except StorageError as error:
            log.warning("nothing could be shown at this tick, the next one catches up: %s", error)

    def _catch_up(self, run: Storage) -> None:
        if self._board is None:
            self._board = TensorBoard(run, self._board_name, self._shown_images)
        rows = [row for row in read_history(run) if row["images_seen"] > self._shown_images]
        pictures = [position for position in picture_positions(run) if position > self._shown_images]
        for row in rows:
            self._board.add_scalars(row)
        for position in pictures:
            self._board.add_pictures(position)
        if rows:
            self._shown_images = rows[-1]["images_seen"]
        if pictures:
            write_report(run, state="training", resume_command=self._resume_command)
        self._board.flush()


class TensorBoard:
    """An event file per attempt, written to local disk and copied to the run's folder after every tick."""

    def __init__(self, run: Storage, name: str, start_images: int) -> None:
        from tensorboardX import SummaryWriter

        self._run = run
        self._name = name
        self._folder = Path(tempfile.mkdtemp(prefix="argan-tensorboard-"))
        self._writer = SummaryWriter(str(self._folder), purge_step=start_images)

    def add_scalars(self, row: dict[str, Any]) -> None:
        for name, value in row.items():
            if name != "images_seen":
                self._writer.add_scalar(name, value, row["images_seen"])

    def add_pictures(self, images_seen: int) -> None:
        for kind in ("grid", "sweep"):
            path = f"pictures/{kind}-{images_seen:012d}.png"
            if self._run.exists(path):
                pixels = np.asarray(Image.open(io.BytesIO(self._run.read_bytes(path))).convert("RGB"))
                self._writer.add_image(f"pictures/{kind}", pixels, images_seen, dataformats="HWC")

    def flush(self) -> None:
        self._writer.flush()
        for file in self._folder.iterdir():
            self._run.upload(file, f"tensorboard/{self._name}/{file.name}")
