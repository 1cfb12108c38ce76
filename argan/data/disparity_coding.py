"""Disparity as the 16-bit codes of disparity.png, in sets of photos with truth and in sets of samples alike."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

LAST_CODE = 65535


class DisparityCoding(NamedTuple):
    """disparity = value * scale + offset, in px per aperture unit."""

    scale: float
    offset: float

    @property
    def facts(self) -> dict[str, float]:
        """As a sample's json says it."""
        return {"disparity_scale": self.scale, "disparity_offset": self.offset}

    @classmethod
    def of_range(cls, low_px: float, high_px: float) -> "DisparityCoding":
        """Codes 0 to 65535 for low to high; where these are one value any scale will do."""
        return cls((high_px - low_px) / LAST_CODE or 1.0, low_px)

    def encode(self, disparity: NDArray[np.floating]) -> NDArray[np.uint16]:
        """Kept to half a step of `scale` within the range."""
        codes = np.rint((disparity.astype(np.float64) - self.offset) / self.scale)
        return codes.clip(0, LAST_CODE).astype(np.uint16)

    def decode(self, codes: NDArray[np.uint16]) -> NDArray[np.float32]:
        return (codes.astype(np.float64) * self.scale + self.offset).astype(np.float32)
