"""The guard of a run: rank 0 looks, which goes into the history and may end the training; what follows from a collapse
follows from the history, so it is for whoever comes next to see, this attempt's driver or a later one's.
"""

import numpy as np
import torch

from argan.config import Config
from argan.data.manifest import read_manifest
from argan.data.reading import read_photos
from argan.errors import CollapseError, MissingError
from argan.pixels import to_signed
from argan.runs.checkpoints import roll_back
from argan.runs.folder import read_history
from argan.storage import Storage
from argan.training.health import as_metrics, standing
from argan.training.loop import is_looked_at
from argan.training.state import TrainState
from argan.training.vitals import SAMPLES, vitals


class Guarding:
    """Looks where a checkpoint is due and where training ends, not where somebody stops it. A resumed run comes to the
    same: all follows from its history.
    """

    def __init__(self, state: TrainState, run: Storage, data: Storage) -> None:
        manifest = read_manifest(data)
        # Each photo once: of a set with copies in it a generator would seem to have the variety.
        _, rows = np.unique(manifest.sha256, return_index=True)
        rows = rows[:SAMPLES]
        photos = read_photos(data, manifest, rows)
        self._real = to_signed(torch.from_numpy(photos), state.dtype).to(state.device)
        self._state = state
        self._run = run
        self._metrics: dict[str, float] = {}
        earlier = [row for row in read_history(run) if row["images_seen"] <= state.images_seen]
        self._healthy_images = standing(earlier, state.config).healthy_images

    def look(self) -> bool:
        """Whether training should end, by what is seen now and was seen before."""
        state, config, images_seen = self._state, self._state.config, self._state.images_seen
        if not is_looked_at(images_seen, config.schedule):
            return False
        self._metrics = as_metrics(vitals(state.g_ema, state.discriminator, self._real, state.priors, config))
        row = {"images_seen": images_seen, **self._metrics}
        earlier = [row for row in read_history(self._run) if row["images_seen"] < images_seen]
        found = standing([*earlier, row], config)
        self._healthy_images = found.healthy_images
        return config.guard.action != "tell" and bool(found.symptoms)

    def take_metrics(self) -> dict[str, float]:
        """What was seen at this tick, for its row; none where nobody looked."""
        taken, self._metrics = self._metrics, {}
        return taken

    @property
    def healthy_images(self) -> list[int]:
        """Where the checkpoint is that one would go back to, if there is one."""
        return [] if self._healthy_images is None else [self._healthy_images]


def end_if_collapsed(run: Storage, config: Config, images_seen: int, *, attempt: int) -> None:
    """Where the run stands collapsed at `images_seen` by its history, and its guard is not only to tell: rolls it back
    if that was asked for. Raises CollapseError then, with what became of it.
    """
    rows = [row for row in read_history(run) if row["images_seen"] <= images_seen]
    found = standing(rows, config)
    if config.guard.action == "tell" or not found.symptoms:
        return
    told = f"training collapsed by {images_seen:,} images: {', '.join(found.symptoms)}"
    if config.guard.action == "roll_back":
        told += f"; {_rolled_back(run, found.healthy_images, attempt)}"
    raise CollapseError(f"{told} (docs/decisions/guard.md says what may help)")


def _rolled_back(run: Storage, healthy_images: int | None, attempt: int) -> str:
    if healthy_images is None:
        return "it never was in health, so there is nothing to roll back to"
    try:
        roll_back(run, healthy_images, attempt=attempt)
    except MissingError as error:
        return f"it was not rolled back: {error}"
    return f"rolled back to {healthy_images:,} images"
