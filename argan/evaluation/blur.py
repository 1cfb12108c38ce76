"""Whether generated photos blur as their disparity says, region by region. Reconstruction.

Measured: the radius of the disk that, convolved with the deep photo, comes nearest to the shallow one within a region
(of a square aperture: half the side of the square).
Predicted: METHOD's Units, radius 2 s |D|. A straight line through both has slope 1 where the optics hold. Asked of
regions whose disparity hardly varies and whose texture shows blur at all, for elsewhere no single radius is right.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from argan.errors import UserError
from argan.optics.aperture import EDGE, ApertureShape

TakePhoto = Callable[[Tensor, Tensor, float], Tensor]
"""(deep [N,3,H,W], disparity [N,1,H,W] px, dof_scale) -> photos [N,3,H,W]."""

APERTURE_POINTS = 60  # along the diameter of a disk, so that it has no grain
PHOTOS_AT_ONCE = 32


@dataclass(frozen=True, kw_only=True)
class BlurSettings:
    """Which regions are measured, and at which apertures."""

    apertures: tuple[float, ...] = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
    regions_per_side: int = 8
    """That tile a photo: disparity is as even in a region at any resolution."""
    most_variation: float = 0.3
    """Of disparity within a region and as far around it as blur reaches, in d_max: a slope, but no edge."""
    least_blur_px: float = 0.5
    """Predicted radius of a region at the open aperture: in focus, measured and predicted agree by themselves."""
    least_texture: float = 0.02
    """Root mean square change of a region, in [-1, 1], when the deep photo is blurred by a disk of 1 px."""
    num_radii: int = 37
    """Disks tried, of radius 0 to 1.5 times the largest predicted one."""

    def __post_init__(self) -> None:
        if not self.apertures or not all(0 < aperture <= 1 for aperture in self.apertures):
            raise UserError(f"apertures must be in (0, 1], got {self.apertures}")
        if self.regions_per_side < 3 or self.num_radii < 3:
            raise UserError(f"regions_per_side and num_radii must be at least 3, got {self}")

    def region_px(self, resolution: int) -> int:
        return max(1, resolution // self.regions_per_side)


class BlurFit(NamedTuple):
    """Measured radius over predicted radius, a point a region and aperture; nan where there is nothing to fit."""

    slope: float
    intercept_px: float
    r_squared: float
    num_regions: int
    measured_px: NDArray[np.float64]


@torch.no_grad()
def measure_blur(
    deep: Tensor,
    disparity: Tensor,
    take: TakePhoto,
    *,
    d_max_px: float,
    settings: BlurSettings,
    shape: ApertureShape = "disk",
    averaged: Callable[[Tensor], Tensor] = lambda codes: codes,
) -> BlurFit:
    """For deep photos [N,3,H,W] in [-1, 1] and their disparity [N,1,H,W] in px per aperture unit; `take` makes photos.

    `averaged` makes of codes that in which blur is a mean, and `take` gives its photos in it. Regions are chosen by the
    codes, so that they are the same in light.
    """
    side = settings.region_px(deep.shape[-1])
    # A measurement must be able to come out too large.
    radii_px = np.linspace(0.0, 1.5 * EDGE * d_max_px, settings.num_radii)
    predicted, measured, num_regions = [], [], 0
    for sharp, D in zip(deep.split(PHOTOS_AT_ONCE), disparity.split(PHOTOS_AT_ONCE), strict=True):
        chosen = suitable_regions(sharp, D, d_max_px, settings)
        photos = [take(sharp, D, aperture) for aperture in settings.apertures]
        errors = np.empty((len(radii_px), int(chosen.sum())))
        seen = averaged(sharp)
        for number, radius_px in enumerate(radii_px):
            blurred = blurred_by(seen, float(radius_px), shape)
            of_regions = torch.stack([_regions((photo - blurred) ** 2, side) for photo in photos])
            errors[number] = of_regions[chosen].double().cpu().numpy()
        radii = torch.stack([EDGE * aperture * _regions(D.abs(), side) for aperture in settings.apertures])
        predicted.append(radii[chosen].double().cpu().numpy())
        measured.append(lowest(radii_px, errors))
        num_regions += int(chosen.any(0).sum())
    return _fit(np.concatenate(predicted), np.concatenate(measured), num_regions)


def suitable_regions(deep: Tensor, disparity: Tensor, d_max_px: float, settings: BlurSettings) -> Tensor:
    """Bool [apertures,N,h,w], of the regions that tile the photo: at which apertures each can be measured.

    Disparity must be even as far around a region as its blur reaches there, and that may be to the photo's border. Blur
    that reaches farther than a region is wide is not measured.
    """
    side = settings.region_px(deep.shape[-1])
    blurs = EDGE * _regions(disparity.abs(), side) >= settings.least_blur_px
    shows = _regions((deep - blurred_by(deep, 1.0)) ** 2, side).sqrt() >= settings.least_texture
    widest = F.max_pool2d(disparity.abs(), side)[:, 0]
    chosen = []
    for aperture in settings.apertures:
        reach_px = (EDGE * aperture * widest).ceil()
        fits = torch.zeros_like(shows)
        for margin in range(side + 1):
            window = (side + 2 * margin, side, margin)  # size, stride, padding
            spread = (F.max_pool2d(disparity, *window) + F.max_pool2d(-disparity, *window))[:, 0]
            fits |= (reach_px == margin) & (spread <= settings.most_variation * d_max_px)
        fits[:, [0, -1], :] &= reach_px[:, [0, -1], :] == 0
        fits[:, :, [0, -1]] &= reach_px[:, :, [0, -1]] == 0
        chosen.append(fits & shows & blurs)
    return torch.stack(chosen)


def blurred_by(images: Tensor, radius_px: float, shape: ApertureShape = "disk") -> Tensor:
    """[N,C,H,W] convolved with the aperture, seen through bilinear weights as the renderer's views are."""
    reach = int(np.ceil(radius_px))
    if reach == 0:
        return images
    kernel = aperture_kernel(radius_px, shape).to(images)[None, None]
    channels = images.shape[1]
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    return F.conv2d(padded, kernel.expand(channels, 1, -1, -1), groups=channels)


def aperture_kernel(radius_px: float, shape: ApertureShape) -> Tensor:
    """[2r+1,2r+1] of sum 1, r = ceil(radius): points spread evenly over it, each shared by its four pixels."""
    reach = int(np.ceil(radius_px))
    line = (torch.arange(APERTURE_POINTS, dtype=torch.float64) + 0.5) * (2 * radius_px / APERTURE_POINTS) - radius_px
    points = torch.cartesian_prod(line, line)
    points = points[points.norm(dim=1) <= radius_px] if shape == "disk" else points
    pixels = torch.arange(-reach, reach + 1, dtype=torch.float64)
    rows, columns = ((1 - (points[:, axis, None] - pixels).abs()).clamp(min=0) for axis in (0, 1))
    return rows.T @ columns / len(points)


def lowest(places: NDArray[np.float64], errors: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where each column of errors [R,P] over evenly spaced places [R] is least, between them by a parabola: [P]."""
    at = errors.argmin(0)
    inside = np.clip(at, 1, len(places) - 2)
    before, here, after = (np.take_along_axis(errors, (inside + step)[None], 0)[0] for step in (-1, 0, 1))
    curvature = before - 2 * here + after
    shift = np.where(curvature > 0, 0.5 * (before - after) / np.where(curvature > 0, curvature, 1.0), 0.0)
    between = places[inside] + np.clip(shift, -0.5, 0.5) * (places[1] - places[0])
    return np.where(at == inside, between, places[at])


def _regions(values: Tensor, side: int) -> Tensor:
    """The mean over channels and each region: [N,C,H,W] -> [N,h,w]."""
    return F.avg_pool2d(values.mean(1, keepdim=True), side)[:, 0]


def _fit(predicted: NDArray[np.float64], measured: NDArray[np.float64], num_regions: int) -> BlurFit:
    if len(predicted) < 3 or predicted.std() == 0:
        return BlurFit(np.nan, np.nan, np.nan, num_regions, measured)
    slope, intercept = np.polyfit(predicted, measured, 1)
    unexplained = ((measured - slope * predicted - intercept) ** 2).sum()
    variation = ((measured - measured.mean()) ** 2).sum()
    r_squared = float(1 - unexplained / variation) if variation > 0 else np.nan
    return BlurFit(float(slope), float(intercept), r_squared, num_regions, measured)
