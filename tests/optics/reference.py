"""The aperture renderer as METHOD writes it: plain loops in Python's float64, one sample of one channel at a time."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Views = Sequence[Sequence[float]]


def bilinear(field: Array, x: float, y: float) -> float:
    """field [H,W] at (x, y) px, clamped to the border."""
    height, width = field.shape
    x, y = min(max(x, 0.0), width - 1.0), min(max(y, 0.0), height - 1.0)
    left, top = math.floor(x), math.floor(y)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    across, down = x - left, y - top
    above = (1 - across) * field[top, left] + across * field[top, right]
    below = (1 - across) * field[bottom, left] + across * field[bottom, right]
    return float((1 - down) * above + down * below)


def view_disparity(disparity: Array, dof_scale: Array, views: Views) -> Array:
    """E [B,V,H,W] of disparity [B,1,H,W] and dof_scale [B]."""
    batch, _, height, width = disparity.shape
    E = np.empty((batch, len(views), height, width))
    for b in range(batch):
        for index, (u, v) in enumerate(views):
            for y in range(height):
                for x in range(width):
                    shift = dof_scale[b] * disparity[b, 0, y, x]
                    E[b, index, y, x] = bilinear(disparity[b, 0], x + u * shift, y + v * shift)
    return E


def light_field_mean(image: Array, M: Array, views: Views) -> Array:
    """I_s [B,C,H,W] of image [B,C,H,W] and the views' shifts M [B,V,H,W]."""
    photo = np.zeros_like(image)
    batch, channels, height, width = image.shape
    for b in range(batch):
        for index, (u, v) in enumerate(views):
            for y in range(height):
                for x in range(width):
                    shift = M[b, index, y, x]
                    for c in range(channels):
                        photo[b, c, y, x] += bilinear(image[b, c], x + u * shift, y + v * shift)
    return photo / len(views)
