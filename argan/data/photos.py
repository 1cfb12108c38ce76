"""Photos from the wild -> square sRGB photos of one resolution, or one sentence on why not.

What comes out depends on the bytes alone, so that a packed set can be packed again. The choices (white behind
transparency, no enlarging, ...) are argued in docs/decisions/packing.md.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

# Pillow knows more, but the others are no photos (and EPS would start a PostScript interpreter).
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF")
JPEG_QUALITY = 95
REDUCING_GAP = 3.0  # a big photo is first shrunk by whole numbers, down to this times the target, then by Lanczos
ORIENTATION_TAG = 0x0112
UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
MODES_8_BIT = ("L", "LA", "RGB", "RGBA", "CMYK")


class SkippedPhotoError(Exception):
    """This file gives no photo. `reason` is one of a few words to count by, the message a clause for the person."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def square_photo(data: bytes, *, resolution: int, max_pixels: int) -> Image.Image:
    """The bytes of an image file -> its centre square, upright, sRGB, mode "RGB", resolution x resolution px.

    Of an animation the first frame. Raises SkippedPhotoError: "empty", "not an image", "too large" (more than
    `max_pixels`), "too small" (a side shorter than `resolution`), "broken" or "unsupported".
    """
    if not data:
        raise SkippedPhotoError("empty", "the file has no bytes")
    photo, orientation = _decode(data, resolution, max_pixels)
    profile = photo.info.get("icc_profile")
    photo = _to_8_bit(photo)
    left, top = (photo.width - min(photo.size)) // 2, (photo.height - min(photo.size)) // 2
    square = (left, top, left + min(photo.size), top + min(photo.size))
    photo = photo.resize((resolution, resolution), Image.Resampling.LANCZOS, box=square, reducing_gap=REDUCING_GAP)
    # From here on it is small: turning and colours cost nothing.
    if orientation in UPRIGHT:
        photo = photo.transpose(UPRIGHT[orientation])
    photo = _to_srgb(_over_white(photo), profile)
    photo.info = {}  # nothing of the file's own, no comment, no profile, may travel into what we write
    return photo


def encode_jpeg(photo: Image.Image) -> bytes:
    """JPEG bytes with full colour resolution: fine enough that a blur in the photo is the lens's, not the codec's."""
    out = io.BytesIO()
    photo.save(out, format="JPEG", quality=JPEG_QUALITY, subsampling="4:4:4", optimize=True)
    return out.getvalue()


def _decode(data: bytes, resolution: int, max_pixels: int) -> tuple[Image.Image, int]:
    """The first frame, decoded, and its EXIF orientation."""
    try:
        with _pixel_limit(max_pixels):
            photo = Image.open(io.BytesIO(data), formats=FORMATS)
            if min(photo.size) < resolution:
                width, height = photo.size
                raise SkippedPhotoError("too small", f"{width}x{height} px is smaller than {resolution} px")
            # A JPEG can be decoded at a fraction of its size.
            photo.draft(None, (round(REDUCING_GAP * resolution),) * 2)
            photo.load()
    except SkippedPhotoError:
        raise
    except UnidentifiedImageError as error:
        raise SkippedPhotoError("not an image", "these bytes are no image that we know") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise SkippedPhotoError("too large", f"more than {max_pixels:,} pixels") from error
    # Pillow's decoders answer damaged bytes with nearly every exception there is.
    except Exception as error:
        raise SkippedPhotoError("broken", f"truncated or damaged ({error})") from error
    orientation = 1
    with suppress(Exception):  # damaged EXIF is no reason to lose a photo
        orientation = photo.getexif().get(ORIENTATION_TAG, 1)
    return photo, orientation


@contextmanager
def _pixel_limit(max_pixels: int) -> Iterator[None]:
    """Pillow checks the size of everything it opens, nested images too, against its own limit: lend it ours."""
    before = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = max_pixels
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # odd metadata
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    finally:
        Image.MAX_IMAGE_PIXELS = before


def _to_8_bit(photo: Image.Image) -> Image.Image:
    """Any mode -> one of MODES_8_BIT. Alpha stays, indexed transparency becomes alpha."""
    if photo.mode.startswith("I"):  # 16 bits, which Pillow also holds as 32
        levels = np.asarray(photo).astype(np.int64)
        if levels.min() < 0 or levels.max() > 65535:
            raise SkippedPhotoError("unsupported", "32-bit levels have no known white")
        return Image.fromarray(((levels * 255 + 32767) // 65535).astype(np.uint8))
    if photo.mode == "F":
        raise SkippedPhotoError("unsupported", "floating-point levels have no known white")
    if photo.has_transparency_data and photo.mode not in ("LA", "RGBA"):
        return photo.convert("RGBA")
    if photo.mode in MODES_8_BIT:
        return photo
    try:
        return photo.convert("L" if photo.mode == "1" else "RGB")
    except ValueError as error:
        raise SkippedPhotoError("unsupported", f"colours of mode {photo.mode} cannot be converted") from error


def _over_white(photo: Image.Image) -> Image.Image:
    """What a page would show of a photo with transparent parts."""
    if photo.mode not in ("LA", "RGBA"):
        return photo
    opaque = photo.convert(photo.mode.removesuffix("A"))
    white = Image.new(opaque.mode, opaque.size, "white")
    white.paste(opaque, mask=photo.getchannel("A"))
    return white


def _to_srgb(photo: Image.Image, profile: bytes | None) -> Image.Image:
    """Colours as the file's ICC profile means them; without a profile, or with one that does not fit, as sRGB."""
    transform = _icc_transform(profile, photo.mode) if profile else None
    if transform is not None:
        return transform.apply(photo)
    return photo.convert("RGB")


@lru_cache(maxsize=16)
def _icc_transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    """None where the profile is damaged or is not for this mode: viewers ignore it then, and so do we."""
    try:
        return ImageCms.buildTransform(
            io.BytesIO(profile),
            ImageCms.createProfile("sRGB"),
            mode,
            "RGB",
            renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
            flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
    except (ImageCms.PyCMSError, OSError):
        return None
