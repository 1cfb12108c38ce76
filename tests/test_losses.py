"""The objectives against their formulas in METHOD.md."""

import math

import pytest
import torch

from argan.config import PriorConfig
from argan.losses import (
    contrast_loss,
    discriminator_adversarial,
    focus_prior_loss,
    generator_adversarial,
    r1_penalty,
    total_variation,
)
from argan.prior import focus_prior


def test_adversarial_losses_are_the_logs_of_the_paper() -> None:
    real, fake = torch.randn(2, 50, dtype=torch.float64)
    expected = -torch.log(torch.sigmoid(real)) - torch.log(1 - torch.sigmoid(fake))
    torch.testing.assert_close(discriminator_adversarial(real, fake), expected)
    torch.testing.assert_close(generator_adversarial(fake), -torch.log(torch.sigmoid(fake)))


def test_adversarial_losses_do_not_overflow() -> None:
    far = torch.tensor([-1e4, 1e4])
    assert torch.isfinite(discriminator_adversarial(far, far)).all()
    assert torch.isfinite(generator_adversarial(far)).all()


def test_r1_of_a_linear_discriminator_is_half_its_squared_weights() -> None:
    weight = torch.randn(3, 5, 4, dtype=torch.float64)
    image = torch.randn(7, 3, 5, 4, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad((image * weight).sum(), image)
    torch.testing.assert_close(r1_penalty(gradient), (0.5 * weight.square().sum()).expand(7))


def test_focus_prior_loss_is_free_of_resolution_and_range() -> None:
    small, large = focus_prior(32, 1.5, PriorConfig()), focus_prior(32, 6.0, PriorConfig())
    flat = torch.zeros(2, 1, 32, 32)
    torch.testing.assert_close(focus_prior_loss(flat, small, 1.5), focus_prior_loss(flat, large, 6.0))
    fine = focus_prior(256, 1.5, PriorConfig())
    coarse_loss = focus_prior_loss(flat, small, 1.5)
    torch.testing.assert_close(
        focus_prior_loss(torch.zeros(2, 1, 256, 256), fine, 1.5), coarse_loss, rtol=0.02, atol=0.0
    )
    assert torch.equal(focus_prior_loss(small.expand(2, 1, 32, 32), small, 1.5), torch.zeros(2))


def test_contrast_loss_punishes_what_is_below_the_margin() -> None:
    contrast = torch.tensor([-1.0, 0.0, 0.25, 0.5, 3.0])
    torch.testing.assert_close(contrast_loss(contrast, 0.5), torch.tensor([2.25, 0.25, 0.0625, 0.0, 0.0]))


@pytest.mark.parametrize("resolution", [32, 128])
def test_total_variation_is_the_length_of_an_outline_times_its_step(resolution: int) -> None:
    """A square of half the width, d_max nearer than the rest: an outline of two widths, at any resolution and range."""
    D, quarter = torch.full((2, 1, resolution, resolution), -3.0), resolution // 4
    D[:, :, quarter:-quarter, quarter:-quarter] = 0.0
    # The mean over neighbours has one fewer in a row than there are pixels.
    expected = 2.0 * resolution / (resolution - 1)
    noise = torch.rand(2, 3, resolution, resolution)
    torch.testing.assert_close(total_variation(D, noise, 3.0, 0.0), torch.full((2,), expected))
    assert torch.equal(total_variation(torch.full_like(D, 0.7), noise, 3.0, 2.0), torch.zeros(2))


def test_a_step_of_disparity_is_let_off_where_the_deep_image_has_an_edge() -> None:
    """And the image is not told so: it would draw edges."""
    D = torch.zeros(1, 1, 16, 16, requires_grad=True)
    with torch.no_grad():
        D[..., 8:] = -1.5
    image = torch.zeros(2, 3, 16, 16, requires_grad=True)
    with torch.no_grad():
        image[0, :, :, 8:] = 0.5  # where D steps; the second image is smooth there
        image[1, :, :, 4:] = 0.5
    edge, smooth = total_variation(D.expand(2, -1, -1, -1), image, 1.5, 4.0)
    torch.testing.assert_close(edge, smooth * math.exp(-4.0 * 0.5))
    assert torch.autograd.grad(edge, image, allow_unused=True, retain_graph=True) == (None,)
    assert torch.autograd.grad(edge, D)[0].any()


def test_edges_of_any_colour_and_direction_free_disparity() -> None:
    """Red up and green down by .6: a step of .4 in the mean over colours, which keeps exp(-4 * .4) of the loss."""
    disparity, image = torch.zeros(1, 1, 16, 16), torch.zeros(1, 3, 16, 16)
    disparity[..., 8:] = -1.5
    image[:, 0, :, 8:], image[:, 1, :, 8:] = 0.6, -0.6
    for D, deep in ((disparity, image), (disparity.transpose(2, 3), image.transpose(2, 3))):
        plain = total_variation(D, deep, 1.5, 0.0)
        torch.testing.assert_close(total_variation(D, deep, 1.5, 4.0), plain * math.exp(-4 * 0.4))
