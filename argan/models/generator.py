"""The generator G: z -> (I_d, D), a 2-D HoloGAN with heads for image and disparity (METHOD: Networks; reconstruction).

A learned constant, moved by z, grows by [upsample, conv, noise, AdaIN, leaky ReLU] per stage. Every stage adds its part
of image and disparity to what the coarser ones have drawn (output skips, as in StyleGAN2). Features are upsampled by
nearest neighbour before a convolution: transposed ones print a checkerboard into the depth. What is more than METHOD
asks for, and why, stands in docs/decisions/networks.md.

z is all that a sample depends on: a style of `style_dim` numbers, then one number a pixel of every stage, its noise.
"""

import itertools
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from argan.models.layers import AdaIN, at_least_fp32, init_weights, leaky_relu

FIRST_PX = 4  # height and width of the first stage
FIRST_NOISE_STRENGTH = 0.1  # of features that AdaIN brings to 1 afterwards


class Deep(NamedTuple):
    """What the generator makes: everything in focus, and how far each pixel is from the focal plane."""

    image: Tensor  # I_d, [B,3,H,W] in [-1, 1]
    disparity: Tensor  # D, [B,1,H,W] in (-d_max, front_share d_max), px per aperture unit


def window_sums() -> Tensor:
    """[9,16]: 3x3 taps to their sums over 2x2 windows, a 4x4 kernel, turned by 180 degrees for a transposed
    convolution.
    """
    taps = torch.eye(9).view(9, 1, 3, 3)
    return F.avg_pool2d(taps, 2, stride=1, padding=1, divisor_override=1).view(9, 16).flip(1)


def upsample_conv(x: Tensor, weight: Tensor, sums: Tensor) -> Tensor:
    """Nearest-neighbour upsampling x2, then a 3x3 convolution: in one, at 4 taps a pixel instead of 9.

    Of the 3x3 pixels that the convolution reads after upsampling, several are copies of one: their weights can be added
    first. That makes it a transposed convolution whose 4x4 kernel is the 3x3 one summed over 2x2 windows (as StyleGAN's
    fused scale). Two to five times as fast on two CPU cores (docs/decisions/networks.md). [B,I,H,W], [O,I,3,3],
    window_sums() -> [B,O,2H,2W]
    """
    kernel = (weight.flatten(2) @ sums).unflatten(2, (4, 4))
    return F.conv_transpose2d(x, kernel.transpose(0, 1), stride=2, padding=1)


class Stage(nn.Module):
    """[upsample x2,] conv 3x3 without bias (AdaIN takes the mean away), noise, AdaIN, leaky ReLU.

    Each feature map takes as much of the one map of noise as it has learned to (as in StyleGAN, Karras et al. 2019).
    """

    sums: Tensor

    def __init__(self, inputs: int, outputs: int, w_dim: int, random: torch.Generator, *, upsample: bool) -> None:
        super().__init__()
        self.upsample = upsample
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        init_weights(self.conv, random)
        self.noise_strength = nn.Parameter(torch.full((1, outputs, 1, 1), FIRST_NOISE_STRENGTH))
        self.adain = AdaIN(outputs, w_dim, random)
        self.register_buffer("sums", window_sums(), persistent=False)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """[B,I,h,w], [B,w_dim], [B,1,H,W] -> [B,O,H,W]"""
        x = upsample_conv(x, self.conv.weight, self.sums) if self.upsample else self.conv(x)
        x = torch.addcmul(x, self.noise_strength.to(x.dtype), noise.to(x.dtype))
        return leaky_relu(self.adain(x, w))


def aperture_range(x: Tensor, d_max_px: float, front_share: float) -> Tensor:
    """Any number to a disparity in (-d_max, front_share d_max), with slope d_max at 0 (METHOD: D = d_max tanh(.), which
    is front_share = 1).

    R cannot tell front from back, and where D jumps from one to the other it keeps their colours apart however blurred
    both are. A generator that may put half of a picture in front draws outlines that way, not by depth (docs/LOG.md).
    """
    return d_max_px * torch.where(x < 0, torch.tanh(x), front_share * torch.tanh(x / front_share))


class Generator(nn.Module):
    """z [B,z_dim] -> Deep. The number of entries in `channels` sets the resolution: 4 px, doubled by every further one.

    With `has_disparity=False` it is the standard GAN's generator: no disparity head, and D is zero.
    """

    def __init__(
        self,
        channels: tuple[int, ...],
        *,
        style_dim: int,
        w_dim: int,
        mapping_layers: int,
        d_max_px: float,
        front_share: float,
        random: torch.Generator,
        has_disparity: bool = True,
    ) -> None:
        super().__init__()
        self.d_max_px = d_max_px
        self.front_share = front_share
        self.sizes_px = [FIRST_PX << stage for stage in range(len(channels))]
        self.z_parts = [style_dim, *(size * size for size in self.sizes_px)]
        self.z_dim = sum(self.z_parts)
        widths = [style_dim] + [w_dim] * mapping_layers
        mapping = [nn.Linear(a, b) for a, b in itertools.pairwise(widths)]
        for layer in mapping:
            init_weights(layer, random)
        self.mapping = nn.ModuleList(mapping)
        self.constant = nn.Parameter(torch.randn(1, channels[0], FIRST_PX, FIRST_PX, generator=random))
        # z may move each place of the constant: AdaIN alone can only mix the maps that there are.
        self.layout = nn.Linear(style_dim, channels[0] * FIRST_PX**2, bias=False)
        nn.init.normal_(self.layout.weight, std=0.5 * style_dim**-0.5, generator=random)
        inputs = (channels[0], *channels[:-1])
        self.stages = nn.ModuleList(
            Stage(a, b, w_dim, random, upsample=i > 0) for i, (a, b) in enumerate(zip(inputs, channels, strict=True))
        )
        outputs = 4 if has_disparity else 3  # red, green, blue, disparity
        heads = [nn.Conv2d(width, outputs, 1) for width in channels[:-1]]
        heads.append(nn.Conv2d(channels[-1], outputs, 3, padding=1))
        for head in heads:
            # Not zero: at D = 0 a symmetric aperture gives D no gradient at all (METHOD: Consequences). |D| starts at
            # .1 to .8 d_max in the mean, and by chance, for all samples alike, nearer or farther.
            nn.init.normal_(head.weight, std=(head.weight[0].numel() * len(heads)) ** -0.5, generator=random)
            nn.init.zeros_(head.bias)  # type: ignore[arg-type]
        self.heads = nn.ModuleList(heads)

    def forward(self, z: Tensor) -> Deep:
        style, *noises = z.split(self.z_parts, dim=1)
        w = style
        for layer in self.mapping:
            w = leaky_relu(layer(w))
        x = self.constant + self.layout(style).view(-1, *self.constant.shape[1:])
        drawn = None  # [B,3 or 4,h,w], before tanh
        for stage, head, noise, size in zip(self.stages, self.heads, noises, self.sizes_px, strict=True):
            x = stage(x, w, noise.view(-1, 1, size, size))
            part = at_least_fp32(head(x))
            drawn = part if drawn is None else part + F.interpolate(drawn, scale_factor=2.0, mode="bilinear")
        assert drawn is not None  # there is a stage
        image = torch.tanh(drawn[:, :3])
        if drawn.shape[1] == 3:
            return Deep(image, torch.zeros_like(image[:, :1]))
        return Deep(image, aperture_range(drawn[:, 3:], self.d_max_px, self.front_share))
