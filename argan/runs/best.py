"""Which of a run's checkpoints were the best, by what was judged while it trained."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from argan.errors import MissingError

JUDGED = "judged/"
Best = Literal["best-kid", "best-depth"]
BEST_BY: dict[Best, tuple[str, Callable[[Iterable[float]], float]]] = {
    "best-kid": (f"{JUDGED}kid", min),
    "best-depth": (f"{JUDGED}gap_closed.ordinal_accuracy", max),
}


def best_images(history: Sequence[Mapping[str, Any]]) -> dict[Best, int]:
    """Where each of the best stood, in images seen; the earliest of equals. Empty before anything was judged."""
    found: dict[Best, int] = {}
    for which, (name, extreme) in BEST_BY.items():
        values = {row["images_seen"]: row[name] for row in history if row.get(name) is not None}
        if values:
            best = extreme(values.values())
            found[which] = next(images for images, value in values.items() if value == best)
    return found


def require_best(history: Sequence[Mapping[str, Any]], which: Best, uri: str) -> int:
    """Raises MissingError where that was never judged."""
    found = best_images(history)
    if which not in found:
        raise MissingError(
            f"{uri} has no {which} checkpoint: nothing was judged by {BEST_BY[which][0]} while it trained"
        )
    return found[which]
