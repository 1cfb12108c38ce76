"""The discriminator's laws: one logit a photo, no company's statistics, a gradient that can be penalised."""

import pytest
import torch

from argan.models.discriminator import Discriminator, Stage


def discriminator(channels: tuple[int, ...] = (4, 6, 8), resolution: int = 16) -> Discriminator:
    return Discriminator(channels, resolution=resolution, random=torch.Generator().manual_seed(0)).double()


@pytest.mark.parametrize(("channels", "resolution"), [((4,), 8), ((4, 6, 8), 16), ((4, 4, 4, 4, 4), 32)])
def test_one_logit_a_photo_from_any_number_of_halvings(channels: tuple[int, ...], resolution: int) -> None:
    photo = torch.rand(3, 3, resolution, resolution, dtype=torch.float64)
    assert discriminator(channels, resolution)(photo).shape == (3,)


def test_a_logit_does_not_depend_on_the_batch() -> None:
    net, photos = discriminator(), torch.randn(5, 3, 16, 16, dtype=torch.float64)
    torch.testing.assert_close(net(photos)[2:3], net(photos[2:3]))


def test_a_stage_keeps_the_variance() -> None:
    """He initialisation and the sum over sqrt(2): what goes in with power 1 comes out with power near 1."""
    stage = Stage(64, 64, torch.Generator().manual_seed(1))
    x = torch.randn(8, 64, 16, 16, generator=torch.Generator().manual_seed(2))
    assert stage(x).shape == (8, 64, 8, 8)
    assert 0.4 < float(stage(x).detach().square().mean()) < 1.6


def test_the_penalty_on_its_gradient_reaches_every_weight() -> None:
    """R1 differentiates twice: no layer may drop out of the second pass. Biases move it through the slopes only."""
    net, photo = discriminator(), torch.randn(4, 3, 16, 16, dtype=torch.float64, requires_grad=True)
    (image_gradient,) = torch.autograd.grad(net(photo).sum(), photo, create_graph=True)
    image_gradient.square().sum().backward()
    for name, weight in net.named_parameters():
        if name.endswith("weight"):
            assert weight.grad is not None
            assert float(weight.grad.abs().max()) > 0, name
