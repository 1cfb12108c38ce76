"""Refocus after the fact: a sample's shallow photos taken again, from what is stored of it and nothing else."""

import math

import numpy as np
import torch
from numpy.typing import NDArray

from argan.data.tuples import TupleSample
from argan.optics import render
from argan.pixels import to_bytes, to_signed


def refocus(sample: TupleSample) -> tuple[NDArray[np.uint8], ...]:
    """Each shallow photo [H,W,3] from the deep photo, the disparity and the optics in the sample's json."""
    image = to_signed(torch.from_numpy(sample.deep).permute(2, 0, 1)[None].contiguous())
    disparity = torch.from_numpy(sample.coding.decode(sample.disparity))[None, None]
    info = sample.info
    optics = {
        "shape": info["shape"],
        "focus": info["focus_px"],
        "linear_light": info["linear_light"],
        "occlusion_steps": info.get("occlusion_steps", 0),
    }
    photos = (
        render(image, disparity, aperture, views_per_side=views, **optics)
        for aperture, views in zip(info["apertures"], info["views_per_side"], strict=True)
    )
    return tuple(to_bytes(photo[0]).permute(1, 2, 0).contiguous().numpy() for photo in photos)


def refocus_psnr_db(sample: TupleSample) -> float:
    """The worst of the sample's shallow photos against the same one taken again; infinite where all are equal."""
    return min(psnr_db(photo, again) for photo, again in zip(sample.shallow, refocus(sample), strict=True))


def psnr_db(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures of one shape; infinite where they are equal."""
    error = float(np.mean(np.square(first.astype(np.float64) - second.astype(np.float64))))
    return 10 * math.log10(255**2 / error) if error else math.inf
