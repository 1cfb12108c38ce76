"""The aperture: the views that a lens opening is made of (METHOD: Aperture renderer R; Units, once)."""

import math
from typing import Literal

import torch
from torch import Tensor

ApertureShape = Literal["disk", "square"]
ViewsFit = Literal["edge", "blur"]

EDGE = 2.0
"""Aperture coordinate of the edge: disparity D at scale s blurs to a radius of EDGE s |D| px."""

LEAST_VIEWS_PER_SIDE = 11
"""Where views lie up to the edge: 5 per side blur like a disk 1.27 times as wide (root mean square), 7 like one 1.14,
11 like one 1.06 times as wide; of squares 11 like one 1.10 times as wide.
"""


def aperture_views(views_per_side: int = 5, shape: ApertureShape = "disk", fit: ViewsFit = "edge") -> Tensor:
    """Coordinates (u, v) of the views that the mask A lets through, [V,2] float64 in [-2, 2]; u to the right, v down.

    A centred lattice, arange(n) - (n - 1)/2, scaled so that its outermost views lie on the edge. A is 1 on each of
    them: R is their mean. "disk" cuts off what lies over a quarter of the spacing beyond the edge: with n = 5 the four
    corners, which leaves METHOD's 21 views; with many views all but a disk of radius 2. "square" keeps all n * n.

    Few views lie near the edge, most of them: 5 per side blur like a disk 1.27 times as wide. With fit "blur" (ours)
    they are drawn in until their root mean square radius is the shape's own: D blurs alike at any number of views.
    Raises ValueError if views_per_side is not at least 1, or shape or fit is none of these.
    """
    if views_per_side < 1:
        raise ValueError(f"views_per_side must be at least 1, got {views_per_side}")
    if shape not in ("disk", "square"):
        raise ValueError(f"shape must be disk or square, got {shape!r}")
    if fit not in ("edge", "blur"):
        raise ValueError(f"fit must be edge or blur, got {fit!r}")
    spacing = 2 * EDGE / max(views_per_side - 1, 1)
    line = (torch.arange(views_per_side, dtype=torch.float64) - (views_per_side - 1) / 2) * spacing
    views = torch.cartesian_prod(line, line).flip(1)
    views = views[views.norm(dim=1) <= EDGE + spacing / 4] if shape == "disk" else views
    if fit == "edge" or views_per_side == 1:
        return views
    of_the_shape = EDGE * (1 / 2 if shape == "disk" else 2 / 3) ** 0.5
    return views * (of_the_shape / views.square().sum(1).mean().sqrt())


def views_needed(max_disparity_px: float) -> int:
    """The smallest odd views_per_side that shows blur, not ghosts, where s |D| is at most max_disparity_px.

    Neighbouring views then lie at most 1 px apart; past about 1.5 px one sees them singly. And where there is any
    blur, they are LEAST_VIEWS_PER_SIDE at least, or it would be wider than its disparity says.
    Raises ValueError unless max_disparity_px is finite and not negative.
    """
    if not (math.isfinite(max_disparity_px) and max_disparity_px >= 0):
        raise ValueError(f"max_disparity_px must be finite and at least 0, got {max_disparity_px}")
    gaps = math.ceil(2 * EDGE * max_disparity_px)
    return max(LEAST_VIEWS_PER_SIDE, 1 + gaps + gaps % 2) if gaps else 1
