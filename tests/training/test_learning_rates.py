"""Learning rates follow the images seen."""

import pytest

from argan.config import OptimizerConfig
from argan.training.learning_rates import learning_rate_share


def test_learning_rates_fall_with_the_root_of_the_images() -> None:
    assert learning_rate_share(10**9, OptimizerConfig()) == 1.0
    falling = OptimizerConfig(lr_fall_images=1000)
    assert [learning_rate_share(images, falling) for images in (0, 500, 1000)] == [1.0] * 3
    assert learning_rate_share(4000, falling) == pytest.approx(0.5)
