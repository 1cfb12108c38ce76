import time
from functools import partial

import numpy as np

from argan.evaluation.scene_truth import SCENES_A_TASK, _drawn, scene_truth
from argan.scenes import scene


def test_the_set_is_the_scenes_as_taken():
    truth, second = scene_truth(5, 2, resolution=16, num_processes=2), scene(5, 1, resolution=16)
    np.testing.assert_array_equal(truth.images[1], second.image.transpose(2, 0, 1))
    np.testing.assert_array_equal(truth.disparity[1, 0], second.disparity)
    np.testing.assert_array_equal(truth.mask[1, 0], second.mask)


def touch(folder, index):
    (folder / str(index)).touch()
    time.sleep(0.01)


def test_who_leaves_early_does_not_wait_for_the_rest(tmp_path):
    """A few tasks of the many were begun."""
    with _drawn(partial(touch, tmp_path), 40 * SCENES_A_TASK, 2) as drawn:
        next(drawn)
    assert len(list(tmp_path.iterdir())) < 20 * SCENES_A_TASK


def test_smooth_subjects_are_marked():
    truth = scene_truth(5, 8, resolution=16, num_processes=1)
    assert truth.smooth.tolist() == [scene(5, index, resolution=16).smooth_subject for index in range(8)]
    assert 0 < truth.smooth.sum() < 8


def test_the_number_of_processes_changes_nothing():
    done = []
    num_scenes = SCENES_A_TASK + 3
    alone = scene_truth(5, num_scenes, resolution=8, num_processes=1)
    together = scene_truth(5, num_scenes, resolution=8, num_processes=2, progress=lambda *at: done.append(at))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_array_equal(one, other)
    assert done[-1] == (num_scenes, num_scenes)
