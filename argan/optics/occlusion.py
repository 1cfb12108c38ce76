"""The photo with occlusion: in every view, what lies in front hides what lies behind (METHOD: Aperture renderer R, a
limit and its cure; reconstruction).

The point p shows in view u at x = p - u s D(p). So x shows the p = x + u s d at which D(p) = d, the nearest where there
are several: found by marching from the nearest disparity of the picture to the farthest. R itself takes D near x for
that d, so an in-focus pixel never sees what is blurred before it. A line that passes behind something in front meets
what the pinhole has never seen: there R's own guess stands. Not differentiable; for photos of what is known.

B batch, C channels, V views, H height, W width.
"""

import torch
from torch import Tensor

from argan.optics.aperture import ApertureShape, aperture_views
from argan.optics.warp import view_grid, warp

STEPS = 32
"""Disparities tried between the nearest and the farthest."""

MOST_STEPS_UP = 3.0
"""A surface that rises by more steps than this from one try to the next is an edge, and the line is behind it."""


@torch.no_grad()
def render_with_occlusion(
    image: Tensor,
    disparity: Tensor,
    dof_scale: Tensor,
    *,
    views_per_side: int,
    shape: ApertureShape = "disk",
    steps: int = STEPS,
) -> Tensor:
    """image [B,C,H,W], disparity [B,1,H,W] in px per aperture unit, dof_scale [B] in [0, 1] -> photo [B,C,H,W]."""
    total = torch.zeros_like(image)
    views = aperture_views(views_per_side, shape).to(image)
    scale = dof_scale.view(-1, 1, 1, 1)
    for view in views.split(1):
        seen = scale * first_seen(disparity, dof_scale, view, steps)
        total += warp(image, view_grid(seen, view))[:, :, 0]
    return total / len(views)


def first_seen(disparity: Tensor, dof_scale: Tensor, view: Tensor, steps: int) -> Tensor:
    """The disparity of what each pixel of the view [1,2] shows, [B,1,H,W]."""
    near, far = disparity.amax((1, 2, 3), keepdim=True), disparity.amin((1, 2, 3), keepdim=True)
    scale, most_up = dof_scale.view(-1, 1, 1, 1), MOST_STEPS_UP * (near - far) / steps
    found = warp(disparity, view_grid(scale * disparity, view))[:, :, 0]
    is_found = torch.zeros_like(disparity, dtype=torch.bool)
    before, depth_before = None, near
    for step in range(steps + 1):
        tried = near + (far - near) * (step / steps)
        surface = warp(disparity, view_grid((scale * tried).expand_as(disparity), view))[:, :, 0]
        above = surface - tried  # at least 0 where the line has met the surface
        is_surface = torch.ones_like(is_found)
        if before is None:
            crossing = tried.expand_as(disparity)
        else:
            is_surface = (before < 0) & (above - before <= most_up)
            part = before / (before - above).clamp(max=-torch.finfo(disparity.dtype).tiny)
            crossing = depth_before + part.clamp(0, 1) * (tried - depth_before)
        hit = (above >= 0) & is_surface & ~is_found
        found = torch.where(hit, crossing, found)
        is_found |= hit
        before, depth_before = above, tried
    return found
