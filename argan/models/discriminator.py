"""The discriminator C: photo -> one logit (METHOD: Networks; reconstruction). Residual, no batch statistics."""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from argan.models.layers import at_least_fp32, init_weights, leaky_relu


class Stage(nn.Module):
    """Two 3x3 convolutions, the second halving the picture, beside a 1x1 one on means of 2x2 pixels; their sum over
    sqrt(2) keeps the variance (as in StyleGAN2, Karras et al. 2020).
    """

    def __init__(self, inputs: int, outputs: int, random: torch.Generator) -> None:
        super().__init__()
        self.first = nn.Conv2d(inputs, inputs, 3, padding=1)
        self.halving = nn.Conv2d(inputs, outputs, 3, stride=2, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1, bias=False)
        for layer in (self.first, self.halving, self.shortcut):
            init_weights(layer, random)

    def forward(self, x: Tensor) -> Tensor:
        """[B,inputs,H,W] -> [B,outputs,H/2,W/2]"""
        main = leaky_relu(self.halving(leaky_relu(self.first(x))))
        return (main + self.shortcut(F.avg_pool2d(x, 2))) / math.sqrt(2)


class Discriminator(nn.Module):
    """[B,3,H,W] in [-1, 1] -> logits [B]. `channels`: features at full size, then after each halving."""

    def __init__(self, channels: tuple[int, ...], *, resolution: int, random: torch.Generator) -> None:
        super().__init__()
        self.from_photo = nn.Conv2d(3, channels[0], 3, padding=1)
        self.stages = nn.ModuleList(Stage(a, b, random) for a, b in itertools.pairwise(channels))
        last_px = resolution >> len(self.stages)
        self.head = nn.Linear(channels[-1] * last_px * last_px, 1)
        for layer in (self.from_photo, self.head):
            init_weights(layer, random)

    def forward(self, image: Tensor) -> Tensor:
        x = leaky_relu(self.from_photo(image))
        for stage in self.stages:
            x = stage(x)
        return at_least_fp32(self.head(x.flatten(1))).squeeze(1)
