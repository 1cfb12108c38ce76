"""The page of an evaluation: what was learned, between the best trivial guess and what truth itself can teach."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from argan.viewing.disparity_scale import disparity_scale
from argan.viewing.numbers import number
from argan.viewing.pages import Bar, Block, Gallery, Picture, Prose, Section, Table, page, settings_table

MEASURES = {
    "kid": "Distance of generated photos from real ones in deep features, x 1000: 0 is none. Not judged by depth.",
    "foreground_auc": "How well disparity alone separates the subject from the rest: 0.5 is chance, 1 is perfect.",
    "ordinal_accuracy": "How many pairs of places, unlike in true disparity, come in the right order: 0.5 is chance.",
    "spearman": "Rank correlation of estimated and true disparity: 0 is none, 1 is the same order everywhere.",
    "disparity_error_px": "Root mean square error of disparity after one positive scale, px per aperture unit.",
    "side": "Scale-invariant error of depth: 0 is none.",
    "inverted": "Share of photos in which more places come in the wrong order than in the right one.",
    "precision": "Share of generated photos that lie where real ones lie, in deep features.",
    "recall": "Share of real photos that lie where generated ones lie, in deep features.",
    "fid": "Another distance in deep features: 0 is none.",
    "blur_slope": "Measured radius of blur over the one that disparity predicts: 1 is right. The renderer's doing, so "
    "any run should have it.",
    "blur_intercept_px": "Radius measured where none is predicted, px.",
    "blur_r_squared": "How much of the measured radius the predicted one explains: 1 is all.",
    "blur_regions": "Regions of generated photos that were measured.",
    "blur_slope_in_training": "The same slope with the few views that the discriminator was shown.",
    "sharpness_deep": "How sharp the sharpest edges of the deep photos are.",
    "sharpness_deep_focus": "The same where they are in focus.",
    "sharpness_deep_far": "The same where disparity is more than half of its range: blur painted there shows as less.",
    "sharpness_photo": "The same of the photos that the discriminator was shown.",
    "sharpness_real": "The same of real photos.",
}

READING = (
    "A small network learned disparity from generated pairs of image and disparity only, and is judged here on photos "
    "with known disparity, which no network was taught by. The best trivial guess needs no learning: a fixed map, or a "
    "single cue such as brightness. The ceiling is the same network with the same budget, trained on truth. The bar is "
    "the way from the one to the other."
)
FIXED = (
    "The mean of truth is about the best that one map for all photos can be, and nobody without truth could guess it. "
    "The mean of the estimates is what they say before they look at a photo: what is beyond it was read from the photo."
)
COLOURS = (
    "From left to right: photo, estimated disparity, true disparity. Near white is in focus, blue lies behind the "
    "focal plane, orange before it; the darker, the farther out of focus."
)


def evaluation_report(
    result: Mapping[str, Any], pictures: Sequence[tuple[str, bytes]], *, d_max_px: float | None = None
) -> str:
    """The page as HTML.

    `result` is what jobs/evaluate.py writes: measures by name at the top; `ceiling` (measure -> value), `trivial`
    (measure -> {"name", "value"}), `gap_closed` (measure -> share), `trivial_all` (guess -> measure -> value), `fixed`
    (map -> measure -> value), `protocol` (any nesting). A measure may lack any of them. `pictures` are (caption, PNG),
    each photo | estimate | truth; `d_max_px` is where their colours end, for the legend.
    """
    measures = {name: value for name, value in result.items() if isinstance(value, int | float)}
    of_depth = "trivial_all" in result
    reading = (Prose(READING),) if of_depth else ()
    sections = [
        Section("", (*reading, _summary(measures, result), _meanings(measures))),
        *_smooth(result.get("smooth_subjects", {})),
        *_pictures(pictures, d_max_px),
        *(_opponents(result) if of_depth else []),
        Section("Protocol", (settings_table(result.get("protocol", {})),)),
    ]
    return page("Evaluation", "What a run has learned, in numbers", sections)


def _summary(measures: Mapping[str, float], result: Mapping[str, Any]) -> Table:
    columns = ("measure", "value", "gap closed (from trivial to ceiling)", "best trivial guess", "ceiling")
    ceilings, trivials, gaps = (result.get(name, {}) for name in ("ceiling", "trivial", "gap_closed"))
    rows = []
    for name, value in measures.items():
        trivial = trivials.get(name, {})
        guess, ceiling = number(trivial.get("value")), number(ceilings.get(name))
        guess_named = f"{guess} ({trivial['name']})" if trivial else guess
        rows.append((name, number(value), _gap(gaps.get(name), guess, ceiling), guess_named, ceiling))
    return Table(columns, tuple(rows))


def _smooth(result: Mapping[str, Any]) -> list[Section]:
    """Of a subject without texture depth shows at its outline only: the difficulty to beat, told apart."""
    measures = {name: value for name, value in result.items() if isinstance(value, int | float)}
    return [Section("Smooth subjects only", (_summary(measures, result),))] if measures else []


def _gap(share: float | None, trivial: str, ceiling: str) -> Bar | str:
    """The bar, or words where there is no way from trivial to ceiling to measure."""
    return Bar(share, f"{share:.2f}", trivial, ceiling) if share is not None and math.isfinite(share) else number(share)


def _meanings(measures: Mapping[str, float]) -> Table:
    return Table(("measure", "what it says"), tuple((name, MEASURES[name]) for name in measures if name in MEASURES))


def _pictures(pictures: Sequence[tuple[str, bytes]], d_max_px: float | None) -> list[Section]:
    if not pictures:
        return []
    blocks: list[Block] = [Prose(COLOURS)]
    if d_max_px is not None:
        blocks.append(disparity_scale(d_max_px))
    figures = tuple(
        Picture(png, f"Photo, estimated disparity, true disparity: {caption}", caption) for caption, png in pictures
    )
    return [Section("Best, median, worst", (*blocks, Gallery(figures)))]


def _opponents(result: Mapping[str, Any]) -> list[Section]:
    fixed = _guesses(result["fixed"])
    return [
        Section("Every trivial guess", (_guesses(result["trivial_all"]),)),
        Section("The same map for every photo", (Prose(FIXED), fixed)),
    ]


def _guesses(guesses: Mapping[str, Mapping[str, float]]) -> Table:
    measures = tuple(dict.fromkeys(measure for values in guesses.values() for measure in values))
    rows = tuple((guess, *(number(values.get(measure)) for measure in measures)) for guess, values in guesses.items())
    return Table(("guess", *measures), rows)
