"""Layers that generator and discriminator share. Legend: B batch, C channels, H height, W width.

No layer keeps statistics of the batch: they would couple samples, and so workers.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LEAK = 0.2


def leaky_relu(x: Tensor) -> Tensor:
    return F.leaky_relu(x, LEAK)


def at_least_fp32(x: Tensor) -> Tensor:
    """What leaves a net under autocast goes on in fp32; fp64 stays fp64."""
    return x.float() if x.dtype in (torch.bfloat16, torch.float16) else x


def init_conv(layer: nn.Conv2d | nn.Linear, random: torch.Generator) -> None:
    """He initialisation for a leaky ReLU behind the layer; bias zero."""
    nn.init.kaiming_normal_(layer.weight, a=LEAK, generator=random)
    if layer.bias is not None:
        nn.init.zeros_(layer.bias)


class AdaIN(nn.Module):
    """Adaptive instance normalisation (Huang & Belongie 2017, as in HoloGAN): each map gets its mean and scale from w.

    Written with means over H and W: on the CPU F.instance_norm falls out of channels_last, and torch.var_mean takes
    tens of times as long as two means.
    """

    def __init__(self, channels: int, w_dim: int, random: torch.Generator) -> None:
        super().__init__()
        self.affine = nn.Linear(w_dim, 2 * channels)
        nn.init.normal_(self.affine.weight, std=w_dim**-0.5, generator=random)
        nn.init.zeros_(self.affine.bias)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        """[B,C,H,W], [B,w_dim] -> [B,C,H,W]"""
        scale, shift = self.affine(w)[:, :, None, None].chunk(2, dim=1)  # [B,C,1,1]
        full = at_least_fp32(x)  # bf16 has no digits to spare for a difference of squares
        mean = full.mean((2, 3), keepdim=True)
        variance = (full.square().mean((2, 3), keepdim=True) - mean.square()).clamp(min=0.0)  # rounding may go below 0
        gain = (1.0 + at_least_fp32(scale)) * torch.rsqrt(variance + 1e-5)
        return torch.addcmul(at_least_fp32(shift) - mean * gain, full, gain).to(x.dtype)
