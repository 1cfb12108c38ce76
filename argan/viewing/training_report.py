"""The page of a run: where it stands, what the generator makes, how depth emerged, every number it wrote down."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from argan.config import Config
from argan.settings import from_dict, run_name
from argan.training.health import is_check, standing, symptoms, vitals_of
from argan.viewing.curves import Row, as_float, curves
from argan.viewing.disparity_scale import disparity_scale
from argan.viewing.numbers import duration, number, percent
from argan.viewing.pages import (
    Block,
    Command,
    Details,
    Facts,
    Gallery,
    Picture,
    Prose,
    Section,
    page,
    settings_table,
)

NUM_FRAMES = 12
"""Earlier grids on the page: enough to see depth emerge, few enough to keep the page small."""

TUPLES = (
    "Deep is what the generator paints: everything sharp. Disparity is the depth it imagines beneath it. Shallow is "
    "the deep picture taken through the open aperture (s = 1) with that disparity: where disparity is 0 it stays "
    "sharp, elsewhere it blurs."
)
COLOURS = (
    "Near white is in focus, blue lies behind the focal plane, orange before it; the darker, the more out of focus. "
    "Blur alone cannot tell behind from before: the center focus prior, where it is on, sets the sign. The numbers are "
    "px per aperture unit at this resolution."
)
BASELINE = "The standard GAN is the baseline without a camera: it paints photos as they are and learns no depth."
SWEEP = "The same z while the aperture opens from s = 0, the deep picture itself, to s = 1; disparity stands beside it."
FILMSTRIP = "The same z, earlier in the run."
DEPTH_OR_PRIOR = (
    "Disparity that follows the subject's outline is depth that was learned; a plain disc in the middle is only the "
    "prior."
)


class TrainingPictures(NamedTuple):
    """PNGs of a run, all of the same fixed z. What is not there yet is left out of the page."""

    samples: bytes | None = None
    """The latest grid: deep, shallow, disparity."""
    aperture_sweep: bytes | None = None
    """The same z with s from 0 to 1."""
    earlier: Sequence[tuple[int, bytes]] = ()
    """(images seen, grid), in any order."""


def training_report(
    config: Mapping[str, Any],
    history: Sequence[Row],
    pictures: TrainingPictures,
    *,
    state: str,
    resume_command: str = "",
    judging_ended: str = "",
    versions: Mapping[str, str] | None = None,
) -> str:
    """The page as HTML.

    `config` is what argan.settings.to_dict gives. `history` holds a row a tick: "images_seen" and any "group/name"
    numbers, finite or not; of two rows at one position the later stands. `state` is shown as it is, and
    `judging_ended`, why the run is judged no more; "training" adds the time left. UserError for a config that does not
    fit.
    """
    settings = from_dict(config)
    learns_depth = settings.method == "ar-gan"
    rows = [row for _, row in sorted({row["images_seen"]: row for row in history}.items())]
    sections = [
        Section("", _overview(rows, settings, state, resume_command, judging_ended)),
        _samples(pictures, settings.d_max_px, learns_depth=learns_depth),
        *_filmstrip(pictures, learns_depth=learns_depth),
        Section("Curves", curves(rows)),
        Section("How it was made", _making(config, versions)),
    ]
    subtitle = f"{settings.method.upper()} at {settings.resolution} px, preset {settings.preset}"
    return page(run_name(settings), subtitle, sections)


def filmstrip(images_seen: Sequence[int]) -> list[int]:
    """Which of these positions to show, ascending: all if they are few, else spread over the logarithm, ends included.

    Depth emerges early, so that is where to look closely.
    """
    positions = sorted(set(images_seen))
    if len(positions) <= NUM_FRAMES:
        return positions
    low, high = math.log1p(positions[0]), math.log1p(positions[-1])
    wanted = [low + (high - low) * i / (NUM_FRAMES - 1) for i in range(NUM_FRAMES)]
    return sorted({min(positions, key=lambda seen: abs(math.log1p(seen) - at)) for at in wanted})


def _overview(
    rows: Sequence[Row], settings: Config, state: str, resume_command: str, judging_ended: str
) -> tuple[Block, ...]:
    last: Row = rows[-1] if rows else {"images_seen": 0}
    seen, total_images = last["images_seen"], settings.schedule.total_images
    facts = [("state", state), ("images seen", f"{seen:,} of {total_images:,} ({percent(seen / total_images)})")]
    speed = as_float(last.get("speed/images_per_s"))
    if state == "training" and speed > 0:
        facts.append(("time left", duration((total_images - seen) / speed)))
    for name, key, words in (
        ("time spent", "time/elapsed_s", duration),
        ("images/s", "speed/images_per_s", number),
        ("waiting for data", "speed/data_wait_share", percent),
    ):
        if key in last:
            facts.append((name, words(as_float(last[key]))))
    if health := _health(rows, settings):
        facts.append(("health", health))
    if judging_ended:
        facts.append(("judging", judging_ended))
    if not resume_command:
        return (Facts(tuple(facts)),)
    resume = Prose("The same command goes on from the last checkpoint, or finds the run finished:")
    return Facts(tuple(facts)), resume, Command(resume_command)


def _health(rows: Sequence[Row], settings: Config) -> str:
    """What the guard has seen; "" before its first check."""
    checks = [row for row in rows if is_check(row)]
    if not checks:
        return ""
    found = standing(rows, settings)
    if found.symptoms:
        return f"collapsed: {', '.join(found.symptoms)}"
    last = checks[-1]
    if last["images_seen"] < settings.guard.from_images:
        return f"not judged before {settings.guard.from_images:,} images"
    seen = symptoms(vitals_of(last), last["images_seen"], settings)
    return f"at the last check: {', '.join(seen)}" if seen else "nothing wrong"


def _samples(pictures: TrainingPictures, d_max_px: float, *, learns_depth: bool) -> Section:
    title = "What it makes now"
    if pictures.samples is None:
        return Section(title, (Prose("No pictures yet."),))
    blocks: list[Block] = [Prose(TUPLES if learns_depth else BASELINE)]
    blocks.append(Picture(pictures.samples, "Generated samples, a column for each fixed z."))
    if learns_depth:
        blocks.append(disparity_scale(d_max_px, COLOURS))
    if pictures.aperture_sweep is not None:
        blocks.append(Picture(pictures.aperture_sweep, "Generated samples under a wider and wider aperture.", SWEEP))
    return Section(title, tuple(blocks))


def _filmstrip(pictures: TrainingPictures, *, learns_depth: bool) -> list[Section]:
    by_position = dict(pictures.earlier)
    frames = tuple(
        Picture(by_position[seen], f"Generated samples after {seen:,} images.", f"{seen:,} images")
        for seen in filmstrip(list(by_position))
    )
    if not frames:
        return []
    if learns_depth:
        return [Section("How depth emerged", (Prose(f"{FILMSTRIP} {DEPTH_OR_PRIOR}"), Gallery(frames)))]
    return [Section("How it came about", (Prose(FILMSTRIP), Gallery(frames)))]


def _making(config: Mapping[str, Any], versions: Mapping[str, str] | None) -> tuple[Block, ...]:
    settings = Details("Resolved configuration", (settings_table(config),))
    return (settings, Details("Versions", (settings_table(versions),))) if versions else (settings,)
