"""A run's history and pictures as TensorBoard reads them: small event files, one a tick, each written once and whole.

tensorboardX's SummaryWriter hands events to a thread that its flush does not wait for, so the last tick would be
missing, and its one growing file would go to a bucket again and again.
"""

import io
import math
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import image, scalar

from argan.storage import Storage


def write_events(run: Storage, board: str, rows: Sequence[dict[str, Any]], pictures: Sequence[int]) -> None:
    """Adds an event file to tensorboard/`board` in the run's folder: rows of history, pictures by their images seen."""
    with tempfile.TemporaryDirectory() as folder:
        # Its name begins with the second it was made in; the suffix tells files of one second apart.
        writer = EventsWriter(str(Path(folder) / "events"), f".{rows[-1]['images_seen']:012d}")
        for images_seen, summary in summaries(run, rows, pictures):
            writer.write_event(Event(wall_time=time.time(), step=images_seen, summary=summary))
        writer.close()
        for file in Path(folder).iterdir():
            run.upload(file, f"tensorboard/{board}/{file.name}")


def summaries(run: Storage, rows: Sequence[dict[str, Any]], pictures: Sequence[int]) -> Iterator[tuple[int, Any]]:
    """(images seen, summary) of every number and every picture."""
    for row in rows:
        for name, value in row.items():
            if name != "images_seen":
                yield row["images_seen"], scalar(name, math.nan if value is None else value)
    for images_seen in pictures:
        for kind in ("grid", "sweep"):
            path = f"pictures/{kind}-{images_seen:012d}.png"
            if run.exists(path):
                pixels = np.asarray(Image.open(io.BytesIO(run.read_bytes(path))).convert("RGB"))
                yield images_seen, image(f"pictures/{kind}", pixels, dataformats="HWC")
