"""Scenes as a set with truth, in memory: drawn by as many processes as there are cores."""

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch

from argan.evaluation.measures import TruthSet
from argan.scenes import Scene, scene

SCENES_A_TASK = 25


def scene_truth(
    seed: int,
    num_scenes: int,
    *,
    resolution: int,
    num_processes: int,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> TruthSet:
    """Scenes 0 to num_scenes - 1 of `seed`, as taken with their own dof_scale; the same for any number of processes."""
    draw = partial(scene, seed, resolution=resolution)
    images = np.empty((num_scenes, 3, resolution, resolution), np.uint8)
    disparity = np.empty((num_scenes, 1, resolution, resolution), np.float32)
    mask = np.empty((num_scenes, 1, resolution, resolution), np.bool_)
    smooth = np.empty(num_scenes, np.bool_)
    num_useful = -(-num_scenes // SCENES_A_TASK)
    with _drawn(draw, num_scenes, min(num_processes, num_useful)) as scenes:
        for index, taken in enumerate(scenes):
            images[index] = taken.image.transpose(2, 0, 1)
            disparity[index, 0] = taken.disparity
            mask[index, 0] = taken.mask
            smooth[index] = taken.smooth_subject
            progress(index + 1, num_scenes)
    return TruthSet(images, disparity, mask, smooth)


@contextmanager
def _drawn(draw: Callable[[int], Scene], num_scenes: int, num_processes: int) -> Iterator[Iterator[Scene]]:
    if num_processes == 1:
        yield map(draw, range(num_scenes))
        return
    # Spawned, not forked: the parent has torch's threads, which a fork would leave half alive. One thread each: they
    # fill the cores by themselves.
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(num_processes, spawn, torch.set_num_threads, (1,)) as pool:
        try:
            yield pool.map(draw, range(num_scenes), chunksize=SCENES_A_TASK)
        finally:
            pool.shutdown(cancel_futures=True)  # who leaves early does not wait for scenes that nobody wants
