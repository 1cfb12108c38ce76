"""All that training changes, in one place. Everything else in a run is configuration."""

import copy
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam

from argan.config import Config, OptimizerConfig
from argan.models.camera import Camera, build_camera, build_discriminator
from argan.models.discriminator import Discriminator
from argan.prior import focus_priors
from argan.training.gradients import FlatGradients


@dataclass
class TrainState:
    """The two nets, the moving average that is sampled from, the optimisers, and the one clock."""

    config: Config
    camera: Camera
    discriminator: Discriminator
    g_ema: Camera
    generator_optimizer: Adam
    discriminator_optimizer: Adam
    generator_gradients: FlatGradients
    discriminator_gradients: FlatGradients
    priors: Tensor  # D_p about each place that it may lie at, [K,1,H,W]
    images_seen: int = 0

    @property
    def device(self) -> torch.device:
        return self.priors.device

    @property
    def dtype(self) -> torch.dtype:
        return self.generator_gradients.buffer.dtype


def build_state(config: Config, device: torch.device) -> TrainState:
    """A fresh state at image 0: a pure function of `config`."""
    dtype = torch.float64 if config.compute.precision == "fp64" else torch.float32
    layout = torch.channels_last if config.compute.channels_last else torch.contiguous_format
    camera = build_camera(config).to(device, dtype)
    discriminator = build_discriminator(config).to(device, dtype)
    for net in (camera, discriminator):
        net.to(memory_format=layout)  # type: ignore[call-overload]
    g_ema = copy.deepcopy(camera).requires_grad_(False)
    if config.compute.compile:
        camera.generator.compile()
        discriminator.compile()
    optimizer = config.optimizer
    return TrainState(
        config=config,
        camera=camera,
        discriminator=discriminator,
        g_ema=g_ema,
        generator_optimizer=_adam(camera, optimizer.generator_lr, optimizer),
        discriminator_optimizer=_adam(discriminator, optimizer.discriminator_lr, optimizer),
        generator_gradients=FlatGradients(camera.parameters()),
        discriminator_gradients=FlatGradients(discriminator.parameters()),
        priors=focus_priors(config.resolution, config.d_max_px, config.prior).to(device=device, dtype=dtype),
    )


def _adam(net: nn.Module, lr: float, optimizer: OptimizerConfig) -> Adam:
    return Adam(net.parameters(), lr=lr, betas=(optimizer.beta1, optimizer.beta2), fused=True)
