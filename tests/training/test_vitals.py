"""What is told of a generator, number by number, on fakes that are given."""

from typing import Any

import pytest
import torch
from torch import Tensor

from argan.config import Config
from argan.draws import Purpose, draw_dof_scale
from argan.models.camera import Fake
from argan.pixels import laplacian
from argan.presets import preset
from argan.prior import focus_priors, is_inside_out
from argan.training.vitals import SAMPLES, Vitals, far_sharpness, luma, vitals

NUM_REAL = 40
CONFIG: Config = preset("debug")  # 16 px, d_max 0.75 px


def noise(seed: int, num: int, channels: int = 3) -> Tensor:
    return torch.rand(num, channels, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


class Given:
    """A camera and a discriminator of this test's, which say what they were told to."""

    renderer = object()

    class generator:  # noqa: N801
        z_dim = 4

    def __init__(self, deep: Tensor, photo: Tensor, disparity: Tensor) -> None:
        self.deep, self.photo, self.disparity = deep, photo, disparity

    def __call__(self, z: Tensor, dof_scale: Tensor) -> Fake:
        assert len(z) == len(dof_scale) == SAMPLES
        return Fake(self.deep, self.disparity, self.photo, dof_scale)

    @staticmethod
    def forward(images: Tensor) -> Tensor:
        return images.mean((1, 2, 3)).square()


def look(deep: Tensor, photo: Tensor, disparity: Tensor, real: Tensor) -> Vitals:
    given: Any = Given(deep, photo, disparity)
    return vitals(given, given, real, focus_priors(16, CONFIG.d_max_px, CONFIG.prior), CONFIG)


def nearest(images: Tensor) -> float:
    """As it is said: from each to the one most like it."""
    found = []
    for number, image in enumerate(images):
        others = torch.cat([images[:number], images[number + 1 :]])
        found.append(float((others - image).square().mean((1, 2, 3)).sqrt().min()))
    return sum(found) / len(found)


def test_each_number_is_what_its_line_says() -> None:
    """Disparity with many that are like the prior and a few that are its opposite; deep photos unlike the photos."""
    prior = focus_priors(16, CONFIG.d_max_px, CONFIG.prior)
    sign = torch.where(torch.arange(SAMPLES) % 4 == 0, -1.0, 1.0)[:, None, None, None]
    disparity = sign * prior + 0.4 * noise(3, SAMPLES, 1)
    deep, photo, real = 0.3 * noise(0, SAMPLES), noise(1, SAMPLES), 0.7 * noise(2, NUM_REAL)
    found = look(deep, photo, disparity, real)

    scores = [Given.forward(images) for images in (real, photo)]
    assert found.margin == pytest.approx(float(scores[0].mean() - scores[1].mean()))
    assert found.diversity == pytest.approx(nearest(deep[:NUM_REAL]) / nearest(real), rel=1e-5)
    rms = [laplacian(luma(images)).square().mean().sqrt() for images in (deep, real)]
    assert found.sharpness == pytest.approx(float(rms[0] / rms[1]), rel=1e-5)
    assert found.far_sharpness == far_sharpness(deep, disparity)
    assert found.spread == pytest.approx(float(disparity.std((1, 2, 3)).mean()) / CONFIG.d_max_px)
    correlations = sorted(float(torch.corrcoef(torch.stack([D.flatten(), prior.flatten()]))[0, 1]) for D in disparity)
    middle = correlations[SAMPLES // 2 - 1 : SAMPLES // 2 + 1]
    assert middle[0] - 1e-6 <= found.prior_correlation <= middle[1] + 1e-6
    assert abs(sum(correlations) / SAMPLES - found.prior_correlation) > 0.1  # a mean it is not
    assert found.inverted == pytest.approx(float(is_inside_out(disparity, prior).double().mean()))
    assert 0.1 < found.inverted < 0.3


def test_photos_are_taken_at_apertures_that_training_draws() -> None:
    given: Any = Given(*(noise(seed, SAMPLES, channels) for seed, channels in ((0, 3), (1, 3), (2, 1))))
    asked: list[Tensor] = []

    class Listening(Given):
        def __call__(self, z: Tensor, dof_scale: Tensor) -> Fake:
            asked.append(dof_scale)
            return super().__call__(z, dof_scale)

    listening: Any = Listening(given.deep, given.photo, given.disparity)
    for _ in range(2):
        vitals(listening, given, noise(4, 9), focus_priors(16, CONFIG.d_max_px, CONFIG.prior), CONFIG)
    drawn = draw_dof_scale(CONFIG.seed, Purpose.DOF_SAMPLE, 0, num=SAMPLES, dof=CONFIG.dof)
    assert torch.equal(asked[0], drawn)
    assert torch.equal(asked[1], drawn)


def test_sharpness_far_from_focus_is_a_geometric_mean_over_photos() -> None:
    """Of one that is twice as sharp there, and one that is a ninth as sharp."""
    far = torch.zeros(2, 1, 16, 16)
    far[..., 8:] = -1.0
    texture = noise(0, 1)
    texture = torch.cat([texture[..., :8], texture[..., :8]], dim=3).expand(2, -1, -1, -1)
    alike = [far_sharpness(texture[:1], far[:1]), far_sharpness(texture, far)]
    assert alike[0] == pytest.approx(alike[1])
    as_sharp = torch.tensor([2.0, 1 / 9])[:, None, None, None]
    found = far_sharpness(torch.where(far < 0, as_sharp * texture, texture), far)
    assert found == pytest.approx(alike[0] * (2 / 9) ** 0.5, rel=1e-4)
