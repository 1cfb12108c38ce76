"""Guesses that need no learning: what an estimate must beat before it has learned anything.

A constant, the center focus prior, and every cheap cue at both polarities. For each measure the best over the set
counts, chosen with the truth in hand: the strictest opponent that such guesses can make.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.config import PriorConfig
from argan.evaluation.cues import cue_maps
from argan.evaluation.measures import MEASURES, RankSettings, TruthSet, measure_maps, negated
from argan.evaluation.ranks import mean_over_images
from argan.losses import focus_prior


class Guess(NamedTuple):
    name: str
    value: float


def measure_trivial_guesses(truth: TruthSet, prior: PriorConfig, ranks: RankSettings) -> dict[str, dict[str, float]]:
    """Each guess's mean of each measure over the set: guess -> measure -> value."""
    resolution = truth.images.shape[-1]
    prior_map = focus_prior(resolution, 1.0, prior).numpy()
    prior_maps = np.broadcast_to(prior_map, truth.disparity.shape)
    scores = {
        "constant": measure_maps(np.zeros_like(truth.disparity), truth, ranks),
        "focus prior": measure_maps(prior_maps, truth, ranks),
    }
    cues = [cue_maps(image.transpose(1, 2, 0)) for image in truth.images]
    for name in cues[0]:
        scores[f"+{name}"] = measure_maps([cue[name] for cue in cues], truth, ranks)
        scores[f"-{name}"] = negated(scores[f"+{name}"])
    return {name: means(values) for name, values in scores.items()}


def best_guesses(guesses: dict[str, dict[str, float]]) -> dict[str, Guess]:
    """For each measure the guess with the largest value, the first of equals."""
    best = {measure: max(guesses, key=lambda name: guesses[name][measure]) for measure in MEASURES}
    return {measure: Guess(name, guesses[name][measure]) for measure, name in best.items()}


def means(scores: NDArray[np.float64]) -> dict[str, float]:
    """measure -> mean over the images on which it is defined, of scores [N, len(MEASURES)]."""
    return {measure: mean_over_images(column).mean for measure, column in zip(MEASURES, scores.T, strict=True)}
