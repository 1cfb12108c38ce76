"""The three rank measures over a set of photos with truth: every map of every estimate judged in the same way."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.errors import UserError
from argan.evaluation.ranks import foreground_auc, ordinal_accuracy, spearman
from argan.seeds import require_seed

RANK_MEASURES = ("foreground_auc", "ordinal_accuracy", "spearman")


class TruthSet(NamedTuple):
    """Photos with their truth, in memory.

    images [N,3,H,W] uint8 sRGB; disparity [N,1,H,W] float32, px per aperture unit; mask [N,1,H,W] bool, the subject;
    smooth [N] bool, whose subject is known to have no texture, so that its depth shows at its outline only.
    """

    images: NDArray[np.uint8]
    disparity: NDArray[np.float32]
    mask: NDArray[np.bool_]
    smooth: NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class RankSettings:
    """What the measures themselves depend on."""

    margin_widths: float = 1 / 128
    """Pixel pairs count where true disparity differs by more than this, in picture widths (0.25 px at 32 px: their blur
    differs by a pixel's diameter there). In widths, so that every resolution asks for the same pairs."""
    num_pairs: int = 2_000
    """Pixel pairs an image."""
    seed: int = 0
    """Of the pairs; each image has its own, the same for all estimates."""

    def __post_init__(self) -> None:
        if self.margin_widths < 0 or self.num_pairs < 1:
            raise UserError(f"margin_widths must be >= 0 and num_pairs >= 1, got {self}")
        require_seed(self.seed)


def measure_ranks(estimates: Sequence[NDArray] | NDArray, truth: TruthSet, ranks: RankSettings) -> NDArray[np.float64]:
    """Each measure of each image, [N, len(RANK_MEASURES)], for N estimates [H,W] or [1,H,W]; nan where undefined."""
    margin_px = ranks.margin_widths * truth.images.shape[-1]
    return np.array(
        [
            (
                foreground_auc(estimate, mask),
                ordinal_accuracy(
                    estimate,
                    disparity,
                    margin_px=margin_px,
                    num_pairs=ranks.num_pairs,
                    rng=np.random.default_rng([ranks.seed, index]),
                ),
                spearman(estimate, disparity),
            )
            for index, (estimate, disparity, mask) in enumerate(
                zip(estimates, truth.disparity, truth.mask, strict=True)
            )
        ]
    )


def negated(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """What `measure_ranks` gives for the estimates with their signs turned, by the measures' own symmetry."""
    return np.array([1.0, 1.0, 0.0]) - scores
