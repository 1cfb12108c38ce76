"""The Python API, which the jobs use as well: load a run, sample from it, take a photo of any image with known
disparity.

from argan.api import load_run, render
run = load_run("runs/small-32-0123456789")
sample = run.sample(16, seed=1)                           # deep, photo, disparity, dof_scale
photo = run.render(sample.deep, sample.disparity, aperture=0.5)
photo = render(image, disparity, linear_light=True)       # any image with disparity, without a run
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from argan import zoo
from argan.config import Config
from argan.draws import Purpose, draw_dof_scale, draw_z
from argan.errors import DataError
from argan.models.camera import Camera, build_camera, take_photo
from argan.optics import render
from argan.runs.best import Best, images_of_best
from argan.runs.checkpoints import find_checkpoint
from argan.runs.folder import find_run, read_config
from argan.seeds import require_seed
from argan.training.checkpoint import load_weights

__all__ = ["Run", "Sample", "Which", "load_run", "render"]

Which = Literal["newest"] | Best

SAMPLE_BATCH_IMAGES = 64  # draws are keyed by blocks of so many samples: part of what (seed, index) means


class Sample(NamedTuple):
    """Generated photos: images [N,3,H,W] in [-1, 1], disparity [N,1,H,W] in px per aperture unit, dof_scale [N] in
    [0, 1].
    """

    deep: Tensor
    photo: Tensor  # R(deep, dof_scale * disparity): what the discriminator was shown
    disparity: Tensor
    dof_scale: Tensor


@dataclass(frozen=True)
class Run:
    """A trained generator (the moving average of its weights) with the configuration it was trained by."""

    uri: str  # zoo:NAME stays as it is
    config: Config
    images_seen: int
    checkpoint_sha256: str  # of its checkpoint.json, which names everything in it
    camera: Camera
    device: torch.device

    @torch.no_grad()  # not inference_mode: who trains on samples could not go backward through its own net
    def sample(self, num: int, *, seed: int = 0, start_index: int = 0) -> Sample:
        """Samples start_index to start_index + num of the endless sequence that `seed` stands for, from 0 to 2^32 - 1;
        s ~ p(s) of the run. Raises UserError for another seed.
        """
        require_seed(seed)
        if num < 1 or start_index < 0:
            raise ValueError(f"num must be at least 1 and start_index at least 0, got {num} and {start_index}")
        first, last = start_index // SAMPLE_BATCH_IMAGES, (start_index + num - 1) // SAMPLE_BATCH_IMAGES
        blocks = [self._block(seed, number) for number in range(first, last + 1)]
        skip = start_index - first * SAMPLE_BATCH_IMAGES
        return Sample(*(torch.cat(parts)[skip : skip + num] for parts in zip(*blocks, strict=True)))

    def render(self, image: Tensor, disparity: Tensor, aperture: float | Tensor = 1.0, *, focus: float = 0.0) -> Tensor:
        """A photo by the run's own lens, of any image with disparity (argan.models.camera.take_photo)."""
        return take_photo(self.config.optics, image, disparity, aperture, focus=focus)

    def _block(self, seed: int, number: int) -> Sample:
        config, num = self.config, SAMPLE_BATCH_IMAGES
        z = draw_z(seed, Purpose.Z_SAMPLE, number, num=num, z_dim=self.camera.generator.z_dim)
        dof_scale = draw_dof_scale(seed, Purpose.DOF_SAMPLE, number, num=num, dof=config.dof).to(self.device)
        fake = self.camera(z.to(self.device), dof_scale)
        return Sample(fake.deep, fake.photo, fake.disparity, dof_scale)


def load_run(
    uri: str,
    *,
    checkpoint: Which = "newest",
    device: str | torch.device = "cpu",
    warn: Callable[[str], None] = print,
) -> Run:
    """A checkpoint of the run at `uri` (a local path, s3:// or zoo:NAME), ready to sample from: the newest sound one,
    or the best of those that were judged while it trained.

    Raises MissingError where there is no run or no such checkpoint, DataError where it has none yet or none is sound.
    """
    storage = find_run(uri)
    config = read_config(storage)
    at_images = None if checkpoint == "newest" else images_of_best(storage, checkpoint)
    found = find_checkpoint(storage, warn=warn, generator_only=True, at_images=at_images)
    if found is None:
        raise DataError(f"the run at {storage.uri} has no checkpoint yet")
    camera = build_camera(config)
    load_weights(camera, found.snapshot.generator)
    camera = camera.to(device).requires_grad_(False).eval()
    named = uri if uri.startswith(zoo.PREFIX) else storage.uri
    return Run(named, config, found.snapshot.images_seen, found.entry["sha256"], camera, torch.device(device))
