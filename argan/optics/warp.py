"""Backward warps along aperture coordinates: field(x + u shift(x, u)), for several views in one call.

Bilinear, clamped to the border, pixel centres at integers. The rows of all views are stacked into one tall picture, so
that a chunk of views is one call of torch's sampler, whose backward pass adds up their gradients in one buffer.

B batch, C channels, V views, H height, W width.
"""

import torch
from torch import Tensor

_BILINEAR, _NEAREST, _BORDER, _ALIGN_CORNERS = 0, 1, 1, True  # aten's own numbers


def view_grid(shift: Tensor, views: Tensor) -> Tensor:
    """Where x + u shift(x, u) lies in the sampler's coordinates, -1 and 1 on the border's pixel centres: [B,V*H,W,2].

    shift is in px per aperture unit, [B,V,H,W], or [B,1,H,W] for all views alike; views are u, [V,2].
    """
    batch, _, height, width = shift.shape
    across = torch.linspace(-1, 1, width, dtype=shift.dtype, device=shift.device)
    down = torch.linspace(-1, 1, height, dtype=shift.dtype, device=shift.device)
    still = torch.stack(torch.meshgrid(across, down, indexing="xy")).unsqueeze(1)
    steps = _steps(views, height, width).t()[:, :, None, None]
    # All x, then all y: long runs to compute on, which the sampler reads as well as it reads pairs.
    planes = shift.new_empty(batch, 2, len(views), height, width)
    # A coordinate that is not a number ends the process in the sampler's backward pass (torch 2.13, CPU).
    torch.addcmul(still, shift.nan_to_num().unsqueeze(1), steps, out=planes)
    return planes.flatten(2, 3).permute(0, 2, 3, 1)


def warp(field: Tensor, grid: Tensor) -> Tensor:
    """field [B,C,H,W] sampled on a grid of views: [B,C,V,H,W]."""
    sampled = torch.grid_sampler(field, grid, _BILINEAR, _BORDER, _ALIGN_CORNERS)
    return sampled.unflatten(2, (-1, field.shape[2]))


def warp_nearest(field: Tensor, grid: Tensor) -> Tensor:
    """The same of each place's nearest pixel, without a gradient."""
    sampled = torch.grid_sampler(field, grid, _NEAREST, _BORDER, _ALIGN_CORNERS)
    return sampled.unflatten(2, (-1, field.shape[2]))


def warp_backward(
    grad_warped: Tensor, field: Tensor, grid: Tensor, views: Tensor, *, need_field: bool
) -> tuple[Tensor | None, Tensor]:
    """Gradients of warp(field, view_grid(shift, views)): in field, if needed, and in each view's shift [B,V,H,W]."""
    grad_field, grad_grid = torch.ops.aten.grid_sampler_2d_backward(
        grad_warped.flatten(2, 3), field, grid, _BILINEAR, _BORDER, _ALIGN_CORNERS, [need_field, True]
    )
    # The dot product of each (x, y) with its view's step, as the real part of a complex product: one pass over pairs.
    steps = torch.view_as_complex(_steps(views, *field.shape[-2:])).conj()[:, None, None]
    along = torch.view_as_complex(grad_grid.unflatten(1, (len(views), -1)))
    return grad_field if need_field else None, (along * steps).real


def _steps(views: Tensor, height: int, width: int) -> Tensor:
    """How far each view moves a sample per px of shift, in the sampler's coordinates, [V,2]."""
    u, v = views.unbind(1)
    return torch.stack([u * (2 / max(width - 1, 1)), v * (2 / max(height - 1, 1))], dim=1)
