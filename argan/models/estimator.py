"""The depth estimator: a small U-Net from one photo to its disparity. It measures generators; it is no part of AR-GAN.

A reconstruction: METHOD's evaluation asks for "a depth estimator". It works on 2x2 cells of pixels folded into channels
(twice as fast on a CPU as convolutions at every pixel) and unfolds its answer. Nothing in it depends on the batch or on
the resolution, so a photo gets the same map in any company.

Shapes: B batch, C channels; H, W any multiples of 8.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from argan.models.layers import init_weights

CELL_PX = 2
STRIDE_PX = 8  # of the deepest level


class Estimator(nn.Module):
    """image [B,3,H,W] in [-1,1] -> disparity [B,1,H,W] in units of `disparity_unit_px`.

    The unit belongs to the training source and travels with the weights; the net itself works on numbers near 1.
    """

    disparity_unit_px: Tensor

    def __init__(self, channels: tuple[int, int, int], random: torch.Generator) -> None:
        super().__init__()
        top, middle, bottom = channels
        self.down = nn.ModuleList((Block(3 * CELL_PX**2, top), Block(top, middle), Block(middle, bottom)))
        self.up = nn.ModuleList((Block(bottom + middle, middle), Block(middle + top, top)))
        self.head = nn.Conv2d(top, CELL_PX**2, kernel_size=1)
        self.register_buffer("disparity_unit_px", torch.ones(()))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                init_weights(module, random)
        with torch.no_grad():  # the pixels of a cell start alike: no checkerboard to unlearn (Aitken et al. 2017)
            self.head.weight.copy_(self.head.weight[:1].expand_as(self.head.weight))

    def forward(self, image: Tensor) -> Tensor:
        if image.shape[-1] % STRIDE_PX or image.shape[-2] % STRIDE_PX:
            raise ValueError(f"height and width must be multiples of {STRIDE_PX}, got {tuple(image.shape[-2:])}")
        top = self.down[0](F.pixel_unshuffle(image, CELL_PX))  # [B,C,H/2,W/2]
        middle = self.down[1](F.avg_pool2d(top, 2))  # [B,C,H/4,W/4]
        bottom = self.down[2](F.avg_pool2d(middle, 2))  # [B,C,H/8,W/8]
        middle = self.up[0](torch.cat((_twice(bottom), middle), dim=1))
        top = self.up[1](torch.cat((_twice(middle), top), dim=1))
        return F.pixel_shuffle(self.head(top), CELL_PX)  # [B,1,H,W]


class Block(nn.Module):
    """(conv 3x3, GroupNorm in groups of 16 channels, SiLU) twice."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        num_groups = max(1, out_channels // 16)
        # No bias before a norm: it would get rounding noise for a gradient.
        self.conv_1 = nn.Conv2d(in_channels, out_channels, kernel_size=3, padding=1, bias=False)
        self.norm_1 = nn.GroupNorm(num_groups, out_channels)
        self.conv_2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False)
        self.norm_2 = nn.GroupNorm(num_groups, out_channels)

    def forward(self, features: Tensor) -> Tensor:
        features = F.silu(self.norm_1(self.conv_1(features)))
        return F.silu(self.norm_2(self.conv_2(features)))


def _twice(features: Tensor) -> Tensor:
    return F.interpolate(features, scale_factor=2.0, mode="nearest")
