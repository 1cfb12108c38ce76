"""Scenes of version 1 stay what they are: a later change is a new version beside it.

Kept whole, not as a hash: another processor may round the last bit of a cosine otherwise, and that may move a grey
level by one or an outline's pixel across one half. `python tests/scenes/test_frozen.py` writes a new version's file.
"""

from pathlib import Path

import numpy as np
import pytest

from argan.scenes import SCENES_VERSION, Scene, scene

FROZEN = Path(__file__).parent / f"frozen_v{SCENES_VERSION}.npz"
KEPT = [(0, 0, 32), (0, 1, 32), (0, 2, 32), (0, 3, 32), (1, 7_999, 32), (12_345, 3, 32), (0, 0, 64), (0, 4, 64)]


def name(seed: int, index: int, resolution: int) -> str:
    return f"{seed}_{index}_{resolution}"


def scalars(taken: Scene) -> np.ndarray:
    return np.array([taken.dof_scale, taken.smooth_subject, *taken.optics.values()], np.float64)


def test_the_kept_file_is_of_these_scenes():
    with np.load(FROZEN, allow_pickle=False) as frozen:
        assert {key.rsplit("_", 1)[0] for key in frozen.files} == {name(*kept) for kept in KEPT}


@pytest.mark.parametrize("kept", KEPT)
def test_scenes_are_frozen(kept):
    seed, index, resolution = kept
    taken = scene(seed, index, resolution=resolution)
    with np.load(FROZEN, allow_pickle=False) as frozen:
        for kind in ("image", "deep"):
            apart = np.abs(getattr(taken, kind).astype(int) - frozen[f"{name(*kept)}_{kind}"])
            assert apart.mean() < 0.05
            assert (apart > 1).mean() < 0.005
        assert (taken.mask != frozen[f"{name(*kept)}_mask"]).mean() < 0.003
        apart = np.abs(taken.disparity - frozen[f"{name(*kept)}_disparity"])
        assert (apart > 2e-3).mean() < 0.003  # kept in half precision
        np.testing.assert_array_equal(scalars(taken), frozen[f"{name(*kept)}_scalars"])


def write() -> None:
    arrays = {}
    for kept in KEPT:
        seed, index, resolution = kept
        taken = scene(seed, index, resolution=resolution)
        arrays[f"{name(*kept)}_image"], arrays[f"{name(*kept)}_deep"] = taken.image, taken.deep
        arrays[f"{name(*kept)}_disparity"] = taken.disparity.astype(np.float16)
        arrays[f"{name(*kept)}_mask"], arrays[f"{name(*kept)}_scalars"] = taken.mask, scalars(taken)
    np.savez_compressed(FROZEN, **arrays)


if __name__ == "__main__":
    write()
