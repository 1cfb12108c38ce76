"""Every odd image of the wild has one exact outcome: the photo it shows, or a reason."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms
from wild_images import (
    BLUE,
    GREEN,
    QUADRANTS,
    RED,
    WHITE,
    animated_gif,
    encoded,
    exif_rotated_jpeg,
    half_transparent_png,
    huge_png,
    jpeg,
    quadrants,
    red_green_exchanged_profile,
)

from argan.data.photos import SkippedPhotoError, encode_jpeg, square_photo

MAX_PIXELS = 1_000_000


def corners(data: bytes, resolution: int = 32) -> np.ndarray:
    """The colours in the middle of the four quadrants, [2,2,3]."""
    photo = square_photo(data, resolution=resolution, max_pixels=MAX_PIXELS)
    assert photo.mode == "RGB"
    assert photo.size == (resolution, resolution)
    quarter = resolution // 4
    return np.asarray(photo)[quarter :: 2 * quarter, quarter :: 2 * quarter].astype(int)


def reason(data: bytes, resolution: int = 32) -> str:
    with pytest.raises(SkippedPhotoError) as skipped:
        square_photo(data, resolution=resolution, max_pixels=MAX_PIXELS)
    assert str(skipped.value)
    return skipped.value.reason


@pytest.mark.parametrize(
    ("data", "tolerance"),
    [
        (jpeg(), 2),
        (encoded(quadrants(), "PNG"), 0),
        (encoded(quadrants(), "BMP"), 0),
        (encoded(quadrants(), "TIFF"), 0),
        (encoded(quadrants(), "PPM"), 0),
        (encoded(quadrants(), "WEBP", lossless=True), 0),
        (encoded(quadrants(), "AVIF", quality=95), 8),
        (encoded(quadrants(), "JPEG2000"), 2),
        (jpeg(quadrants().convert("CMYK")), 4),
        (jpeg(progressive=True), 2),
        (encoded(quadrants().quantize(16), "PNG"), 2),
        (animated_gif(), 2),
        (encoded(quadrants(), "WEBP", save_all=True, append_images=[Image.new("RGB", (96, 96))], lossless=True), 0),
        (encoded(quadrants().convert("RGBA"), "PNG"), 0),
        (jpeg() + b"bytes after the end", 2),
    ],
    ids=[
        "jpeg", "png", "bmp", "tiff", "ppm", "webp", "avif", "jpeg2000", "cmyk", "progressive", "palette",
        "animated gif", "animated webp", "opaque alpha", "trailing bytes",
    ],
)  # fmt: skip
def test_every_kind_shows_the_same_photo(data: bytes, tolerance: int) -> None:
    assert np.abs(corners(data) - np.array(QUADRANTS)).max() <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_comes_out_upright(orientation: int) -> None:
    assert np.abs(corners(exif_rotated_jpeg(orientation)) - np.array(QUADRANTS)).max() <= 2


def test_damaged_exif_does_not_lose_the_photo() -> None:
    assert np.abs(corners(jpeg(exif=b"Exif\0\0II*\0\xff\xff\xff\xff")) - np.array(QUADRANTS)).max() <= 2


@pytest.mark.parametrize("mode", ["I;16", "I"])
def test_16_bit_grey_keeps_its_range(mode: str) -> None:
    levels = np.repeat(np.linspace(0, 65535, 64).round()[None, :], 64, axis=0)
    dtype = np.uint16 if mode == "I;16" else np.int32
    photo = square_photo(encoded(Image.fromarray(levels.astype(dtype)), "TIFF"), resolution=64, max_pixels=MAX_PIXELS)
    expected = (levels / 257).round()[..., None].repeat(3, axis=2)
    assert np.array_equal(np.asarray(photo), expected)


def test_16_bit_png_is_not_black_or_white() -> None:
    data = encoded(Image.fromarray(np.full((64, 64), 32768, np.uint16)), "PNG")
    assert (corners(data) == 128).all()


@pytest.mark.parametrize("mode", ["1", "L"])
def test_grey_photos_have_three_equal_channels(mode: str) -> None:
    white_above = np.zeros((64, 64), np.uint8)
    white_above[:32] = 255
    seen = corners(encoded(Image.fromarray(white_above).convert(mode), "PNG"))
    assert seen.tolist() == [[[255] * 3] * 2, [[0] * 3] * 2]


def test_what_is_transparent_is_white() -> None:
    assert corners(half_transparent_png()).tolist() == [[list(RED), list(GREEN)], [list(WHITE), list(WHITE)]]


def test_a_transparent_palette_entry_is_white() -> None:
    image = Image.new("P", (64, 64), 1)
    image.putpalette([0, 0, 0, *BLUE])
    image.paste(0, (0, 32, 64, 64))
    seen = corners(encoded(image, "PNG", transparency=0))
    assert seen.tolist() == [[list(BLUE)] * 2, [list(WHITE)] * 2]


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_icc_profile_is_obeyed(kind: str) -> None:
    """In a profile whose red is sRGB's green and the other way round, the file's numbers are exchanged too."""
    red, green, blue = quadrants().split()
    exchanged = Image.merge("RGB", (green, red, blue))
    options = {"JPEG": {"quality": 95, "subsampling": 0}, "WEBP": {"lossless": True}}.get(kind, {})
    data = encoded(exchanged, kind, icc_profile=red_green_exchanged_profile(), **options)
    assert np.abs(corners(data) - np.array(QUADRANTS)).max() <= 3


def test_lab_colours_are_converted() -> None:
    lab = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
    data = encoded(ImageCms.applyTransform(quadrants(), lab), "TIFF")
    assert np.abs(corners(data) - np.array(QUADRANTS)).max() <= 16, "8-bit Lab is coarse"


def test_a_profile_that_does_not_fit_is_ignored() -> None:
    assert np.abs(corners(jpeg(icc_profile=b"not a profile")) - np.array(QUADRANTS)).max() <= 2
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert np.abs(corners(jpeg(icc_profile=lab)) - np.array(QUADRANTS)).max() <= 2


@pytest.mark.parametrize(("width", "height"), [(192, 96), (96, 192), (97, 96)])
def test_the_centre_square_is_taken(width: int, height: int) -> None:
    wide = Image.new("RGB", (width, height), "yellow")
    wide.paste(quadrants(), ((width - 96) // 2, (height - 96) // 2))
    assert np.array_equal(corners(encoded(wide, "PNG")), np.array(QUADRANTS))


def test_shrinking_averages_what_it_shrinks() -> None:
    """A fine checkerboard becomes grey, at any scale: nothing aliases."""
    fine = Image.fromarray((np.indices((510, 510)).sum(axis=0) % 2 * 255).astype(np.uint8))
    for data in (encoded(fine, "PNG"), jpeg(fine)):
        photo = np.asarray(square_photo(data, resolution=32, max_pixels=MAX_PIXELS)).astype(int)
        assert np.abs(photo[2:-2, 2:-2] - 127.5).max() < 6


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"", "empty"),
        (b"These are words in a file named .jpg", "not an image"),
        (jpeg()[: len(jpeg()) // 2], "broken"),
        (encoded(quadrants(), "PNG")[:-40], "broken"),
        (encoded(quadrants(), "WEBP")[:-40], "broken"),
        (jpeg(quadrants(side_px=30)), "too small"),
        (huge_png(60_000, 60_000), "too large"),
        (huge_png(1001, 1000), "too large"),
        (encoded(Image.fromarray(np.ones((64, 64), np.float32)), "TIFF"), "unsupported"),
        (encoded(quadrants(), "EPS"), "not an image"),
        (encoded(quadrants(), "PDF"), "not an image"),
    ],
    ids=[
        "no bytes", "text", "cut jpeg", "cut png", "cut webp", "small", "bomb", "over our limit", "float", "eps", "pdf",
    ],
)  # fmt: skip
def test_what_is_no_photo_has_a_reason(data: bytes, expected: str) -> None:
    assert reason(data) == expected


def test_a_photo_of_just_the_resolution_is_kept_as_it_is() -> None:
    assert np.array_equal(
        np.asarray(square_photo(encoded(quadrants(), "PNG"), resolution=96, max_pixels=MAX_PIXELS)), quadrants()
    )


def test_the_pixel_limit_is_only_lent_to_pillow() -> None:
    before = Image.MAX_IMAGE_PIXELS
    reason(huge_png(60_000, 60_000))
    assert before == Image.MAX_IMAGE_PIXELS


def test_our_jpegs_keep_colours_and_carry_nothing_of_the_file() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = jpeg(comment=b"holiday", icc_profile=profile, exif=Image.Exif().tobytes())
    ours = Image.open(io.BytesIO(encode_jpeg(square_photo(data, resolution=32, max_pixels=MAX_PIXELS))))
    assert not {"comment", "icc_profile", "exif"} & set(ours.info)
    stripes = Image.new("RGB", (32, 32), RED)
    stripes.paste(BLUE, (0, 0, 1, 32))
    coded = np.asarray(Image.open(io.BytesIO(encode_jpeg(stripes)))).astype(int)
    assert np.abs(coded[:, 0] - BLUE).max() < 12, "a coloured line of one pixel must stay: 4:4:4"
