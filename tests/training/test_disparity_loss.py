"""What guides disparity beside C, with everything turned on, is the sum of its three terms as they are written."""

import pytest
import torch
from torch import Tensor

from argan.config import Config
from argan.draws import Purpose
from argan.presets import preset
from argan.settings import override
from argan.training.metrics import TickMetrics
from argan.training.state import build_state
from argan.training.step import Share, disparity_loss, make_fakes

ALL_ON = {
    "prior.reach": 0.2,
    "prior.edge_freedom": 4.0,
    "prior.contrast_weight": 0.7,
    "prior.contrast_margin": 0.9,
    "prior.variation_weight": 0.3,
    "dof.distribution": "one",  # deep photo and photo are not alike
    "compute.precision": "fp64",
}


@pytest.fixture
def config() -> Config:
    return override(preset("debug"), ALL_ON)


def test_the_sum_of_its_terms(config: Config) -> None:
    state = build_state(config, torch.device("cpu"))
    batch_images, d_max_px, prior = config.data.batch_images, config.d_max_px, config.prior
    share, metrics = Share(0, batch_images, batch_images), TickMetrics()
    fake = make_fakes(state, share, Purpose.Z_GENERATOR, Purpose.DOF_GENERATOR)
    fake = fake._replace(disparity=10 * fake.disparity)  # untrained, all are near 0, and near one prior
    D = fake.disparity

    costs = torch.stack([((D - each) / d_max_px).square().mean((1, 2, 3)) for each in state.priors])
    which = costs.argmin(0)
    assert len(which.unique()) > 1
    template = state.priors[which] - state.priors[which].mean((1, 2, 3), keepdim=True)
    contrast = (D * template).mean((1, 2, 3)) / template.square().mean((1, 2, 3))

    def steps(dim: int) -> Tensor:
        edges = fake.deep.diff(dim=dim).abs().mean(1, keepdim=True)
        return (D.diff(dim=dim).abs() * torch.exp(-4.0 * edges)).mean((1, 2, 3))

    variation = config.resolution * (steps(2) + steps(3)) / d_max_px
    expected = (prior.weight * costs.amin(0) + 0.7 * torch.relu(0.9 - contrast).square() + 0.3 * variation).sum()
    torch.testing.assert_close(disparity_loss(state, fake, share, metrics), expected)
