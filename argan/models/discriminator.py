"""The discriminator C: photo -> one logit (METHOD: Networks). Convolutions 5x5 with stride 2, no batch statistics."""

import itertools

import torch
from torch import Tensor, nn

from argan.models.layers import at_least_fp32, init_conv, leaky_relu


class Discriminator(nn.Module):
    """[B,3,H,W] in [-1, 1] -> logits [B]. Each entry in `channels` is a stage that halves the picture."""

    def __init__(self, channels: tuple[int, ...], *, resolution: int, random: torch.Generator) -> None:
        super().__init__()
        widths = (3, *channels)
        self.stages = nn.ModuleList(nn.Conv2d(a, b, 5, stride=2, padding=2) for a, b in itertools.pairwise(widths))
        last_px = resolution >> len(channels)
        self.head = nn.Linear(channels[-1] * last_px * last_px, 1)
        for layer in (*self.stages, self.head):
            init_conv(layer, random)

    def forward(self, image: Tensor) -> Tensor:
        x = image
        for stage in self.stages:
            x = leaky_relu(stage(x))
        return at_least_fp32(self.head(x.flatten(1))).squeeze(1)
