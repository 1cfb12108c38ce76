"""The cheap cues: what a guess at depth could lean on without any understanding. Each is a trivial baseline of depth.

A trained estimator means something only as far as it beats them; scenes are made so that none of them gives depth away.
"""

import numpy as np
from numpy.typing import NDArray

from argan.pixels import LUMA

CONTRAST_WINDOW = 5 / 64  # of the picture's side: the square in which local contrast is taken


def cue_maps(image: NDArray[np.uint8]) -> dict[str, NDArray[np.float64]]:
    """The cues of one photo [H,W,3] sRGB, each a map [H,W] to be read as a score of nearness, at either polarity.

    brightness, red, green, blue in 0..255; saturation in 0..1 (of HSV); local_contrast: the deviation of brightness in
    a square of 5/64 of the side; centre: minus the distance to the middle, in sides; height: how far down, in sides.
    Raises ValueError on anything else than [H,W,3].
    """
    if image.ndim != 3 or image.shape[2] != 3:
        raise ValueError(f"cues are of one RGB photo [H,W,3], got {list(image.shape)}")
    height, width, _ = image.shape
    pixels = image.astype(np.float64)
    brightness = pixels @ np.array(LUMA)
    largest, smallest = pixels.max(axis=2), pixels.min(axis=2)
    down = np.broadcast_to(((np.arange(height) + 0.5) / height)[:, None], (height, width))
    right = np.broadcast_to(((np.arange(width) + 0.5) / width)[None, :], (height, width))
    return {
        "brightness": brightness,
        "saturation": (largest - smallest) / np.maximum(largest, 1.0),
        "red": pixels[:, :, 0],
        "green": pixels[:, :, 1],
        "blue": pixels[:, :, 2],
        "local_contrast": _local_deviation(brightness, max(1, round(CONTRAST_WINDOW * min(height, width) / 2))),
        "centre": -np.hypot(right - 0.5, down - 0.5),
        "height": down,
    }


def _local_deviation(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    """Standard deviation in the square of 2 reach + 1 pixels about each pixel, mirrored at the borders."""
    mean = _local_mean(values, reach)
    return np.sqrt(np.maximum(_local_mean(values**2, reach) - mean**2, 0.0))


def _local_mean(values: NDArray[np.float64], reach: int) -> NDArray[np.float64]:
    side = 2 * reach + 1
    padded = np.pad(values, reach, mode="symmetric")
    sums = np.pad(padded.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))
    return (sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]) / side**2
