"""The photo with occlusion: in every view, what lies in front hides what lies behind (METHOD: Aperture renderer R, a
limit and its cure; reconstruction).

The point p shows in view u at x = p - u s D(p). So x shows the p = x + u s d at which D(p) = d, the nearest where there
are several: found by marching from the nearest disparity of the picture to the farthest. R itself takes D near x for
that d, so an in-focus pixel never sees what is blurred before it. A line that passes behind something in front meets
what the pinhole has never seen: there R's own guess stands.

To learn by: d moves with the disparity of the point that is seen there, while the point itself is held. Exact where D
is level; on a slope the gradient has a factor 1 / (1 - u s dD/dp) more, which has no bound at an outline.

B batch, C channels, V views, H height, W width.
"""

from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

from argan.optics.aperture import EDGE
from argan.optics.light_field import CHUNK_VIEWS
from argan.optics.warp import view_grid, warp, warp_backward, warp_nearest

EDGE_BLUR_PX = 0.5
"""A pixel beside which disparity jumps so far that its blur's radius differs by more is at an outline."""

MOST_STEPS_UP = 0.5
"""A surface that rises by more steps than this from one try to the next is an outline, and the line is behind it."""

BEYOND = 1e-5
"""Disparities are tried to so far behind the farthest, as a share: else rounding decides whether a level ground there
is met at all."""


class Warp(Function):
    """apply(field [B,C,H,W], shift [B,V,H,W], views [V,2]): field(x + u shift(x, u)), [B,C,V,H,W]."""

    @staticmethod
    def forward(ctx: Any, field: Tensor, shift: Tensor, views: Tensor) -> Tensor:
        ctx.save_for_backward(field, shift, views)
        return warp(field, view_grid(shift, views))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        field, shift, views = ctx.saved_tensors
        grid, need_field = view_grid(shift, views), ctx.needs_input_grad[0]
        return *warp_backward(gradient.contiguous(), field, grid, views, need_field=need_field), None


def occluded_photo(image: Tensor, disparity: Tensor, dof_scale: Tensor, views: Tensor, steps: int) -> Tensor:
    """The mean over `views` [V,2] in aperture units: image [B,C,H,W], disparity [B,1,H,W] in px per aperture unit,
    dof_scale [B] in [0, 1] -> photo [B,C,H,W]. `steps` disparities are tried between the nearest and the farthest. NaN
    where D is not finite.
    """
    total = torch.zeros_like(image) + 0 * disparity
    scale = dof_scale.view(-1, 1, 1, 1)
    for some in views.split(CHUNK_VIEWS):
        with torch.no_grad():
            first = first_seen(disparity, dof_scale, some, steps)
        near_it = Warp.apply(disparity, scale * first.disparity, some)[:, 0]
        seen = torch.where(first.is_found, first.disparity + near_it - near_it.detach(), near_it)
        total = total + Warp.apply(image, scale * seen, some).sum(2)
    return total / len(views)


class FirstSeen(NamedTuple):
    """What each pixel of each view shows, [B,V,H,W]."""

    disparity: Tensor  # of it; D of the pixel itself where the line meets nothing
    is_found: Tensor


def first_seen(disparity: Tensor, dof_scale: Tensor, views: Tensor, steps: int) -> FirstSeen:
    """For the views [V,2]. A surface is bilinear between pixels, but ends halfway between them at an outline."""
    near, far = disparity.amax((1, 2, 3), keepdim=True), disparity.amin((1, 2, 3), keepdim=True)
    far = far - BEYOND * torch.maximum(near.abs(), far.abs())
    scale, most_up = dof_scale.view(-1, 1, 1, 1), MOST_STEPS_UP * (near - far) / steps
    jump = F.max_pool2d(disparity, 3, 1, 1) + F.max_pool2d(-disparity, 3, 1, 1)
    at_outline = (EDGE * scale * jump > EDGE_BLUR_PX).to(disparity.dtype)
    found = disparity.expand(-1, len(views), -1, -1)
    is_found = torch.zeros_like(found, dtype=torch.bool)
    before, depth_before = None, near
    for step in range(steps + 1):
        tried = near + (far - near) * (step / steps)
        grid = view_grid((scale * tried).expand_as(disparity), views)
        flat, is_flat = warp_nearest(torch.cat([disparity, at_outline], dim=1), grid).unbind(1)
        surface = torch.where(is_flat > 0, flat, warp(disparity, grid)[:, 0])
        above = surface - tried  # at least 0 where the line has met the surface
        is_surface = torch.ones_like(is_found)
        if before is None:
            crossing = tried.expand_as(above)
        else:
            rise = above - before - (near - far) / steps  # what is tried came down a step
            is_surface = (before < 0) & (rise <= most_up)
            part = before / (before - above).clamp(max=-torch.finfo(disparity.dtype).tiny)
            crossing = depth_before + part.clamp(0, 1) * (tried - depth_before)
        hit = (above >= 0) & is_surface & ~is_found
        found = torch.where(hit, crossing, found)
        is_found = is_found | hit
        before, depth_before = above, tried
    return FirstSeen(found, is_found)
