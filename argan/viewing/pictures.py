"""Arrays to pictures that a person can look at: uint8, disparity colours and their legend, labelled grids, PNG bytes.

Letters: H height and W width, in px.
"""

import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from argan.viewing.colours import BROKEN, disparity_colours

if TYPE_CHECKING:
    import torch

__all__ = ["disparity_colours", "grid", "legend", "png_bytes", "to_array", "to_uint8"]

PAPER = (255, 255, 255)
INK = (64, 64, 64)
LABEL_SIZE_PX = 13


def to_array(tensor: "torch.Tensor") -> NDArray[np.float32]:
    """A tensor on any device, in any float type, as a float32 array of the same shape."""
    return tensor.detach().float().cpu().numpy()


def to_uint8(image: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Images `[...,3,H,W]` in [-1, 1], sRGB-coded, to uint8 RGB `[...,H,W,3]`, for eyes: the levels are those that nets
    and files know (argan.pixels.to_bytes), but what is broken must show.

    Values outside the range are clipped; a pixel with a value that is not finite comes out magenta. ValueError for any
    other shape.
    """
    if image.ndim < 3 or image.shape[-3] != 3:
        raise ValueError(f"an image is [...,3,H,W], got shape {image.shape}")
    last = np.moveaxis(image, -3, -1)  # [...,H,W,3]
    finite = np.isfinite(last)
    coded = np.rint(127.5 * (np.clip(np.where(finite, last, 0.0), -1.0, 1.0) + 1.0)).astype(np.uint8)
    coded[~finite.all(axis=-1)] = BROKEN
    return coded


def grid(
    rows: Sequence[Sequence[NDArray[np.uint8]]],
    *,
    gap_px: int = 4,
    scale: int = 1,
    row_labels: Sequence[str] = (),
    column_labels: Sequence[str] = (),
) -> Image.Image:
    """Rows of uint8 images `[H,W,3]`, all of one size, as one picture on white.

    `scale` repeats each pixel that many times in both directions (nearest neighbour), so that tiny pictures can be seen
    as they are. `gap_px` lies between the images, in px of the result. Labels stand left of the rows and above the
    columns. Without labels, image (i, j) starts at row i * (scale * H + gap_px) and column j * (scale * W + gap_px).
    ValueError for no image, for images of several sizes, for rows of several lengths, and for a wrong number of labels.
    """
    shapes = {cell.shape for row in rows for cell in row}
    widths = {len(row) for row in rows}
    if len(shapes) != 1 or len(widths) != 1:
        raise ValueError(
            f"a grid takes rows of equal length of images of one size, got lengths {widths} and shapes {shapes}"
        )
    num_rows, num_columns = len(rows), widths.pop()
    for name, labels, wanted in (("row", row_labels, num_rows), ("column", column_labels, num_columns)):
        if len(labels) not in (0, wanted):
            raise ValueError(f"{wanted} {name} labels are needed, got {len(labels)}")

    height_px, width_px = (scale * side for side in shapes.pop()[:2])
    font = ImageFont.load_default(LABEL_SIZE_PX)
    left_px = max((int(np.ceil(font.getlength(label))) + 2 * gap_px for label in row_labels), default=0)
    top_px = LABEL_SIZE_PX + 2 * gap_px if column_labels else 0
    size = (left_px + num_columns * (width_px + gap_px) - gap_px, top_px + num_rows * (height_px + gap_px) - gap_px)

    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for i, row in enumerate(rows):
        y_px = top_px + i * (height_px + gap_px)
        if row_labels:
            draw.text((left_px - gap_px, y_px + height_px / 2), row_labels[i], INK, font, anchor="rm")
        for j, cell in enumerate(row):
            enlarged = cell.repeat(scale, axis=0).repeat(scale, axis=1)
            sheet.paste(Image.fromarray(enlarged), (left_px + j * (width_px + gap_px), y_px))
    for j, label in enumerate(column_labels):
        draw.text((left_px + j * (width_px + gap_px) + width_px / 2, top_px / 2), label, INK, font, anchor="mm")
    return sheet


def legend(d_max: float, *, width_px: int = 360) -> Image.Image:
    """The strip that explains disparity colours: -d_max (behind), 0 (focus), +d_max (before), px per aperture unit."""
    strip_px, edge_px = 16, 4
    ramp = np.linspace(-d_max, d_max, width_px - 2 * edge_px)
    strip = disparity_colours(np.broadcast_to(ramp, (strip_px, ramp.size)), d_max)
    sheet = Image.new("RGB", (width_px, strip_px + LABEL_SIZE_PX + 4 * edge_px), PAPER)
    sheet.paste(Image.fromarray(strip), (edge_px, edge_px))
    draw, font, y_px = ImageDraw.Draw(sheet), ImageFont.load_default(LABEL_SIZE_PX), strip_px + 3 * edge_px
    words: tuple[tuple[float, str, Any], ...] = (
        (edge_px, f"behind, {-d_max:g} px", "lt"),
        (width_px / 2, "0, in focus", "mt"),
        (width_px - edge_px, f"before, {d_max:+g} px", "rt"),
    )
    for x_px, text, anchor in words:
        draw.text((x_px, y_px), text, INK, font, anchor=anchor)
    return sheet


def png_bytes(image: Image.Image | NDArray[np.uint8]) -> bytes:
    """A picture, or a uint8 array `[H,W,3]`, as PNG without metadata: under one Pillow, equal pixels, equal bytes."""
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    out = io.BytesIO()
    picture.save(out, format="PNG", optimize=True)
    return out.getvalue()
