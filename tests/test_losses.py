"""The objectives against their formulas in METHOD.md."""

import torch

from argan.config import PriorConfig
from argan.losses import (
    discriminator_adversarial,
    focus_prior,
    focus_prior_loss,
    generator_adversarial,
    r1_penalty,
)


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
