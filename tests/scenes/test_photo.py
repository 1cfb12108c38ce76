"""Scenes: a pure function of (seed, index, resolution), the same scene at any resolution, in range and varied."""

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from argan.scenes import Scene, scene

D_MAX_PX = 3.0 / 64.0 * 32


@pytest.fixture(scope="module")
def photos() -> list[Scene]:
    return [scene(11, index, resolution=32) for index in range(150)]


def digest(index: int, resolution: int) -> str:
    taken = scene(3, index, resolution=resolution)
    whole = hashlib.sha256()
    for array in (taken.image, taken.deep, taken.disparity, taken.mask):
        whole.update(array.tobytes())
    whole.update(repr((taken.dof_scale, taken.optics, taken.smooth_subject)).encode())
    return whole.hexdigest()


def test_the_same_bits_for_any_thread_count_and_in_another_process():
    wanted = [digest(index, 40) for index in range(6)]
    threads = torch.get_num_threads()
    torch.set_num_threads(3 if threads != 3 else 2)
    try:
        assert [digest(index, 40) for index in range(6)] == wanted
    finally:
        torch.set_num_threads(threads)
    code = "from test_photo import digest; print(*[digest(i, 40) for i in range(6)])"
    here = Path(__file__).parent
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=here)
    assert asked.stdout.split() == wanted


def test_seed_and_index_each_make_another_scene():
    pictures = [scene(seed, index, resolution=16).deep for seed in (0, 1) for index in (0, 1)]
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_shapes_and_kinds():
    taken = scene(0, 5, resolution=37)
    assert taken.image.shape == taken.deep.shape == (37, 37, 3)
    assert taken.image.dtype == taken.deep.dtype == np.uint8
    assert taken.disparity.shape == taken.mask.shape == (37, 37)
    assert (taken.disparity.dtype, taken.mask.dtype) == (np.float32, np.bool_)
    assert taken.optics == {"d_max_px": pytest.approx(3 * 37 / 64), "aperture_radius": 2.0}


def test_a_resolution_too_small_is_refused():
    with pytest.raises(ValueError, match="at least 8 px, got 4"):
        scene(0, 0, resolution=4)


def to_light(image: np.ndarray) -> np.ndarray:
    coded = image / 255.0
    return np.where(coded <= 0.04045, coded / 12.92, ((coded + 0.055) / 1.055) ** 2.4)


def boxed(values: np.ndarray, k: int) -> np.ndarray:
    h, w = values.shape[0] // k, values.shape[1] // k
    return values.reshape(h, k, w, k, -1).mean(axis=(1, 3)).squeeze()


@pytest.mark.parametrize("index", range(5))
def test_the_layout_does_not_depend_on_the_resolution(index):
    small, large = scene(7, index, resolution=32), scene(7, index, resolution=64)
    assert small.dof_scale == large.dof_scale
    assert small.smooth_subject == large.smooth_subject
    for few, many in ((small.deep, large.deep), (small.image, large.image)):
        assert np.abs(to_light(few) - boxed(to_light(many), 2)).mean() < 0.02
    assert (small.mask != (boxed(large.mask, 2) > 0.5)).mean() < 0.02
    apart = np.abs(small.disparity - boxed(large.disparity, 2) / 2)
    assert np.median(apart) < 0.01
    assert (apart > 0.1).mean() < 0.12  # outlines, where a box mixes depths


def test_disparities_stay_in_the_aperture_range(photos):
    disparity = np.stack([taken.disparity for taken in photos])
    mask = np.stack([taken.mask for taken in photos])
    assert np.abs(disparity).max() <= 1.05 * D_MAX_PX
    assert np.abs(disparity[mask]).max() < 0.3 * D_MAX_PX  # the subject is in focus
    assert -0.8 * D_MAX_PX < np.median(disparity[~mask]) < -0.5 * D_MAX_PX
    assert 0.01 < (disparity[~mask] > 0.1).mean() < 0.1  # some things lie before the focal plane
    assert len({float(np.median(taken.disparity[~taken.mask])) for taken in photos}) == len(photos)


def test_subjects_come_in_all_sizes_and_places(photos):
    areas = np.array([taken.mask.mean() for taken in photos])
    assert areas.min() > 0.05
    assert np.quantile(areas, 0.1) < 0.2
    assert np.quantile(areas, 0.9) > 0.4
    middle = np.array([np.argwhere(taken.mask).mean(axis=0) / 32 - 0.5 for taken in photos])
    assert np.abs(middle.mean(axis=0)).max() < 0.06
    assert 0.1 < (np.hypot(*middle.T) > 0.2).mean() < 0.6
    assert 0.2 < np.mean([taken.smooth_subject for taken in photos]) < 0.4


def test_a_third_of_the_photos_is_deep(photos):
    scales = np.array([taken.dof_scale for taken in photos])
    is_deep = scales < 0.1
    assert scales.min() == 0.0
    assert 0.23 < is_deep.mean() < 0.43
    assert scales[~is_deep].min() >= 0.4
    assert 0.7 < scales[~is_deep].mean() < 0.9
    for taken in photos:
        if taken.dof_scale == 0.0:
            np.testing.assert_array_equal(taken.image, taken.deep)


def detail(image: np.ndarray, where: np.ndarray) -> float:
    """Mean squared difference of neighbouring pixels, both of them there."""
    values = image.astype(np.float64).mean(axis=2)
    across = np.diff(values, axis=1)[where[:, 1:] & where[:, :-1]]
    down = np.diff(values, axis=0)[where[1:] & where[:-1]]
    return float((across**2).sum() + (down**2).sum())


def test_shallow_photos_lose_the_background_s_detail_and_keep_the_subject_s(photos):
    shallow = [taken for taken in photos if taken.dof_scale > 0.4]
    far = [(taken, taken.disparity < -0.4 * D_MAX_PX) for taken in shallow]
    behind = sum(detail(t.image, where) for t, where in far) / sum(detail(t.deep, where) for t, where in far)
    inner = [(taken, np.abs(taken.disparity) < 0.05 * D_MAX_PX) for taken in shallow]
    focus = sum(detail(t.image, where) for t, where in inner) / sum(detail(t.deep, where) for t, where in inner)
    assert behind < 0.35
    assert focus > 0.75
