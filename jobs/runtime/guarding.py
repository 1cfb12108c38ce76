"""Rank 0's eye on a run's health: what it sees goes into the history, and may end the training."""

import numpy as np
import torch

from argan.data.manifest import read_manifest
from argan.data.reading import decode_photos, read_photo_bytes
from argan.pixels import to_signed
from argan.runs.checkpoints import roll_back
from argan.runs.folder import read_history
from argan.storage import Storage
from argan.training.health import SAMPLES, as_metrics, standing, vitals
from argan.training.loop import takes_checkpoint
from argan.training.state import TrainState


class Guarding:
    """Looks at the ticks that take a checkpoint. A resumed run comes to the same: all follows from its history."""

    def __init__(self, state: TrainState, run: Storage, data: Storage, attempt: int) -> None:
        manifest = read_manifest(data)
        rows = np.argsort(manifest.sha256, kind="stable")[:SAMPLES]
        photos = decode_photos(manifest, rows, read_photo_bytes(data, manifest, rows))
        self._real = to_signed(torch.from_numpy(photos), state.dtype).to(state.device)
        self._state = state
        self._run = run
        self._attempt = attempt
        self._collapse = ""
        self.metrics: dict[str, float] = {}
        """Of this tick; none where it takes no checkpoint."""

    def look(self) -> bool:
        """Whether training should end, by what is seen now and was seen before."""
        state, config = self._state, self._state.config
        self.metrics = {}
        if not takes_checkpoint(state.images_seen, config.schedule):
            return False
        seen = vitals(state.g_ema, state.discriminator, self._real, state.priors, config)
        self.metrics = as_metrics(seen)
        if config.guard.action == "tell":
            return False
        row = {"images_seen": state.images_seen, **self.metrics}
        earlier = [row for row in read_history(self._run) if row["images_seen"] < state.images_seen]
        found = standing([*earlier, row], config)
        if not found.symptoms:
            return False
        self._collapse = f"training collapsed by {state.images_seen:,} images: {', '.join(found.symptoms)}"
        self._healthy_images = found.healthy_images
        return True

    def end(self) -> str:
        """After the last tick: rolls back where that was asked for; why training ended, or "" where it was not us."""
        if not self._collapse or self._state.config.guard.action == "stop":
            return self._collapse
        if self._healthy_images is None:
            return f"{self._collapse}; it never was in health, so there is nothing to roll back to"
        stands_at = roll_back(self._run, self._healthy_images, attempt=self._attempt)
        return f"{self._collapse}; rolled back to {stands_at:,} images"
