"""The one maker of fakes: generator, then aperture. What the discriminator sees in training and what depth and KID are
judged by come out of `Camera.forward`, so they cannot drift apart (METHOD: Objectives).
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn

from argan.config import Config, OpticsConfig
from argan.draws import weights_generator
from argan.models.discriminator import Discriminator
from argan.models.generator import Generator
from argan.optics import ApertureRenderer, render


class Fake(NamedTuple):
    """A generated sample (I_d, D, R(I_d, sD)) and how it was taken."""

    deep: Tensor  # I_d, [B,3,H,W] in [-1, 1]
    disparity: Tensor  # D, [B,1,H,W], px per aperture unit, unscaled
    photo: Tensor  # R(I_d, s D), [B,3,H,W]: the only thing that the discriminator sees
    expansion: Tensor  # mean |T(E)| per sample [B]; zero without T


class Camera(nn.Module):
    """A generator behind an aperture. Without a renderer it is the standard GAN: the photo is the deep image."""

    def __init__(self, generator: Generator, renderer: ApertureRenderer | None) -> None:
        super().__init__()
        self.generator = generator
        self.renderer = renderer

    def forward(self, z: Tensor, dof_scale: Tensor) -> Fake:
        """z [B,z_dim], dof_scale s [B] in [0, 1]. The nets may run under autocast; the optics always run in full."""
        deep, disparity = self.generator(z)
        if self.renderer is None:
            return Fake(deep, disparity, deep, torch.zeros_like(dof_scale))
        rendering = self.renderer(deep, disparity, dof_scale)
        return Fake(deep, disparity, rendering.image, rendering.expansion)


def build_camera(config: Config) -> Camera:
    """The generator and the optics that `config` describes; weights drawn from config.seed."""
    random = weights_generator(config.seed, 0)
    is_ar_gan = config.method == "ar-gan"
    generator = Generator(
        config.generator.channels,
        style_dim=config.generator.style_dim,
        w_dim=config.generator.w_dim,
        mapping_layers=config.generator.mapping_layers,
        d_max_px=config.d_max_px,
        front_share=config.optics.front_share,
        random=random,
        has_disparity=is_ar_gan,
    )
    if not is_ar_gan:
        return Camera(generator, None)
    optics = config.optics
    return Camera(
        generator,
        ApertureRenderer(
            optics.views_per_side,
            optics.shape,
            fit=optics.views_fit,
            linear_light=optics.linear_light,
            expansion=optics.expansion,
            occlusion_steps=optics.occlusion_steps,
            generator=random,
        ),
    )


def take_photo(
    optics: OpticsConfig, image: Tensor, disparity: Tensor, aperture: float | Tensor = 1.0, *, focus: float = 0.0
) -> Tensor:
    """A photo by a run's lens, for people: the shape of its aperture, what it averages, what hides what, and as many
    views as the blur needs (argan.optics.render). T has no part in it: it belongs to the views of its training.
    """
    return render(
        image,
        disparity,
        aperture,
        focus=focus,
        shape=optics.shape,
        linear_light=optics.linear_light,
        occlusion_steps=optics.occlusion_steps,
    )


def build_discriminator(config: Config) -> Discriminator:
    random = weights_generator(config.seed, 1)
    return Discriminator(config.discriminator.channels, resolution=config.resolution, random=random)
