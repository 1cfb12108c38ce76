"""What a tar of path-traced pictures comes to, and what is no such tar."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from known_photos import PARTS, path_traced_photos
from PIL import Image
from thin_lens import main as thin_lens

from argan.errors import DataError, UserError

SIDE_PX, APERTURE_RADIUS_M, FOCUS_M = 8, 0.05, 2.0


def write(path: Path, parts: tuple[str, ...], depth_m: float = 4.0) -> Path:
    """One sample: a plane, grey."""
    info = {"focus_distance": FOCUS_M, "aperture_radius": APERTURE_RADIUS_M, "fov_deg": 90.0}
    grey = Image.new("RGB", (SIDE_PX, SIDE_PX), (128, 128, 128))
    depth = Image.fromarray(np.full((SIDE_PX, SIDE_PX), round(5000 * depth_m), np.uint16))
    with tarfile.open(path, "w") as tar:
        for part in parts:
            data = io.BytesIO()
            if part == "json":
                data.write(json.dumps(info).encode())
            else:
                (depth if part == "depth.png" else grey).save(data, part.split(".")[-1].replace("jpg", "jpeg"))
            member = tarfile.TarInfo(f"000001.{part}")
            member.size = len(data.getvalue())
            tar.addfile(member, io.BytesIO(data.getvalue()))
    return path


@pytest.mark.parametrize("depth_m", [1.0, 2.0, 4.0])
def test_disparity_is_that_of_a_thin_lens(tmp_path: Path, depth_m: float) -> None:
    """The circle of confusion of a point has the diameter 2 r f_px |1/z - 1/z_f| in px, and s = 1 blurs by 4 |D|."""
    (known,) = path_traced_photos(write(tmp_path / "one.tar", PARTS, depth_m))
    focal_px = SIDE_PX / 2  # of 90 degrees
    diameter_px = 2 * APERTURE_RADIUS_M * focal_px * abs(1 / depth_m - 1 / FOCUS_M)
    assert known.disparity.abs().mean().item() == pytest.approx(diameter_px / 4)
    assert np.sign(known.disparity.mean().item()) == np.sign(FOCUS_M - depth_m)  # before the focal plane: positive
    assert known.deep.shape == (1, 3, SIDE_PX, SIDE_PX)


def test_a_tar_without_a_whole_sample_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"holds no sample with all of deep\.jpg"):
        next(path_traced_photos(write(tmp_path / "half.tar", PARTS[1:])))


def test_no_photos_at_all_are_refused() -> None:
    with pytest.raises(UserError, match="--photos must be at least 1, got 0"):
        thin_lens(["--photos", "0"])
