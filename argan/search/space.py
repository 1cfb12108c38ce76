"""What a configuration key may be in a search: a range of numbers, or some values."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from argan.errors import UserError

DIGITS = 4  # of a number drawn: people type it again, and it names the run


@dataclass(frozen=True, kw_only=True)
class Uniform:
    """Any number from low to high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not -math.inf < self.low < self.high < math.inf:
            raise UserError(f"a range needs low < high, got {self.low} and {self.high}")
        require_short(self.low, self.high)

    def at(self, share: float) -> float:
        """The number so far along the range, 0 to 1."""
        return rounded(self.low + share * (self.high - self.low))

    def holds(self, value: Any) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True, kw_only=True)
class LogUniform:
    """Any positive number from low to high, each power of ten as likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not 0 < self.low < self.high < math.inf:
            raise UserError(f"a range of powers needs 0 < low < high, got {self.low} and {self.high}")
        require_short(self.low, self.high)

    def at(self, share: float) -> float:
        """The number so far along the range of logarithms, 0 to 1."""
        return rounded(self.low * (self.high / self.low) ** share)

    def holds(self, value: Any) -> bool:
        return isinstance(value, int | float) and self.low <= value <= self.high


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of some values."""

    values: tuple[Any, ...]

    def __post_init__(self) -> None:
        if len(self.values) < 1 or len(set(self.values)) < len(self.values):
            raise UserError(f"a choice needs values that differ, got {self.values}")
        if not all(isinstance(value, str | int | float) for value in self.values):
            raise UserError(f"a choice is of words and numbers, which the ledger keeps as they are, got {self.values}")

    def at(self, share: float) -> Any:
        """The value whose equal part of [0, 1) holds `share`."""
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    def holds(self, value: Any) -> bool:
        return value in self.values


Range = Uniform | LogUniform | Choice

KINDS = {Uniform: "uniform", LogUniform: "log_uniform", Choice: "choice"}


def grid_points(of: Range, num_points: int) -> list[Any]:
    """All values of a choice; of a range `num_points` from end to end, or its middle."""
    if isinstance(of, Choice):
        return list(of.values)
    return [of.at(share) for share in (np.linspace(0, 1, num_points).tolist() if num_points > 1 else [0.5])]


def describe(of: Range) -> dict[str, Any]:
    """Plain JSON: {"kind": "uniform", "low": 1.0, "high": 6.0}."""
    plain = asdict(of)
    return {"kind": KINDS[type(of)], **{key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}}


def require_short(*ends: float) -> None:
    """Raises UserError where rounding would lead out of the range."""
    for end in ends:
        if rounded(end) != end:
            raise UserError(f"the ends of a range have at most {DIGITS} digits, got {end}")


def rounded(number: float) -> float:
    """To four digits."""
    return float(f"{number:.{DIGITS}g}")
