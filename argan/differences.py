"""What two records of settings say otherwise, in a sentence's words."""

from collections.abc import Mapping
from typing import Any


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Every dotted key in which they differ, with both values; nothing where they are equal."""
    theirs, ours = _flat(before), _flat(now)
    keys = sorted(theirs.keys() | ours.keys())
    changed = [key for key in keys if theirs.get(key) != ours.get(key)]
    return ", ".join(f"{key} was {theirs.get(key)}, is {ours.get(key)}" for key in changed)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        flat |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return flat
