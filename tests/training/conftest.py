"""A small AR-GAN to train: batch 12 in shares that need not be even, a size other than the presets'."""

import pytest

from argan.config import Config
from argan.presets import preset
from argan.settings import override


@pytest.fixture
def config() -> Config:
    return preset("debug")


@pytest.fixture
def config_with_expansion(config: Config) -> Config:
    return override(config, {"optics.expansion": True, "dof.distribution": "one"})
