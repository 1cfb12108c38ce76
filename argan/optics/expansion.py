"""The depth expansion network T (METHOD: Aperture renderer R)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DepthExpansion(nn.Module):
    """T: view-wise disparity E [B,V,H,W], views as channels, to its residual T(E) [B,V,H,W], in px per aperture unit.

    (conv 3x3 without bias, ELU, InstanceNorm) twice, then conv 3x3 from zero: T starts as 0 and disparity as it is.
    `generator` draws the first two layers' weights; torch's global one where there is none.
    """

    def __init__(self, num_views: int, *, generator: torch.Generator | None = None) -> None:
        super().__init__()
        self.first = nn.Conv2d(num_views, num_views, 3, padding=1, bias=False)
        self.second = nn.Conv2d(num_views, num_views, 3, padding=1, bias=False)
        self.last = nn.Conv2d(num_views, num_views, 3, padding=1)
        for layer in (self.first, self.second):
            nn.init.kaiming_normal_(layer.weight, generator=generator)
        nn.init.zeros_(self.last.weight)
        nn.init.zeros_(self.last.bias)  # type: ignore[arg-type]

    def forward(self, view_disparity: Tensor) -> Tensor:
        x = _instance_norm(F.elu(self.first(view_disparity)))
        x = _instance_norm(F.elu(self.second(x)))
        return self.last(x)


def _instance_norm(x: Tensor) -> Tensor:
    """Each channel of each sample to mean 0, variance 1. As means: F.instance_norm falls out of channels_last."""
    x = x - x.mean((2, 3), keepdim=True)
    return x * torch.rsqrt(x.square().mean((2, 3), keepdim=True) + 1e-5)
