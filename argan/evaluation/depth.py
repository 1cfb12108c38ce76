"""How much depth a generator has learned: an estimator trained on its pairs, judged on photos whose depth is known.

Each measure stands between the best guess that needs no learning and its ceiling, the same estimator trained on truth
with the same budget. `gap_closed` says how far measures of ranks have come: (value - best trivial) / (ceiling - best
trivial). `gap_closed_past_fixed` begins where the mean of truth stands, if that is further: a map that no guess could
know. All of it is told again of the photos with a smooth subject, where the difficulty lies (METHOD: Networks).
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from argan.config import PriorConfig
from argan.errors import UserError
from argan.evaluation.chance import gap_intervals
from argan.evaluation.estimation import estimate
from argan.evaluation.fixed import MEAN_OF_TRUTH, fixed_scores
from argan.evaluation.measures import RANK_MEASURES, RankSettings, TruthSet
from argan.evaluation.ranks import mean_over_images
from argan.evaluation.scores import MEASURES, Scores, inverted_share, judge_maps, means
from argan.evaluation.trivial import best_guesses, trivial_scores
from argan.models.estimator import Estimator
from argan.pixels import to_signed

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Evaluation(NamedTuple):
    """`result` is plain data; numbers may be nan where no image defines a measure."""

    result: dict[str, Any]
    estimates: Tensor  # [N,1,H,W] disparity, px per aperture unit of the generator
    scores: Scores


def evaluate_depth(
    net: Estimator,
    ceiling: Estimator,
    truth: TruthSet,
    *,
    prior: PriorConfig,
    ranks: RankSettings,
    protocol: dict[str, Any],
) -> Evaluation:
    """Judges `net` on photos that neither net has seen.

    The result holds each measure's mean over images at the top by name, and `inverted`, the share of images with most
    pairs in the wrong order; `ceiling`, `trivial`, `gap_closed` and `gap_closed_past_fixed` by the same names;
    `gap_closed_interval`, 95 % of what other photos of the kind would say;
    `trivial_all` and `fixed` (guess or fixed map -> measure -> value); `smooth_subjects`, all of this again, where
    there are any; `per_image` (measure -> quantiles and how many images count); `alignment` (what was fitted, for
    fakes and ceiling); and `protocol` as given. Raises UserError for an empty set.
    """
    if len(truth.images) == 0:
        raise UserError("the set to evaluate on holds no photos")
    images = to_signed(torch.from_numpy(truth.images))
    estimates = estimate(net, images)
    fakes = judge_maps(estimates.numpy(), truth, ranks)
    best = judge_maps(estimate(ceiling, images).numpy(), truth, ranks)
    guesses = trivial_scores(truth, prior, ranks)
    fixed = fixed_scores(estimates.numpy(), truth, ranks)
    told = (fakes.scores, best.scores, guesses, fixed)
    result = _summary(*told, np.ones_like(truth.smooth), ranks.seed)
    if truth.smooth.any():
        result["smooth_subjects"] = _summary(*told, truth.smooth, ranks.seed)
    result["per_image"] = {m: _spread(column) for m, column in zip(MEASURES, fakes.scores.T, strict=True)}
    result["alignment"] = {"fakes": fakes.alignment._asdict(), "ceiling": best.alignment._asdict()}
    result["protocol"] = protocol
    return Evaluation(result, estimates, fakes.scores)


def _summary(
    scores: Scores,
    ceiling: Scores,
    guesses: Mapping[str, Scores],
    fixed: Mapping[str, Scores],
    chosen: NDArray[np.bool_],
    seed: int,
) -> dict[str, Any]:
    """What the chosen images say."""
    values, ceilings = means(scores[chosen]), means(ceiling[chosen])
    chosen_guesses = {name: guess[chosen] for name, guess in guesses.items()}
    trivial = best_guesses({name: means(guess) for name, guess in chosen_guesses.items()})
    mean_of_truth = means(fixed[MEAN_OF_TRUTH][chosen])

    def gaps(opponent: Mapping[str, float]) -> dict[str, float]:
        return {m: gap_closed(values[m], ceiling=ceilings[m], trivial=opponent[m]) for m in RANK_MEASURES}

    best = {measure: guess.value for measure, guess in trivial.items()}
    return {
        **values,
        "inverted": inverted_share(scores[chosen]),
        "ceiling": {**ceilings, "inverted": inverted_share(ceiling[chosen])},
        "trivial": {measure: guess._asdict() for measure, guess in trivial.items()},
        "gap_closed": gaps(best),
        "gap_closed_interval": gap_intervals(scores[chosen], ceiling[chosen], chosen_guesses, seed=seed),
        "gap_closed_past_fixed": gaps({m: max(best[m], mean_of_truth[m]) for m in RANK_MEASURES}),
        "trivial_all": {name: _told(guess) for name, guess in chosen_guesses.items()},
        "fixed": {name: _told(one[chosen]) for name, one in fixed.items()},
    }


def _told(scores: Scores) -> dict[str, float]:
    """What these scores have of each measure, and the share of images in the wrong order."""
    measures = {**means(scores), "inverted": inverted_share(scores)}
    return {measure: value for measure, value in measures.items() if not np.isnan(value)}


def gap_closed(value: float, *, ceiling: float, trivial: float) -> float:
    """The share of the way from the best trivial guess to the ceiling; nan where the ceiling is no higher."""
    return (value - trivial) / (ceiling - trivial) if ceiling > trivial else float("nan")


def _spread(scores: NDArray[np.float64]) -> dict[str, float | int]:
    _, num_used, num_images = mean_over_images(scores)
    defined = scores[~np.isnan(scores)]
    at = np.quantile(defined, QUANTILES) if num_used else np.full(len(QUANTILES), np.nan)
    quantiles = {f"q{round(100 * share):02d}": float(value) for share, value in zip(QUANTILES, at, strict=True)}
    return {**quantiles, "num_used": num_used, "num_images": num_images}
