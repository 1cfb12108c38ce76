"""The schema "argan-tuples/1": a generated deep photo, the same photo through K apertures, and its disparity.

deep.png         uint8 sRGB, everything in focus
shallow-K.png    uint8 sRGB, taken through the K-th aperture of the set, counted from 0
disparity.png    uint16: disparity = value * disparity_scale + disparity_offset, px per aperture unit at s = 1
json             schema, index, seed, optics and disparity's coding, and what made the sample

The scale of disparity is one for a whole set, so two samples' codes compare. All members are lossless: the shallow
photos were taken of the deep one as it is stored, with the disparity as it is stored, and can be taken again.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.data.disparity_coding import DisparityCoding
from argan.data.png import decode_png, encode_png
from argan.errors import DataError

TUPLE_SCHEMA = "argan-tuples/1"


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
        "deep.png": _squeezed(deep),
        **{shallow_member(number): _squeezed(photo) for number, photo in enumerate(shallow)},
        "disparity.png": _squeezed(disparity),
        "json": json.dumps(record, sort_keys=True, allow_nan=False).encode(),
    }


def decode_tuple(members: Mapping[str, bytes]) -> TupleSample:
    """The sample in its members. Raises DataError naming the member that is missing or does not fit."""
    info = _info(_member(members, "json"))
    deep = decode_png(_member(members, "deep.png"), "deep.png", np.uint8, channels=3)
    names = [shallow_member(number) for number in range(len(info["apertures"]))]
    shallow = tuple(decode_png(_member(members, name), name, np.uint8, channels=3) for name in names)
    disparity = decode_png(_member(members, "disparity.png"), "disparity.png", np.uint16)
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


def _squeezed(pixels: NDArray[Any]) -> bytes:
    # Level 1 is twice as fast as the default, at 5 % more for photos and 30 % more for disparity, which is small.
    return encode_png(pixels, compress_level=1)
