"""Photos that a tiny net can learn depth from, and no trivial guess: squares brighter or darker than their ground."""

import numpy as np
import torch

from argan.evaluation.estimation import EstimatorBudget, Pairs
from argan.evaluation.measures import TruthSet

SIDE_PX = 16
TINY = EstimatorBudget(num_images=1_280, num_pairs=256, batch_images=16, channels=(16, 16, 16), lr=5e-3)


def toy_truth(seed: int, num_photos: int, *, places: int = SIDE_PX - 7) -> TruthSet:
    """A square of 7 px anywhere, at disparity 0, 60 levels brighter or darker than the mid-grey, noisy ground at -1.

    Where there are few `places` it is near the upper left corner. Every third is called smooth.
    """
    rng = np.random.default_rng(seed)
    images = rng.integers(118, 139, size=(num_photos, 1, SIDE_PX, SIDE_PX))
    mask = np.zeros(images.shape, np.bool_)
    for image, inside in zip(images, mask, strict=True):
        y, x = rng.integers(places, size=2)
        inside[0, y : y + 7, x : x + 7] = True
        image[inside] += rng.choice((-60, 60))
    smooth = np.arange(num_photos) % 3 == 0
    return TruthSet(images.astype(np.uint8).repeat(3, axis=1), mask.astype(np.float32) - 1, mask, smooth)


def toy_source(truth: TruthSet, *, shuffled: bool = False, unit: float = 1.0):
    """The set as a source of pairs, in units of its own; shuffled, each photo gets the disparity of the next one."""
    disparity = np.float32(unit) * (np.roll(truth.disparity, 1, axis=0) if shuffled else truth.disparity)

    def source(start: int, count: int) -> Pairs:
        part = slice(start, start + count)
        return Pairs(torch.from_numpy(truth.images[part]) / 127.5 - 1, torch.from_numpy(disparity[part]))

    return source
