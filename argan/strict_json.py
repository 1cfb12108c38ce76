"""JSON that every reader takes: Python would write a bare NaN, which most of them refuse."""

import json
import math
from typing import Any


def dumps(value: Any, *, indent: int | None = None) -> str:
    """`value` as JSON; numbers that are not finite become null."""
    return json.dumps(finite(value), indent=indent, allow_nan=False)


def finite(value: Any) -> Any:
    """The same value with None in the place of every float that is not finite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
