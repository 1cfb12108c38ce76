"""Photos whose deep picture, disparity and aperture are known: scenes, and a tar of path-traced pictures.

The tar is one's own; ours, of flowers, is not distributed. It holds KEY.deep.jpg (pinhole), KEY.shallow.jpg (thin
lens), KEY.depth.png (uint16, z in m times 5000), KEY.json (focus_distance and aperture_radius in m, fov_deg). A sample
without one of them is left out.
"""

import io
import json
import math
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from argan.errors import DataError
from argan.pixels import to_signed
from argan.scenes import scene
from argan.scenes.seeds import SELECTION_SEED

DEPTH_SCALE = 5000.0
PARTS = ("deep.jpg", "shallow.jpg", "depth.png", "json")
LEAST_S = 0.4  # of scenes: those with their aperture open


class Known(NamedTuple):
    """deep and photo [1,3,H,W] in [-1, 1], disparity [1,1,H,W] in px per aperture unit."""

    deep: Tensor
    photo: Tensor
    disparity: Tensor
    dof_scale: float


def open_scenes(resolution: int) -> Iterator[Known]:
    index = 0
    while True:
        taken = scene(SELECTION_SEED, index, resolution=resolution)
        index += 1
        if taken.dof_scale >= LEAST_S:
            yield Known(
                signed(taken.deep), signed(taken.image), torch.from_numpy(taken.disparity)[None, None], taken.dof_scale
            )


def path_traced_photos(path: Path) -> Iterator[Known]:
    """In the order of their keys. Raises DataError where the tar holds no whole sample."""
    with tarfile.open(path) as tar:
        names = set(tar.getnames())
        keys = sorted(name.removesuffix(".json") for name in names if name.endswith(".json"))
        whole = [key for key in keys if {f"{key}.{part}" for part in PARTS} <= names]
        if not whole:
            raise DataError(f"{path} holds no sample with all of {', '.join(PARTS)}")
        for key in whole:
            info = json.loads(read(tar, f"{key}.json"))
            depth_m = np.asarray(Image.open(io.BytesIO(read(tar, f"{key}.depth.png"))), np.float64) / DEPTH_SCALE
            deep, shallow = (picture(read(tar, f"{key}.{kind}.jpg")) for kind in ("deep", "shallow"))
            focal_px = deep.shape[0] / 2 / math.tan(math.radians(info["fov_deg"] / 2))
            nearer = 1 / np.maximum(depth_m, 1 / DEPTH_SCALE) - 1 / info["focus_distance"]
            disparity = focal_px * 2 * info["aperture_radius"] * nearer / 4  # METHOD: c_px, a diameter, is 4 s |D|
            yield Known(signed(deep), signed(shallow), torch.from_numpy(disparity).float()[None, None], 1.0)


def picture(data: bytes) -> np.ndarray:
    return np.array(Image.open(io.BytesIO(data)).convert("RGB"))


def signed(photo: np.ndarray) -> Tensor:
    return to_signed(torch.from_numpy(np.ascontiguousarray(photo)).permute(2, 0, 1)[None].contiguous())


def read(tar: tarfile.TarFile, name: str) -> bytes:
    member = tar.extractfile(name)
    assert member is not None
    return member.read()
