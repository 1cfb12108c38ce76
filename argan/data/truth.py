"""The truth schema "argan-truth/1": disparity, mask and dof_scale of one photo, as the members that stand beside it.

disparity.png   uint16: disparity = value * disparity_scale + disparity_offset, px per aperture unit at s = 1
mask.png        uint8: 255 where the subject is, 0 elsewhere
json            schema, dof_scale, disparity_scale, disparity_offset, and what else the maker of the set knows
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from argan.data.disparity_coding import DisparityCoding
from argan.data.png import decode_png, encode_png
from argan.errors import DataError

TRUTH_SCHEMA = "argan-truth/1"
TRUTH_MEMBERS = ("disparity.png", "mask.png", "json")
CODING_KEYS = ("schema", "disparity_scale", "disparity_offset")


class Truth(NamedTuple):
    disparity: NDArray[np.float32]  # [H,W] px per aperture unit at s = 1
    mask: NDArray[np.bool_]  # [H,W]
    dof_scale: float  # in [0, 1]
    info: dict[str, Any]  # the maker's other keys, dof_scale and optics among them


def encode_truth(disparity: NDArray[np.float32], mask: NDArray[np.bool_], info: Mapping[str, Any]) -> dict[str, bytes]:
    """The members of one sample, by their names after the key: the same bytes for the same truth.

    disparity [H,W] in px per aperture unit, mask bool [H,W]. `info` is plain JSON data and holds at least `dof_scale`.
    Disparity is kept to half a step of (max - min) / 65535. Raises DataError on what the schema cannot hold.
    """
    if disparity.ndim != 2 or disparity.size == 0 or disparity.shape != mask.shape or mask.dtype != np.bool_:
        raise DataError(
            f"truth needs a disparity and a bool mask of one shape [H,W], got {_of(disparity)}, {_of(mask)}"
        )
    if not np.isfinite(disparity).all():
        raise DataError("truth needs a finite disparity everywhere, got NaN or infinity")
    taken = sorted(set(CODING_KEYS) & set(info))
    if taken:
        raise DataError(f"the truth schema writes {', '.join(taken)} itself: leave them out of info")
    _dof_scale(info)
    coding = DisparityCoding.of_range(float(disparity.min()), float(disparity.max()))
    record = {"schema": TRUTH_SCHEMA, **coding.facts, **info}
    return {
        "disparity.png": encode_png(coding.encode(disparity)),
        "mask.png": encode_png(mask.astype(np.uint8) * np.uint8(255)),
        "json": json.dumps(record, sort_keys=True, allow_nan=False).encode(),
    }


def decode_truth(members: Mapping[str, bytes]) -> Truth:
    """The truth in a sample's members (others are ignored). Raises DataError naming the member that does not fit."""
    missing = [name for name in TRUTH_MEMBERS if name not in members]
    if missing:
        raise DataError(f"a sample with truth needs {', '.join(TRUTH_MEMBERS)}; missing: {', '.join(missing)}")
    record = _record(members["json"])
    coding = DisparityCoding(_number(record, "disparity_scale"), _number(record, "disparity_offset"))
    if coding.scale <= 0:
        raise DataError(f"disparity_scale must be positive, got {coding.scale}")
    codes = decode_png(members["disparity.png"], "disparity.png", np.uint16)
    mask = decode_png(members["mask.png"], "mask.png", np.uint8)
    if codes.shape != mask.shape:
        raise DataError(f"disparity.png and mask.png differ in size: {codes.shape} and {mask.shape}")
    if not np.isin(mask, (0, 255)).all():
        raise DataError("mask.png must be 0 or 255 everywhere")
    info = {key: value for key, value in record.items() if key not in CODING_KEYS}
    return Truth(coding.decode(codes), mask == 255, _dof_scale(record), info)


def _of(array: NDArray[Any]) -> str:
    return f"{array.dtype}{list(array.shape)}"


def _record(data: bytes) -> dict[str, Any]:
    try:
        record = json.loads(data)
    except ValueError as error:
        raise DataError(f"the json of a sample does not parse: {error}") from error
    schema = record.get("schema") if isinstance(record, dict) else record
    if schema != TRUTH_SCHEMA:
        raise DataError(f"the json of a sample must say schema {TRUTH_SCHEMA!r}, got {schema!r}")
    return record


def _number(record: Mapping[str, Any], key: str) -> float:
    value = record.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise DataError(f"{key} must be a finite number, got {value!r}")
    return float(value)


def _dof_scale(record: Mapping[str, Any]) -> float:
    dof_scale = _number(record, "dof_scale")
    if not 0.0 <= dof_scale <= 1.0:
        raise DataError(f"dof_scale must be in [0, 1], got {dof_scale}")
    return dof_scale
