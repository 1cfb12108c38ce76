"""The objectives against their formulas in METHOD.md."""

import math

import pytest
import torch

from argan.config import OptimizerConfig, PriorConfig
from argan.losses import (
    contrast_loss,
    discriminator_adversarial,
    focus_contrast,
    focus_prior,
    focus_prior_loss,
    focus_prior_weight,
    focus_priors,
    generator_adversarial,
    learning_rate_share,
    nearest_prior,
    r1_penalty,
    total_variation,
)
from argan.scenes import scene


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


def test_focus_prior_is_sharp_in_the_middle_and_far_in_the_corners() -> None:
    prior = focus_prior(64, 3.0, PriorConfig())
    assert prior.shape == (1, 1, 64, 64)
    assert float(prior.max()) == 0.0
    # The corner pixel's centre is 0.696 widths away: 2.2 * (0.696 - 0.25) = 0.98 of the range; the corner itself is 1.
    corner = -3.0 * 2.2 * ((2**0.5) * 31.5 / 64 - 0.25)
    torch.testing.assert_close(prior[0, 0, 0, 0], torch.tensor(corner))
    assert torch.equal(prior, prior.flip(2).flip(3))
    assert torch.equal(prior, prior.transpose(2, 3))
    assert (prior[0, 0, 24:40, 24:40] == 0).all()


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


def test_focus_prior_weight_falls_linearly_and_stays() -> None:
    prior = PriorConfig(weight=1.0, final_share=0.2, fall_images=1000)
    at = [focus_prior_weight(images, prior) for images in (0, 250, 1000, 10**9)]
    assert at == pytest.approx([1.0, 0.8, 0.2, 0.2])
    assert [focus_prior_weight(images, PriorConfig(weight=0.0)) for images in (0, 10**6)] == [0.0, 0.0]
    assert focus_prior_weight(0, PriorConfig(weight=1.0, final_share=0.2, fall_images=0)) == pytest.approx(0.2)


@pytest.mark.parametrize("resolution", [16, 33])
def test_contrast_is_one_for_the_prior_linear_and_blind_to_level(resolution: int) -> None:
    D_p = focus_prior(resolution, 1.5, PriorConfig()).double()
    D = torch.randn(3, 1, resolution, resolution, dtype=torch.float64)
    torch.testing.assert_close(focus_contrast(D_p, D_p), torch.ones(1, dtype=torch.float64))
    torch.testing.assert_close(focus_contrast(D + 7.0, D_p), focus_contrast(D, D_p))
    torch.testing.assert_close(focus_contrast(D_p - 2 * D, D_p), 1 - 2 * focus_contrast(D, D_p))  # inverted: negative


@pytest.mark.parametrize("reach", [0.0, 0.1, 0.3])
def test_the_nearest_prior_is_the_one_that_costs_least(reach: float) -> None:
    priors = focus_priors(16, 1.5, PriorConfig(reach=reach)).double()
    D = torch.randn(5, 1, 16, 16, dtype=torch.float64) - 0.5
    costs = torch.stack([focus_prior_loss(D, each[None], 1.5) for each in priors])
    torch.testing.assert_close(focus_prior_loss(D, nearest_prior(D, priors), 1.5), costs.min(dim=0).values)
    torch.testing.assert_close(nearest_prior(priors, priors), priors)
    torch.testing.assert_close(focus_contrast(priors, priors), torch.ones(len(priors), dtype=torch.float64))


def test_priors_lie_about_the_middle_as_far_as_they_reach() -> None:
    config = PriorConfig(reach=0.25)
    priors = focus_priors(64, 3.0, config)
    assert any(torch.equal(each, focus_prior(64, 3.0, config)[0]) for each in priors)
    offset = (torch.arange(64) - 31.5) / 64
    sharp = (priors == 0).float()[:, 0]
    x, y = ((sharp * each).sum(dim=(1, 2)) / sharp.sum(dim=(1, 2)) for each in (offset[None, :], offset[:, None]))
    farthest = torch.hypot(x, y).max().item()
    assert farthest == pytest.approx(0.25, abs=1 / 64)
    for turned in (priors.flip(3), priors.flip(2), priors.transpose(2, 3)):
        torch.testing.assert_close(focus_prior_loss(turned, nearest_prior(turned, priors), 3.0), torch.zeros(29))


def test_a_prior_that_reaches_tells_inside_out_better_than_one_in_the_middle() -> None:
    """Exact truth: half of the scenes have their subject well off the middle."""
    true = torch.stack([torch.from_numpy(scene(5, i, resolution=16).disparity) for i in range(300)])[:, None].float()
    inside_out = true.amin((2, 3), keepdim=True) + true.amax((2, 3), keepdim=True) - true
    right, cost = [], []
    for reach in (0.0, 0.2):
        priors = focus_priors(16, 0.75, PriorConfig(reach=reach))
        of_true, of_other = (focus_prior_loss(D, nearest_prior(D, priors), 0.75) for D in (true, inside_out))
        right.append((of_true < of_other).float().mean().item())
        cost.append(of_true.mean().item())
    assert right[1] > right[0] + 0.02
    assert cost[1] < 0.75 * cost[0]


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


def test_learning_rates_fall_with_the_root_of_the_images() -> None:
    assert learning_rate_share(10**9, OptimizerConfig()) == 1.0
    falling = OptimizerConfig(lr_fall_images=1000)
    assert [learning_rate_share(images, falling) for images in (0, 500, 1000)] == [1.0] * 3
    assert learning_rate_share(4000, falling) == pytest.approx(0.5)


@pytest.mark.parametrize("resolution", [8, 128])
def test_any_prior_that_a_configuration_may_have_has_a_contrast(resolution: int) -> None:
    """The largest radius that is not refused: D_p is still not flat, or contrast would be 0 / 0."""
    corner = (resolution - 1) / resolution / 2**0.5
    D_p = focus_prior(resolution, 1.5, PriorConfig(radius=0.999 * corner))
    assert focus_contrast(D_p, D_p).item() == pytest.approx(1.0)
