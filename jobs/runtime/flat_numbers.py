"""The numbers of an evaluation by flat names, for a ledger or a curve."""

from typing import Any


def flat_numbers(result: dict[str, Any], prefix: str = "") -> dict[str, float | None]:
    """The result's own numbers, its ceiling's and the gap closed, by dotted names: "gap_closed.spearman".

    Not what is told of guesses, fixed maps and smooth subjects.
    """
    found: dict[str, float | None] = {}
    for key, value in result.items():
        if key in ("gap_closed", "ceiling"):
            found |= flat_numbers(value, f"{key}.")
        elif value is None or isinstance(value, int | float):
            found[prefix + key] = value
    return found
