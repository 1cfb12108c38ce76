"""The center focus prior against its formula in METHOD.md, and what is asked of it."""

import pytest
import torch
import torch.nn.functional as F

from argan.config import Config, PriorConfig
from argan.errors import UserError
from argan.losses import focus_prior_loss
from argan.prior import (
    focus_contrast,
    focus_prior,
    focus_prior_weight,
    focus_priors,
    is_inside_out,
    nearest_prior,
)
from argan.scenes import scene
from argan.settings import override


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


@pytest.mark.parametrize("resolution", [8, 128])
def test_any_prior_that_a_configuration_may_have_has_a_contrast(resolution: int) -> None:
    """The largest radius that is not refused: D_p is still not flat, or contrast would be 0 / 0."""
    corner = (resolution - 1) / resolution / 2**0.5
    D_p = focus_prior(resolution, 1.5, PriorConfig(radius=0.999 * corner))
    assert focus_contrast(D_p, D_p).item() == pytest.approx(1.0)


@pytest.mark.parametrize("changes", [{"prior.radius": 0.7}, {"prior.radius": 0.0, "prior.gain": 46.0}])
def test_a_prior_without_a_middle_or_without_surroundings_is_refused(changes: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"prior\.radius must be between .*, or D_p is flat"):
        override(Config(), changes)
    D_p = focus_prior(32, 1.5, PriorConfig(**{key.removeprefix("prior."): value for key, value in changes.items()}))
    assert len(D_p.unique()) == 1


@pytest.mark.parametrize("reach", [0.0, 0.2])
def test_inside_out_is_asked_of_the_prior_nearest_to_each(reach: float) -> None:
    random = torch.Generator().manual_seed(0)
    D = F.interpolate(torch.randn(300, 1, 4, 4, generator=random), size=16, mode="bilinear") - 0.4
    priors = focus_priors(16, 0.75, PriorConfig(reach=reach))
    exchanged = D.amin((2, 3), keepdim=True) + D.amax((2, 3), keepdim=True) - D
    least = [(each - priors[:, 0]).square().mean((2, 3)).amin(1) for each in (D, exchanged)]
    found = is_inside_out(D, priors)
    assert torch.equal(found, least[1] < least[0])
    assert 50 < int(found.sum()) < 250
