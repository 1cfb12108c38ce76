"""What can go wrong in training without any number breaking, as the vitals in a run's history tell it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from argan.config import Config
from argan.training.vitals import Vitals

PREFIX = "health/"


class Standing(NamedTuple):
    """What the checks of a run so far come to."""

    symptoms: tuple[str, ...]  # seen at each of the last `guard.patience` checks
    healthy_images: int | None  # of the newest check that found nothing, once anything may be; None: there was none


def symptoms(seen: Mapping[str, float | None], images_seen: int, config: Config) -> list[str]:
    """What is wrong, by vitals by name; none where one is missing or no number. Before guard.from_images nothing is:
    all is flat and blurred at first. While the prior still falls, disparity may look like it.
    """
    guard = config.guard
    if images_seen < guard.from_images:
        return []
    settled = images_seen >= config.prior.fall_images
    limits = [
        ("saturated discriminator", "margin", lambda value: value > guard.most_margin),
        ("lost diversity", "diversity", lambda value: value < guard.least_diversity),
        ("blurred deep photos", "sharpness", lambda value: value < guard.least_sharpness),
        ("blur painted into deep photos", "far_sharpness", lambda value: value < guard.least_far_sharpness),
        ("flat disparity", "spread", lambda value: value < guard.least_spread),
        ("inverted disparity", "inverted", lambda value: value > guard.most_inverted),
        ("prior-only disparity", "prior_correlation", lambda value: settled and value > guard.most_prior_correlation),
    ]
    return [name for name, vital, is_wrong in limits if (value := seen.get(vital)) is not None and is_wrong(value)]


def standing(history: Sequence[Mapping[str, Any]], config: Config) -> Standing:
    """From the rows of a run's history, oldest first; those with vitals are the checks."""
    checks = [row for row in history if is_check(row)]
    found = [(row["images_seen"], symptoms(vitals_of(row), row["images_seen"], config)) for row in checks]
    last = [set(names) for _, names in found[-config.guard.patience :]]
    lasting = set.intersection(*last) if len(last) == config.guard.patience else set()
    healthy = [images for images, names in found if not names and images >= config.guard.from_images]
    return Standing(tuple(sorted(lasting)), healthy[-1] if healthy else None)


def is_check(row: Mapping[str, Any]) -> bool:
    return f"{PREFIX}margin" in row


def as_metrics(seen: Vitals) -> dict[str, float]:
    """As they stand in a history's row; what the standard GAN has not is left out."""
    return {f"{PREFIX}{name}": value for name, value in seen._asdict().items() if value == value}


def vitals_of(row: Mapping[str, Any]) -> dict[str, float | None]:
    return {name.removeprefix(PREFIX): value for name, value in row.items() if name.startswith(PREFIX)}
