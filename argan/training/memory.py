"""How much memory a step takes: counted by a forward pass without numbers (torch's meta device), so in a tenth of a
second. Of the nets only the weights are drawn.

What autograd keeps for the backward pass is counted exactly, in fp32 (bf16 keeps about half). What comes and goes
beside it is not: gradients on their way, the renderer's views, workspaces of convolutions. STEP_MARGIN stands for
them: with it a step of small-32 on the CPU took what is estimated within a factor of 1.5, which
tests/training/test_memory.py holds. On a GPU it has not been measured.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks

from argan.config import Config
from argan.models.camera import Camera, build_camera, build_discriminator
from argan.models.discriminator import Discriminator

STEP_MARGIN = 2.0
OCCLUSION_BYTES = 9  # kept for each pixel of each view: twice how far it lies, once whether anything was met
META = torch.device("meta")


class Memory(NamedTuple):
    """Bytes on a worker's device."""

    state_bytes: int  # weights, gradients, Adam's two moments, the moving average of G
    step_bytes: int  # the most that comes and goes in a step


def worker_memory(config: Config, images: int) -> Memory:
    """What a worker needs that has `images` of each batch."""
    camera = build_camera(config).to(META)
    discriminator = build_discriminator(config).to(META)
    makers, judges = _num_parameters(camera), _num_parameters(discriminator)
    number_bytes = 8 if config.compute.precision == "fp64" else 4
    state_bytes = number_bytes * (5 * makers + 4 * judges)
    kept = _discriminator_step(config, discriminator, images)
    discriminator.requires_grad_(False)  # as it is while G learns
    kept = max(kept, _generator_step(config, camera, discriminator, images))
    return Memory(state_bytes, round(STEP_MARGIN * kept * number_bytes / 4))


def _discriminator_step(config: Config, discriminator: Discriminator, images: int) -> int:
    """Bytes kept for real and fake photos, and R1's gradient, which is itself differentiated."""
    real, fake = (torch.empty(images, 3, config.resolution, config.resolution, device=META) for _ in range(2))

    def forward() -> list[Tensor]:
        logits = discriminator.forward(real.requires_grad_(config.optimizer.r1_gamma > 0))
        if not real.requires_grad:
            return [logits, discriminator.forward(fake)]
        (gradient,) = torch.autograd.grad(logits.sum(), real, create_graph=True)
        return [logits, gradient.square().sum(), discriminator.forward(fake)]

    return _kept_bytes(forward, discriminator)


def _generator_step(config: Config, camera: Camera, discriminator: Discriminator, images: int) -> int:
    """Bytes kept from z to the logit. The renderer itself keeps two pictures; T, where there is one, is a net, and with
    occlusion each view is kept.
    """
    z = torch.empty(images, camera.generator.z_dim, device=META)

    def forward() -> list[Tensor]:
        deep = camera.generator(z)
        outputs = [deep.disparity, discriminator.forward(deep.image)]
        renderer = camera.renderer
        if renderer is not None and renderer.expansion is not None:
            views = renderer.expansion.first.in_channels
            outputs.append(renderer.expansion(deep.disparity.expand(-1, views, -1, -1)))
        return outputs

    kept, renderer = _kept_bytes(forward, camera, discriminator), camera.renderer
    if renderer is not None and renderer.occlusion_steps:
        kept += OCCLUSION_BYTES * (len(renderer.views) + renderer.with_centre) * images * config.resolution**2
    return kept


def _kept_bytes(forward: Callable[[], list[Tensor]], *nets: nn.Module) -> int:
    """Bytes of all tensors that autograd keeps while `forward`'s outputs live, parameters aside."""
    own = {parameter.untyped_storage()._cdata for net in nets for parameter in net.parameters()}
    kept: dict[int, Any] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage._cdata not in own:
            kept[storage._cdata] = storage
        return tensor

    with saved_tensors_hooks(keep, lambda tensor: tensor):
        forward()
    return sum(storage.nbytes() for storage in kept.values())


def _num_parameters(net: nn.Module) -> int:
    return sum(parameter.numel() for parameter in net.parameters())
