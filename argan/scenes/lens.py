"""The lens of the scenes: a stack of planes seen through every point of a disk aperture, in linear light.

Each layer is a plane with slanted disparity d(p) = a + b.p. METHOD "Units": p shows in view u at x = p - u s d(p), so
the point seen at x is p = x + u s (a + b.x) / (1 - s b.u), exactly. Views are composited front to back, so what lies in
front hides what lies behind, and are averaged before the sRGB curve, as light is.

Lengths here are in picture widths (x, y from the centre, y down), disparities in widths per aperture unit, so a stack
of planes is the same at any resolution.
"""

from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray

APERTURE_RADIUS = 2.0
D_MAX = 3.0 / 64.0  # the aperture range, widths per aperture unit (METHOD: 3 px at 64 px)
VIEW_SPACING_PX = 1.2  # neighbouring views of the most blurred layer; wider apart one sees ghosts
LEAST_VIEWS = 7
SAMPLES_AT_A_TIME = 1 << 18  # of a layer, so that they stay in the cache, at any resolution

Floats = NDArray[np.float32]


class Plane(NamedTuple):
    """Disparity a + b_x x + b_y y, in widths per aperture unit."""

    a: float
    b_x: float = 0.0
    b_y: float = 0.0


class Layer(NamedTuple):
    """A thin textured plane; outside of its texture it goes on as its border does."""

    texture: Floats  # [4,h,w]: linear RGB times alpha, and alpha; one texel a pixel
    row: int  # the picture's row and column of the first texel; negative in the margin
    column: int
    plane: Plane
    is_subject: bool = False


class DeepView(NamedTuple):
    """What the pinhole at the centre of the aperture sees."""

    light: Floats  # [3,H,W] linear
    disparity: Floats  # [H,W] px per aperture unit
    subject: NDArray[np.bool_]  # [H,W]


def pixel_centres(resolution: int) -> Floats:
    return ((np.arange(resolution) + 0.5) / resolution - 0.5).astype(np.float32)


def to_srgb(light: Floats) -> NDArray[np.uint8]:
    """Linear light [3,H,W] to sRGB uint8 [H,W,3], by the piecewise curve (IEC 61966-2-1)."""
    light = np.clip(light, 0.0, 1.0)
    coded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * np.maximum(light, 1e-6) ** (1 / 2.4) - 0.055)
    return np.ascontiguousarray(np.rint(255.0 * coded).astype(np.uint8).transpose(1, 2, 0))


def aperture_points(num_views: int) -> Floats:
    """Points [V,2] spread evenly over the disk of radius 2 (a sunflower's spiral), their mean at its centre."""
    index = np.arange(num_views)
    radius = APERTURE_RADIUS * np.sqrt((index + 0.5) / num_views)
    angle = index * np.pi * (3.0 - np.sqrt(5.0))
    points = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return (points - points.mean(axis=0)).astype(np.float32)


def deep_view(layers: list[Layer], resolution: int) -> DeepView:
    """The pinhole's picture and truth. Layers come front first.

    A pixel's disparity is that of the layer at which the opacity, gathered from the front, passes one half.
    """
    light = np.zeros((3, resolution, resolution), np.float32)
    through = np.ones((resolution, resolution), np.float32)
    disparity = np.zeros((resolution, resolution), np.float32)
    subject = np.zeros((resolution, resolution), bool)
    centres = pixel_centres(resolution)
    for layer in layers:
        _, h, w = layer.texture.shape
        top, left = max(layer.row, 0), max(layer.column, 0)
        bottom, right = min(layer.row + h, resolution), min(layer.column + w, resolution)
        if top >= bottom or left >= right:
            continue
        here = np.s_[top:bottom, left:right]
        seen = layer.texture[:, top - layer.row : bottom - layer.row, left - layer.column : right - layer.column]
        before = through[here]
        after = before * (1.0 - seen[3])
        light[:, top:bottom, left:right] += before * seen[:3]
        a, b_x, b_y = layer.plane
        depth = resolution * (a + b_x * centres[None, left:right] + b_y * centres[top:bottom, None])
        passes = (before >= 0.5) & (after < 0.5)
        disparity[here] = np.where(passes, depth, disparity[here])
        subject[here] = np.where(passes, layer.is_subject, subject[here])
        through[here] = after
    return DeepView(light, disparity.astype(np.float32), subject)


def photograph(layers: list[Layer], dof_scale: float, resolution: int, deep: DeepView) -> Floats:
    """The thin lens's picture, linear light [3,H,W]: the mean over as many views as the largest blur in sight needs.

    `deep` is the pinhole's view of the same layers; with dof_scale 0 it is the picture.
    """
    if dof_scale == 0.0:
        return deep.light
    blur_radius_px = APERTURE_RADIUS * dof_scale * float(np.abs(deep.disparity).max())
    num_views = max(LEAST_VIEWS, int(np.ceil(np.pi * (blur_radius_px / VIEW_SPACING_PX) ** 2)))
    total = np.zeros((3, resolution, resolution), np.float32)
    at_a_time = max(1, SAMPLES_AT_A_TIME // resolution**2)
    for some in torch.from_numpy(aperture_points(num_views)).split(at_a_time):
        total += views(layers, some, dof_scale, resolution).numpy().sum(axis=1)
    return total / np.float32(num_views)


def views(layers: list[Layer], points: torch.Tensor, dof_scale: float, resolution: int) -> torch.Tensor:
    """Linear light [3,V,H,W] seen from the aperture points [V,2]."""
    light = torch.zeros(3, len(points), resolution, resolution)
    through = torch.ones(len(points), resolution, resolution)
    for layer in layers:
        window = _reach(layer, dof_scale, resolution)
        if window is not None:
            rows, columns = window
            seen = _resample(layer, rows, columns, points, dof_scale, resolution)
            before = through[:, rows, columns]
            light[:, :, rows, columns].addcmul_(seen[:3], before)
            before.addcmul_(before, seen[3], value=-1.0)
    return light


def _reach(layer: Layer, dof_scale: float, resolution: int) -> tuple[slice, slice] | None:
    """The rows and columns of the picture that the layer's texture can reach in any view."""
    a, b_x, b_y = layer.plane
    _, h, w = layer.texture.shape
    corners = [
        abs(a * resolution + b_x * (column - resolution / 2) + b_y * (row - resolution / 2))
        for row in (layer.row, layer.row + h)
        for column in (layer.column, layer.column + w)
    ]
    reach = int(np.ceil(APERTURE_RADIUS * dof_scale * max(corners))) + 1
    top, left = max(layer.row - reach, 0), max(layer.column - reach, 0)
    bottom, right = min(layer.row + h + reach, resolution), min(layer.column + w + reach, resolution)
    return (slice(top, bottom), slice(left, right)) if top < bottom and left < right else None


def _resample(
    layer: Layer, rows: slice, columns: slice, points: torch.Tensor, dof_scale: float, resolution: int
) -> torch.Tensor:
    """The layer [4,V,h,w] as the views see it in that window."""
    a, b_x, b_y = layer.plane
    centres = torch.from_numpy(pixel_centres(resolution))
    x, y = centres[columns], centres[rows]
    disparity = a + b_x * x[None, :] + b_y * y[:, None]  # [h,w]
    steps = dof_scale * points / (1.0 - dof_scale * (b_x * points[:, :1] + b_y * points[:, 1:]))  # [V,2]
    # grid_sample's coordinates, align_corners=False: -1 and 1 are the outer edges of the texture
    _, h, w = layer.texture.shape
    scale_x, scale_y = 2.0 * resolution / w, 2.0 * resolution / h
    shift_x = 2.0 * (resolution / 2 - layer.column) / w - 1.0
    shift_y = 2.0 * (resolution / 2 - layer.row) / h - 1.0
    grid = torch.empty(len(points), len(y), len(x), 2)
    torch.addcmul(x * scale_x + shift_x, (scale_x * steps[:, 0])[:, None, None], disparity, out=grid[..., 0])
    torch.addcmul((y * scale_y + shift_y)[:, None], (scale_y * steps[:, 1])[:, None, None], disparity, out=grid[..., 1])
    texture = torch.from_numpy(layer.texture)[None]
    seen = F.grid_sample(texture, grid.view(1, -1, len(x), 2), padding_mode="border", align_corners=False)
    return seen[0].view(4, len(points), len(y), len(x))
