"""Cue maps on photos whose cues are known."""

import numpy as np
import pytest

from argan.evaluation.cues import cue_maps


def test_a_flat_photo_has_flat_colour_cues():
    cues = cue_maps(np.full((8, 6, 3), (200, 100, 50), np.uint8))
    expected = {"red": 200, "green": 100, "blue": 50, "saturation": 0.75, "local_contrast": 0}
    for name, value in expected.items():
        np.testing.assert_allclose(cues[name], value, atol=1e-5)
    np.testing.assert_allclose(cues["brightness"], 0.299 * 200 + 0.587 * 100 + 0.114 * 50)
    assert {values.shape for values in cues.values()} == {(8, 6)}


def test_places():
    cues = cue_maps(np.zeros((64, 64, 3), np.uint8))
    assert np.unravel_index(cues["centre"].argmax(), (64, 64)) in {(31, 31), (31, 32), (32, 31), (32, 32)}
    assert cues["centre"][0, 0] == cues["centre"].min()
    assert (np.diff(cues["height"], axis=0) == 1 / 64).all()
    assert not cues["saturation"].any()


@pytest.mark.parametrize("side", [32, 64])
def test_local_contrast_is_the_deviation_in_a_window(side):
    rng = np.random.default_rng(0)
    image = np.repeat(rng.integers(0, 256, (side, side, 1), dtype=np.uint8), 3, axis=2)
    reach = {32: 1, 64: 2}[side]
    contrast = cue_maps(image)["local_contrast"]
    middle = image[10 - reach : 11 + reach, 20 - reach : 21 + reach, 0].astype(float)
    assert contrast[10, 20] == pytest.approx(middle.std())


def test_a_photo_without_colours_is_refused():
    with pytest.raises(ValueError, match=r"\[8, 8\]"):
        cue_maps(np.zeros((8, 8), np.uint8))
