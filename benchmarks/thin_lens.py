"""The renderer against thin lenses: photos whose deep picture, disparity and aperture are known.

    python benchmarks/thin_lens.py                             scenes (argan.scenes, an exact stack of planes)
    python benchmarks/thin_lens.py --tar rendered-000.tar      path-traced: KEY.{deep.jpg,shallow.jpg,depth.png,json}

Each mode takes the photo again from the deep picture and the true disparity; told is the peak signal-to-noise ratio,
dB, mean over photos, over all pixels and over those out of focus or next to them. Modes: sRGB codes or light averaged,
and what lies in front hiding what lies behind, or not. One JSON object on the last line.
"""

import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from known_photos import Known, open_scenes, path_traced_photos
from torch import Tensor

from argan.errors import UserError
from argan.optics import aperture_views, render, to_coded, to_light, views_needed
from argan.optics.occlusion import occluded_photo
from jobs.runtime.cli import run_job

OCCLUSION_STEPS = 32  # disparities tried between the nearest and the farthest
BLUR_PX = 0.5  # radius from which on a pixel counts as out of focus


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tar", type=Path, help="path-traced photos instead of scenes")
    parser.add_argument("--photos", type=int, default=100, help="at most (default 100)")
    parser.add_argument("--resolution", type=int, default=64, help="of scenes (default 64)")
    arguments = parser.parse_args(argv)
    if arguments.photos < 1:
        raise UserError(f"--photos must be at least 1, got {arguments.photos}")
    if arguments.tar and not arguments.tar.is_file():
        raise UserError(f"--tar is no file: {arguments.tar}")
    known = path_traced_photos(arguments.tar) if arguments.tar else open_scenes(arguments.resolution)
    found: dict[str, list[tuple[float, float]]] = {}
    for number, one in zip(range(arguments.photos), known, strict=False):
        for name, photo in taken_again(one).items():
            found.setdefault(name, []).append(psnr_db(photo, one))
        if (number + 1) % 20 == 0:
            print(f"{number + 1} photos", flush=True)
    result = {
        name: [round(float(np.nanmean(part)), 2) for part in zip(*values, strict=True)]
        for name, values in found.items()
    }
    print(json.dumps({"psnr_db_all_and_out_of_focus": result, "photos": len(found["deep"])}))
    return 0


def taken_again(one: Known) -> dict[str, Tensor]:
    views = views_needed(float(one.disparity.abs().max()) * one.dof_scale)
    scale = torch.tensor([one.dof_scale])

    def occluded(image: Tensor) -> Tensor:
        return occluded_photo(image, one.disparity, scale, aperture_views(views), OCCLUSION_STEPS)

    return {
        "deep": one.deep,
        "codes": render(one.deep, one.disparity, one.dof_scale, views_per_side=views),
        "light": render(one.deep, one.disparity, one.dof_scale, views_per_side=views, linear_light=True),
        "codes, occlusion": occluded(one.deep),
        "light, occlusion": to_coded(occluded(to_light(one.deep))),
    }


def psnr_db(photo: Tensor, one: Known) -> tuple[float, float]:
    """Over all pixels, and over those where the photo is blurred; nan where none is."""
    error = (photo - one.photo).square().mean(1, keepdim=True) / 4
    blur_px = 2 * one.dof_scale * one.disparity.abs()
    reach = 2 * math.ceil(float(blur_px.max())) + 1
    blurred = F.max_pool2d(blur_px, reach, 1, reach // 2) > BLUR_PX
    parts = (error.mean(), error[blurred].mean())
    return tuple(
        -10 * math.log10(max(float(part), 1e-10)) if not math.isnan(float(part)) else math.nan for part in parts
    )  # type: ignore[return-value]


if __name__ == "__main__":
    run_job(main)
