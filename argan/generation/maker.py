"""From an index to a sample: z, the generator, then a shallow photo through each aperture.

Everything is rounded as it is stored before it goes on: the shallow photos are taken of the deep photo's bytes, with
the disparity's codes, so whoever has these can take them again.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from argan.config import Config
from argan.data.disparity_coding import DisparityCoding
from argan.draws import Purpose, draw_uniform, draw_z
from argan.generation.recipe import MICRO_BATCH_IMAGES, Recipe
from argan.models.camera import Camera
from argan.optics import ApertureRenderer
from argan.pixels import to_bytes, to_signed
from argan.prior import focus_priors, nearest_prior


class DeepBatch(NamedTuple):
    """Deep photos uint8 [N,H,W,3] and coded disparity uint16 [N,H,W]."""

    images: NDArray[np.uint8]
    codes: NDArray[np.uint16]


class TupleMaker:
    """A trained camera that makes samples by a settled recipe. Its generator runs on whole micro-batches only."""

    def __init__(self, camera: Camera, config: Config, recipe: Recipe) -> None:
        self.config = config
        self.recipe = recipe
        self.coding = DisparityCoding.of_range(-config.d_max_px, config.d_max_px)
        self.views_per_side = recipe.views_per_side(config)
        self._priors = focus_priors(config.resolution, config.d_max_px, config.prior)
        self._generator = camera.generator
        self._device = next(camera.parameters()).device
        light, steps = config.optics.linear_light, config.optics.occlusion_steps
        if recipe.shape is None:
            raise ValueError("the recipe leaves the aperture's shape to the model: Recipe.settled fills it in")
        self._renderers = [
            ApertureRenderer(views, recipe.shape, linear_light=light, occlusion_steps=steps).to(self._device)
            for views in self.views_per_side
        ]

    @torch.inference_mode()
    def deep(self, indices: Sequence[int]) -> DeepBatch:
        """At most a micro-batch of samples; it is filled up with the last one, so that a sample's bits do not depend on
        how many there are.
        """
        if not 0 < len(indices) <= MICRO_BATCH_IMAGES:
            raise ValueError(f"a micro-batch has 1 to {MICRO_BATCH_IMAGES} samples, got {len(indices)}")
        filled = [*indices, *[indices[-1]] * (MICRO_BATCH_IMAGES - len(indices))]
        z = torch.cat([self.z(index) for index in filled]).to(self._device)
        made = self._generator(z)
        images = to_bytes(made.image).permute(0, 2, 3, 1).contiguous().cpu().numpy()
        codes = self.coding.encode(made.disparity[:, 0].cpu().numpy())
        return DeepBatch(images[: len(indices)], codes[: len(indices)])

    @torch.inference_mode()
    def shallow(self, batch: DeepBatch, apertures: Sequence[Sequence[float]]) -> list[NDArray[np.uint8]]:
        """The batch through each of its samples' apertures, uint8 [N,H,W,3] each; `apertures` [N][K] are dof_scales."""
        images = to_signed(torch.from_numpy(batch.images).permute(0, 3, 1, 2).contiguous().to(self._device))
        disparity = torch.from_numpy(self.coding.decode(batch.codes))[:, None].to(self._device) - self.recipe.focus_px
        photos = []
        for dof_scale, renderer in zip(zip(*apertures, strict=True), self._renderers, strict=True):
            photo = renderer(images, disparity, torch.tensor(dof_scale, device=self._device)).image
            photos.append(to_bytes(photo).permute(0, 2, 3, 1).contiguous().cpu().numpy())
        return photos

    def prior_of(self, disparity: NDArray[np.float32]) -> NDArray[np.float32]:
        """The focus prior D_p nearest to a sample's disparity. [H,W] -> [H,W]"""
        return nearest_prior(torch.from_numpy(disparity)[None, None], self._priors)[0, 0].numpy()

    def apertures(self, index: int) -> list[float]:
        """The dof_scale of each of a sample's shallow photos."""
        recipe = self.recipe
        drawn = draw_uniform(recipe.seed, Purpose.APERTURE_TUPLE, index, num=recipe.random_apertures)
        return [*recipe.apertures, *(1 - drawn).tolist()]

    def z(self, index: int) -> Tensor:
        """[1,z_dim]; truncation concerns the style alone, the noise is drawn as in training."""
        generator = self._generator
        z = draw_z(self.recipe.seed, Purpose.Z_TUPLE, index, num=1, z_dim=generator.z_dim)
        if self.recipe.truncation:
            style_dim = generator.z_parts[0]
            z[:, :style_dim] = truncated(z[:, :style_dim], self.recipe.truncation)
        return z


def truncated(normal: Tensor, limit: float) -> Tensor:
    """Standard normal draws made those of a normal cut off at +-limit, in the same order (by quantiles)."""
    below = torch.special.ndtr(torch.tensor(-limit, dtype=torch.float64))
    share = torch.special.ndtr(normal.double())
    return torch.special.ndtri(below + share * (1 - 2 * below)).to(normal.dtype)
