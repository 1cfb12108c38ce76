"""Rank 0's eye on a run's health: what it sees goes into the history, and may end the training."""

import numpy as np
import torch

from argan.data.manifest import read_manifest
from argan.data.reading import decode_photos, read_photo_bytes
from argan.errors import MissingError
from argan.pixels import to_signed
from argan.runs.checkpoints import roll_back
from argan.runs.folder import read_history
from argan.storage import Storage
from argan.training.health import SAMPLES, as_metrics, standing, vitals
from argan.training.loop import takes_checkpoint
from argan.training.state import TrainState


class Guarding:
    """Looks where a checkpoint is due and where training ends, not where somebody stops it. A resumed run comes to the
    same: all follows from its history.
    """

    def __init__(self, state: TrainState, run: Storage, data: Storage, attempt: int) -> None:
        manifest = read_manifest(data)
        rows = np.argsort(manifest.sha256, kind="stable")[:SAMPLES]
        photos = decode_photos(manifest, rows, read_photo_bytes(data, manifest, rows))
        self._real = to_signed(torch.from_numpy(photos), state.dtype).to(state.device)
        self._state = state
        self._run = run
        self._attempt = attempt
        self._collapse = ""
        self._metrics: dict[str, float] = {}
        earlier = [row for row in read_history(run) if row["images_seen"] <= state.images_seen]
        self._healthy_images = standing(earlier, state.config).healthy_images

    def look(self) -> bool:
        """Whether training should end, by what is seen now and was seen before."""
        state, config = self._state, self._state.config
        schedule, images_seen = config.schedule, state.images_seen
        if not takes_checkpoint(images_seen, schedule) and images_seen < schedule.total_images:
            return False
        self._metrics = as_metrics(vitals(state.g_ema, state.discriminator, self._real, state.priors, config))
        row = {"images_seen": images_seen, **self._metrics}
        earlier = [row for row in read_history(self._run) if row["images_seen"] < images_seen]
        found = standing([*earlier, row], config)
        self._healthy_images = found.healthy_images
        if config.guard.action == "tell" or not found.symptoms:
            return False
        self._collapse = f"training collapsed by {images_seen:,} images: {', '.join(found.symptoms)}"
        return True

    def take_metrics(self) -> dict[str, float]:
        """What was seen at this tick, for its row; none where nobody looked."""
        taken, self._metrics = self._metrics, {}
        return taken

    @property
    def healthy_images(self) -> list[int]:
        """Where the checkpoint is that one would go back to, if there is one."""
        return [] if self._healthy_images is None else [self._healthy_images]

    def end(self) -> str:
        """After the last tick: rolls back where that was asked for; why training ended, or "" where it was not us."""
        if not self._collapse or self._state.config.guard.action == "stop":
            return self._collapse
        if self._healthy_images is None:
            return f"{self._collapse}; it never was in health, so there is nothing to roll back to"
        try:
            roll_back(self._run, self._healthy_images, attempt=self._attempt)
        except MissingError as error:
            return f"{self._collapse}; it was not rolled back: {error}"
        return f"{self._collapse}; rolled back to {self._healthy_images:,} images"
