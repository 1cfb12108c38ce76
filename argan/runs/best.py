"""Which of a run's checkpoints were the best, by what was judged while it trained."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

from argan.errors import MissingError
from argan.runs.checkpoints import read_pointer
from argan.runs.folder import read_history
from argan.storage import Storage

JUDGED = "judged/"
Best = Literal["best-kid", "best-depth"]
BEST_BY: dict[Best, tuple[str, Callable[[Iterable[float]], float]]] = {
    "best-kid": (f"{JUDGED}kid", min),
    "best-depth": (f"{JUDGED}ordinal_accuracy", max),
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


def images_of_best(run: Storage, which: Best) -> int:
    """Where that checkpoint of the run stands: of those that are kept. What a rollback left behind is gone, and what
    was best before it may be.

    Raises MissingError where none of them was judged by that measure.
    """
    kept = {checkpoint["images_seen"] for checkpoint in read_pointer(run).checkpoints}
    found = best_images([row for row in read_history(run) if row["images_seen"] in kept])
    if which not in found:
        raise MissingError(f"{run.uri} has no {which} checkpoint: none that it keeps was judged by {BEST_BY[which][0]}")
    return found[which]
