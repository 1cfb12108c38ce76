"""The pictures of a report are of what the camera makes, row by row and column by column."""

from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from argan.draws import Purpose, draw_z
from argan.models.camera import build_camera
from argan.presets import preset
from argan.settings import override
from argan.viewing import samples
from argan.viewing.pictures import to_array, to_uint8


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What `grid` was asked to draw."""
    asked: list[dict[str, Any]] = []

    def grid(rows: list[list[np.ndarray]], **labels: Any) -> Image.Image:
        asked.append({"rows": rows, **labels})
        return Image.new("RGB", (1, 1))

    monkeypatch.setattr(samples, "grid", grid)
    return asked


def camera(**changes: str) -> Any:
    config = override(preset("debug"), changes)
    return build_camera(config), config


def test_a_closed_aperture_shows_the_deep_photo_and_an_open_one_does_not(drawn: list[dict[str, Any]]) -> None:
    made, config = camera()
    samples.aperture_sweep(made, config, num=3)
    [asked] = drawn
    z = draw_z(config.seed, Purpose.Z_SAMPLE, 0, num=3, z_dim=made.generator.z_dim)
    deep = to_uint8(to_array(made(z, torch.ones(3)).deep.detach()))
    assert len(asked["rows"]) == 3
    assert asked["column_labels"][0] == "s = 0"
    assert len(asked["column_labels"]) == len(asked["rows"][0]) == len(samples.SWEEP_APERTURES) + 1
    for row, photo in zip(asked["rows"], deep, strict=True):
        np.testing.assert_array_equal(row[0], photo)
        assert (row[-2] != photo).any()


def test_a_grid_is_deep_shallow_disparity_of_the_same_samples_every_time(drawn: list[dict[str, Any]]) -> None:
    made, config = camera()
    samples.sample_grid(made, config, num=4)
    samples.sample_grid(made, config, num=2)
    longer, shorter = drawn
    assert longer["row_labels"] == ("deep", "shallow", "disparity")
    assert [len(row) for row in longer["rows"]] == [4, 4, 4]
    for long_row, short_row in zip(longer["rows"], shorter["rows"], strict=True):
        np.testing.assert_array_equal(long_row[:2], short_row)


def test_a_grids_shallow_photos_are_those_of_the_open_aperture(drawn: list[dict[str, Any]]) -> None:
    """Taken for people, with more views than the discriminator is shown: few would be ghosts."""
    made, config = camera()
    samples.sample_grid(made, config, num=3)
    samples.aperture_sweep(made, config, num=3)
    a_grid, opening = drawn
    for shallow, row in zip(a_grid["rows"][1], opening["rows"], strict=True):
        np.testing.assert_array_equal(shallow, row[-2])


def test_the_standard_gan_has_deep_photos_alone(drawn: list[dict[str, Any]]) -> None:
    made, config = camera(method="gan")
    samples.sample_grid(made, config, num=2)
    assert drawn[0]["row_labels"] == ("deep",)
    with pytest.raises(ValueError, match="no aperture"):
        samples.aperture_sweep(made, config)
