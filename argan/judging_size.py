"""What a judgement may spend, and on which photos: those that choose or those that tell."""

from dataclasses import dataclass, replace
from typing import Literal

Use = Literal["test", "selection"]
"""Of photos that judge: to tell how good something is, or to choose by them; none is for both."""


@dataclass(frozen=True, kw_only=True)
class JudgingSize:
    """What a trial is judged with at each rung, and a run at its checkpoints: less than jobs/evaluate.py's defaults,
    for there are many.
    """

    num_photos: int = 500
    """With truth."""
    kid_photos: int = 500
    """Of each kind."""
    estimator_images: int = 16_000
    estimator_pairs: int = 4_000
    optics: bool = False
    """Whether the width of blur and the sharpness of deep pictures are measured too."""
    use: Use = "selection"
    seed: int = 1
    """Of samples, estimators and pixel pairs. Not the one that jobs/evaluate.py takes: who was chosen for a lucky draw
    is not told of by the same draw."""


CLOSE_LOOK = JudgingSize(num_photos=4000, kid_photos=1000, estimator_images=48_000, estimator_pairs=8_000, optics=True)
"""For trials that differ by a few hundredths: as jobs/evaluate.py judges by default, on four times as many scenes."""

TELLING_LOOK = replace(CLOSE_LOOK, use="test", seed=0)
"""The same for sweeps that choose nothing: by the scenes and the seed that figures are told by."""
