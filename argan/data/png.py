"""Arrays as PNG and back, without loss."""

import io
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from argan.errors import DataError

DAMAGE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)  # what Pillow raises for bytes that are none


def encode_png(pixels: NDArray[Any], **options: Any) -> bytes:
    """uint8 [H,W,3] or [H,W], or uint16 [H,W]; `options` are those of Pillow's encoder."""
    out = io.BytesIO()
    Image.fromarray(pixels).save(out, format="PNG", **options)
    return out.getvalue()


def decode_png(data: bytes, name: str, dtype: type[np.generic], *, channels: int = 1) -> NDArray[Any]:
    """[H,W] for one channel, else [H,W,channels]; an array of its own. Raises DataError, naming it, for all else."""
    try:
        with Image.open(io.BytesIO(data), formats=("PNG",)) as image:
            pixels = np.array(image)
    except DAMAGE as error:
        raise DataError(f"{name} is not a whole PNG: {error}") from error
    fits = pixels.ndim == 2 if channels == 1 else pixels.ndim == 3 and pixels.shape[2] == channels
    if pixels.dtype != dtype or not fits:
        wanted = f"{'one channel' if channels == 1 else f'{channels} channels'} of {np.dtype(dtype)}"
        raise DataError(f"{name} must be {wanted}, got {pixels.dtype}{list(pixels.shape)}")
    return pixels
