"""Image files as the world has them, each made here, and what they show: red above left, green above right, blue below.

Quadrants survive any resize, so a turned or mistaken photo shows by four pixels.
"""

import io
import struct
import tarfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageCms

RED, GREEN, BLUE, WHITE = (200, 30, 30), (30, 160, 30), (30, 30, 200), (255, 255, 255)
QUADRANTS = ((RED, GREEN), (BLUE, BLUE))


def quadrants(side_px: int = 96) -> Image.Image:
    pixels = np.zeros((side_px, side_px, 3), np.uint8)
    half = side_px // 2
    for row in (0, 1):
        for column in (0, 1):
            pixels[row * half : (row + 1) * half, column * half : (column + 1) * half] = QUADRANTS[row][column]
    return Image.fromarray(pixels)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format=kind, **options)
    return out.getvalue()


def jpeg(image: Image.Image | None = None, **options: Any) -> bytes:
    return encoded(image or quadrants(), "JPEG", **{"quality": 95, "subsampling": 0, **options})


def exif_rotated_jpeg(orientation: int) -> bytes:
    """Stored turned or mirrored, with the EXIF tag that says how to set it upright."""
    undo = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = quadrants() if undo is None else quadrants().transpose(undo)
    return jpeg(stored, exif=exif.tobytes())


def animated_gif() -> bytes:
    later = Image.new("P", (96, 96), 0)
    return encoded(quadrants().quantize(16), "GIF", save_all=True, append_images=[later, later])


def half_transparent_png() -> bytes:
    """The lower half is transparent over black."""
    image = quadrants().convert("RGBA")
    image.paste((0, 0, 0, 0), (0, 48, 96, 96))
    return encoded(image, "PNG")


def huge_png(width: int, height: int) -> bytes:
    """A header that promises more than anybody wants to hold, with next to no data."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def red_green_exchanged_profile() -> bytes:
    """An ICC profile of sRGB with the names of two of its tags, the red and the green primary, exchanged."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    header_bytes, count_bytes, entry_bytes = 128, 4, 12
    (num_tags,) = struct.unpack_from(">I", profile, header_bytes)
    for entry in range(num_tags):
        at = header_bytes + count_bytes + entry * entry_bytes
        name = bytes(profile[at : at + 4])
        profile[at : at + 4] = {b"rXYZ": b"gXYZ", b"gXYZ": b"rXYZ"}.get(name, name)
    return bytes(profile)


def some_photos(count: int) -> dict[str, bytes]:
    random = np.random.default_rng(0)
    pixels = random.integers(0, 255, (count, 20, 24, 3), dtype=np.uint8)
    return {f"{index:03d}.png": encoded(Image.fromarray(pixels[index]), "PNG") for index in range(count)}


def write_folder(folder: Path, files: dict[str, bytes]) -> str:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return str(folder)


def tar_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return out.getvalue()
