"""sRGB-coded values and the light that they stand for: lenses blur light, not codes (IEC 61966-2-1, piecewise)."""

from torch import Tensor

CODED_LIMIT, LIGHT_LIMIT = 0.04045, 0.0031308
LEAST_CODED, LEAST_LIGHT = 1e-3, 1e-4  # the branch not taken must have a finite slope


def to_light(coded: Tensor) -> Tensor:
    """[-1, 1], sRGB-coded, in any shape -> linear light in [0, 1]."""
    code = (coded + 1) / 2
    curve = ((code.clamp(min=LEAST_CODED) + 0.055) / 1.055) ** 2.4
    return (code / 12.92).where(code <= CODED_LIMIT, curve)


def to_coded(light: Tensor) -> Tensor:
    """Linear light in [0, 1] -> [-1, 1], sRGB-coded. The inverse of `to_light`."""
    curve = 1.055 * light.clamp(min=LEAST_LIGHT) ** (1 / 2.4) - 0.055
    return 2 * (12.92 * light).where(light <= LIGHT_LIMIT, curve) - 1
