"""The schema "argan-tuples/1": a generated deep photo, the same photo through K apertures, and its disparity.

deep.png         uint8 sRGB, everything in focus
shallow-K.png    uint8 sRGB, taken through the K-th aperture of the set, counted from 0
disparity.png    uint16: disparity = value * disparity_scale + disparity_offset, px per aperture unit at s = 1
json             schema, index, seed, optics and disparity's coding, and what made the sample

The scale of disparity is one for a whole set, so two samples' codes compare. All members are lossless: the shallow
photos were taken of the deep one as it is stored, with the disparity as it is stored, and can be taken again.
"""

import io
import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from argan.errors import DataError

TUPLE_SCHEMA = "argan-tuples/1"
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
    def of_range(cls, d_max_px: float) -> "DisparityCoding":
        """Codes 0 to 65535 for -d_max to d_max."""
        return cls(2 * d_max_px / LAST_CODE, -d_max_px)

    def encode(self, disparity: NDArray[np.floating]) -> NDArray[np.uint16]:
        codes = np.rint((disparity.astype(np.float64) - self.offset) / self.scale)
        return codes.clip(0, LAST_CODE).astype(np.uint16)

    def decode(self, codes: NDArray[np.uint16]) -> NDArray[np.float32]:
        return (codes.astype(np.float64) * self.scale + self.offset).astype(np.float32)


class TupleSample(NamedTuple):
    deep: NDArray[np.uint8]  # [H,W,3] sRGB
    shallow: tuple[NDArray[np.uint8], ...]  # [H,W,3] sRGB each, in the order of the set's apertures
    disparity: NDArray[np.uint16]  # [H,W], coded
    info: dict[str, Any]  # the content of json

    @property
    def coding(self) -> DisparityCoding:
        return DisparityCoding(self.info["disparity_scale"], self.info["disparity_offset"])


def shallow_member(number: int) -> str:
    return f"shallow-{number}.png"


def encode_tuple(
    deep: NDArray[np.uint8],
    shallow: tuple[NDArray[np.uint8], ...],
    disparity: NDArray[np.uint16],
    coding: DisparityCoding,
    info: Mapping[str, Any],
) -> dict[str, bytes]:
    """The members of one sample by their names after the key: the same bytes for the same sample."""
    record = {"schema": TUPLE_SCHEMA, **coding.facts, **info}
    return {
        "deep.png": encode_png(deep),
        **{shallow_member(number): encode_png(photo) for number, photo in enumerate(shallow)},
        "disparity.png": encode_png(disparity),
        "json": json.dumps(record, sort_keys=True, allow_nan=False).encode(),
    }


def decode_tuple(members: Mapping[str, bytes]) -> TupleSample:
    """The sample in its members. Raises DataError naming the member that is missing or does not fit."""
    info = _info(_member(members, "json"))
    deep = _pixels(_member(members, "deep.png"), "deep.png", np.uint8, 3)
    names = [shallow_member(number) for number in range(len(info["apertures"]))]
    shallow = tuple(_pixels(_member(members, name), name, np.uint8, 3) for name in names)
    disparity = _pixels(_member(members, "disparity.png"), "disparity.png", np.uint16, 2)
    sizes = {pixels.shape[:2] for pixels in (deep, *shallow, disparity)}
    if len(sizes) > 1:
        raise DataError(f"the pictures of one sample differ in size: {sorted(sizes)}")
    more = sorted(set(members) - {"json", "deep.png", "disparity.png", *names})
    if more:
        raise DataError(f"members that the schema does not know: {', '.join(more)}")
    return TupleSample(deep, shallow, disparity, info)


def _member(members: Mapping[str, bytes], name: str) -> bytes:
    if name not in members:
        raise DataError(f"{name} is missing")
    return members[name]


def _info(data: bytes) -> dict[str, Any]:
    try:
        info = json.loads(data)
    except ValueError as error:
        raise DataError(f"json does not parse: {error}") from error
    schema = info.get("schema") if isinstance(info, dict) else info
    if schema != TUPLE_SCHEMA:
        raise DataError(f"json must say schema {TUPLE_SCHEMA!r}, got {schema!r}")
    missing = [name for name in ("index", "apertures", "disparity_scale", "disparity_offset") if name not in info]
    if missing or not isinstance(info["apertures"], list):
        raise DataError(f"json lacks {', '.join(missing) or 'a list of apertures'}")
    return info


def encode_png(pixels: NDArray[Any]) -> bytes:
    out = io.BytesIO()
    # Level 1 is twice as fast as the default, at 5 % more for photos and 30 % more for disparity, which is small.
    Image.fromarray(pixels).save(out, format="PNG", compress_level=1)
    return out.getvalue()


def _pixels(data: bytes, name: str, dtype: type[np.generic], num_dims: int) -> NDArray[Any]:
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            pixels = np.array(image)  # a copy that may be written to, as torch wants it
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{name} is not a whole PNG: {error}") from error
    if pixels.dtype != dtype or pixels.ndim != num_dims:
        raise DataError(
            f"{name} must be {np.dtype(dtype)} with {num_dims} dimensions, got {pixels.dtype} {pixels.shape}"
        )
    return pixels
