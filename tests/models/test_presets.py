"""Every preset is a pair of nets that fit each other: one photo of each is made and judged."""

import pytest
import torch

from argan.models.camera import build_camera, build_discriminator
from argan.presets import preset, presets


@pytest.mark.parametrize("name", presets())
@torch.no_grad()
def test_the_nets_of_a_preset_fit_each_other(name: str) -> None:
    config = preset(name)
    camera, discriminator = build_camera(config), build_discriminator(config)
    fake = camera(torch.randn(1, camera.generator.z_dim), torch.ones(1))
    assert fake.photo.shape == (1, 3, config.resolution, config.resolution)
    assert discriminator(fake.photo).shape == (1,)
