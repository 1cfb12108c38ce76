"""The numbers of an evaluation by flat names, for a ledger or a curve."""

from typing import Any


def numbers(result: dict[str, Any], prefix: str = "") -> dict[str, float | None]:
    """Every number outside the protocol and the spreads, by its dotted name: "gap_closed.spearman"."""
    found: dict[str, float | None] = {}
    for key, value in result.items():
        if key in ("gap_closed", "ceiling"):
            found |= numbers(value, f"{key}.")
        elif value is None or isinstance(value, int | float):
            found[prefix + key] = value
    return found
