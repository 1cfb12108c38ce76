"""Augmentation moves photos by whole pixels and tints them, and does nothing to their blur."""

import pytest
import torch
from training_photos import photos as real_photos

from argan.config import AugmentConfig, Config
from argan.draws import Purpose
from argan.optics import ApertureRenderer
from argan.settings import override
from argan.training.augmentation import augment, draw_augmentation, shift, tint
from argan.training.state import build_state
from argan.training.step import Share, prepare

SIDE = 16


def noise(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) * 2 - 1


def draws(num: int = 8) -> torch.Tensor:
    return draw_augmentation(0, Purpose.AUGMENT_REAL, 0, num=num).double()


def test_off_is_off() -> None:
    photos = noise(8, 3, SIDE, SIDE)
    assert augment(photos, draws(), AugmentConfig()) is photos
    still = torch.zeros(8, 5).double()
    torch.testing.assert_close(augment(photos, still, AugmentConfig(shift=0.25, colour=1.0)), photos)


@pytest.mark.parametrize("by_px", [(3, 0), (0, -2), (-5, 4), (0, 0)])
def test_a_shift_moves_every_pixel_and_leaves_grey_behind(by_px: tuple[int, int]) -> None:
    photos = noise(2, 3, SIDE, SIDE)
    moved = shift(photos, torch.tensor([by_px, (0, 0)]))
    assert torch.equal(moved[1], photos[1])
    for row in range(SIDE):
        for column in range(SIDE):
            from_row, from_column = row - by_px[1], column - by_px[0]
            inside = 0 <= from_row < SIDE and 0 <= from_column < SIDE
            expected = photos[0, :, from_row, from_column] if inside else torch.zeros(3).double()
            assert torch.equal(moved[0, :, row, column], expected)


def test_shifts_reach_both_ends_and_no_further() -> None:
    column = torch.zeros(1, 3, SIDE, SIDE).double()
    column[..., 8] = 1
    found = set()
    for each in draws(400).split(1):
        moved = augment(column, each, AugmentConfig(shift=0.2))  # 3 px
        if moved.any():
            found.add(int(moved[0, 0].amax(0).argmax()) - 8)
    assert found == {-3, -2, -1, 0, 1, 2, 3}


def test_a_shifted_photo_is_the_photo_of_what_was_shifted() -> None:
    """Blur is left alone: away from the border, shifting and rendering change places."""
    deep, disparity, one = noise(1, 3, SIDE, SIDE), noise(1, 1, SIDE, SIDE, seed=1), torch.ones(1).double()
    renderer, by_px = ApertureRenderer(5), torch.tensor([[2, -1]])
    inside = (..., slice(4, -4), slice(4, -4))
    before = renderer(shift(deep, by_px), shift(disparity, by_px), one).image
    after = shift(renderer(deep, disparity, one).image, by_px)
    torch.testing.assert_close(before[inside], after[inside])


def test_colour_keeps_what_it_names() -> None:
    """Saturation leaves grey, contrast each photo's mean, and brightness every difference."""
    photos, one = noise(4, 3, SIDE, SIDE), torch.ones(4, 1, 1, 1).double()
    nothing = torch.zeros_like(one)

    def tinted(*parts: torch.Tensor) -> torch.Tensor:
        return tint(photos, torch.stack(parts, dim=1))

    brighter = tinted(one, nothing, nothing)
    torch.testing.assert_close(brighter - photos, torch.full_like(photos, 0.5))
    grey = tinted(nothing, -one, nothing)
    torch.testing.assert_close(grey, photos.mean(1, keepdim=True).expand_as(photos))
    flat = tinted(nothing, nothing, -one)
    torch.testing.assert_close(flat.mean((1, 2, 3)), photos.mean((1, 2, 3)))
    torch.testing.assert_close(flat.diff(dim=3), 0.5 * photos.diff(dim=3))


def test_gradients_go_through_it() -> None:
    photos = noise(2, 3, 5, 5).requires_grad_(True)
    config, some = AugmentConfig(shift=0.4, colour=0.7), draws(2)
    assert torch.autograd.gradcheck(lambda x: augment(x, some, config), (photos,))


def test_it_keeps_the_memory_layout() -> None:
    photos = noise(2, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    seen = augment(photos, draws(2), AugmentConfig(shift=0.4, colour=0.7))
    assert seen.is_contiguous(memory_format=torch.channels_last)


def test_colour_is_as_strong_as_asked() -> None:
    photos = noise(8, 3, SIDE, SIDE)
    asked = augment(photos, draws(), AugmentConfig(colour=0.3))
    torch.testing.assert_close(asked, tint(photos, 0.3 * draws()[:, 2:, None, None, None]))


def test_each_batch_is_augmented_anew(config: Config) -> None:
    state = build_state(override(config, {"augment.colour": 0.5, "data.mirror": False}), torch.device("cpu"))
    num = config.data.batch_images
    batch, share = real_photos(0, config), Share(0, num, num)
    first = prepare(state, batch, share)
    state.images_seen += num
    assert not torch.allclose(first, prepare(state, batch, share))
