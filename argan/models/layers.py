"""Layers that generator and discriminator share. Legend: B batch, C channels, H height, W width.

No layer keeps statistics of the batch: they would couple samples, and so workers.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable

LEAK = 0.2


def leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, LEAK)


def at_least_fp32(x: Tensor) -> Tensor:
    """What leaves a net under autocast goes on in fp32; fp64 stays fp64."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def init_weights(layer: nn.Conv2d | nn.Linear, random: torch.Generator) -> None:
    """He initialisation for a leaky ReLU behind the layer; bias zero."""
    nn.init.kaiming_normal_(layer.weight, a=LEAK, generator=random)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class _InstanceNorm(torch.autograd.Function):
    """(x - mean) / std * scale + shift over H and W, its gradient by hand.

    What autograd records for the same formula passes over x about three times as often; F.instance_norm falls out of
    channels_last on the CPU, and torch.var_mean takes tens of times as long as two means (docs/decisions/networks.md).
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        mean = x.mean((2, 3), keepdim=True)
        power = torch.linalg.vector_norm(x, dim=(2, 3), keepdim=True).square() / x[0, 0].numel()
        inverse_std = torch.rsqrt((power - mean.square()).clamp(min=0.0) + 1e-5)  # rounding may go below 0
        ctx.save_for_backward(x, scale, mean, inverse_std)
        gain = scale * inverse_std
        return torch.addcmul(shift - mean * gain, x, gain)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """With n = (x - mean) / std: gain (g - mean(g) - n mean(g n)) to x, sum(g n) to scale, sum(g) to shift."""
        x, scale, mean, inverse_std = ctx.saved_tensors
        along_shift = gradient.mean((2, 3), keepdim=True)
        along_scale = ((gradient * x).mean((2, 3), keepdim=True) - along_shift * mean) * inverse_std
        gain = scale * inverse_std
        slope = -gain * inverse_std * along_scale
        to_x = torch.addcmul(-gain * along_shift - slope * mean, x, slope).addcmul_(gradient, gain)
        pixels = x[0, 0].numel()
        return to_x, pixels * along_scale, pixels * along_shift


class AdaIN(nn.Module):
    """Adaptive instance normalisation (Huang & Belongie 2017, as in HoloGAN): w sets the mean and scale of each map."""

    def __init__(self, channels: int, w_dim: int, random: torch.Generator) -> None:
        super().__init__()
        self.affine = nn.Linear(w_dim, 2 * channels)
        nn.init.normal_(self.affine.weight, std=w_dim**-0.5, generator=random)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """[B,C,H,W], [B,w_dim] -> [B,C,H,W]"""
        scale, shift = at_least_fp32(self.affine(w))[:, :, None, None].chunk(2, dim=1)  # [B,C,1,1]
        full = at_least_fp32(x)  # bf16 has no digits to spare for a difference of squares
        return _InstanceNorm.apply(full, 1.0 + scale, shift).to(x.dtype)
