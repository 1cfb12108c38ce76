"""The card of a set: every number that a reader needs is on it, whatever the set holds."""

import re
from pathlib import Path

import numpy as np
import pytest
from page_reading import read

from argan.generation import quality
from argan.viewing.charts import histogram
from argan.viewing.pictures import png_bytes
from argan.viewing.set_card import REJECTED, CardPictures, card_page, card_text

PNG = png_bytes(np.zeros((4, 4, 3), np.uint8))
HEAD = {
    "num_samples": 1200,
    "num_kept": 1000,
    "num_duplicates": 3,
    "rejected": {"blurred": 150, "flat": 50},
    "shards": [{"size_bytes": 2_500_000}, {"size_bytes": 1_500_000}],
}
TERMS = {"recipe": {"apertures": [0.5], "random_apertures": 1, "focus_px": 0.0, "shape": "disk"}, "schema": "t/1"}
MODEL = {"run": "small-<64>", "resolution": 64, "d_max_px": 3.0, "images seen": 400_000}


def columns(num: int) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    names = ("disparity_mean_px", "disparity_min_px", "disparity_spread", "contrast", "sharpness", "aperture_0")
    return {name: random.random(num) for name in names} | {"reason": np.array(["", "flat"] * (num // 2))}


def test_page_and_text_say_the_same_numbers() -> None:
    sheet = CardPictures(PNG, "12 samples")
    for text in (read(card_page(HEAD, TERMS, MODEL, columns(20), sheet)).text, card_text(HEAD, TERMS, MODEL)):
        for words in ("1,000", "200", "150", "50", "4.0 MB in 2 shards", "64 px", "small-<64>", REJECTED["blurred"]):
            assert words in text
        for why in ("inverted", "saturated"):
            assert why not in text


def test_a_set_of_which_nothing_was_kept_has_a_card() -> None:
    head = {**HEAD, "num_kept": 0, "num_duplicates": 0}
    none = {name: values if name != "reason" else np.full(20, "flat") for name, values in columns(20).items()}
    assert "0 generated samples" in read(card_page(head, TERMS, MODEL, none, None)).text


def test_every_reason_has_a_sentence() -> None:
    source = (Path(quality.__file__)).read_text()
    assert set(re.findall(r'return "([a-z-]+)"', source)) == set(REJECTED)


@pytest.mark.parametrize("values", [[], [0.5], [-9.0, 0.2, 9.0]])
def test_a_histogram_counts_every_value_once(values: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    from matplotlib.axes import Axes

    counted = []
    draw = Axes.hist

    def hist(self, *arguments, **options):
        drawn = draw(self, *arguments, **options)
        counted.append(drawn[0].sum())
        return drawn

    monkeypatch.setattr(Axes, "hist", hist)
    assert histogram("a", "x", np.array(values), limits=(0.0, 1.0)).startswith("<svg")
    assert counted == [len(values)]
