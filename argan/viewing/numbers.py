"""Numbers as people read them."""

import math


def number(value: object) -> str:
    """Four significant digits, thousands in groups; a missing number is a dash, one that is not finite says so."""
    if value is None:
        return "-"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if not math.isfinite(value):
        return f"not finite ({value})"
    if isinstance(value, int) or (value.is_integer() and abs(value) < 1e15):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 999.95 else f"{value:.4g}"


def percent(share: float) -> str:
    """0.421 -> 42.1 %, which no line break parts."""
    return f"{100 * share:.1f}\N{NO-BREAK SPACE}%" if math.isfinite(share) else number(share)


def duration(seconds: float) -> str:
    """The two largest units: 3 d 4 h, 2 h 05 min, 12 min 30 s, 8 s."""
    if not math.isfinite(seconds):
        return number(seconds)
    minutes, s = divmod(round(max(seconds, 0.0)), 60)
    hours, min_ = divmod(minutes, 60)
    days, h = divmod(hours, 24)
    if days:
        return f"{days} d {h} h"
    if h:
        return f"{h} h {min_:02d} min"
    return f"{min_} min {s:02d} s" if min_ else f"{s} s"
