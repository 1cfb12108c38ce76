"""Photos as files hold them and as nets see them: uint8 and [-1, 1]."""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pixels = TypeVar("Pixels", Tensor, NDArray[np.float64])

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness, of the sRGB-coded channels (ITU-R BT.601)."""


def to_signed(photos: Tensor, dtype: torch.dtype = torch.float32) -> Tensor:
    """uint8 in any shape -> [-1, 1], sRGB-coded as before: 0 is -1, 255 is 1."""
    return photos.to(dtype) / 127.5 - 1.0


def to_bytes(photos: Tensor) -> Tensor:
    """[-1, 1] in any shape -> uint8, to the nearest level; what lies outside is cut. The inverse of `to_signed`."""
    return ((photos + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)


def laplacian(luma: Pixels) -> Pixels:
    """[...,H,W] -> [...,H-2,W-2]: the four neighbours less four times the pixel."""
    middle = luma[..., 1:-1, 1:-1]
    across = luma[..., 1:-1, :-2] + luma[..., 1:-1, 2:]
    return luma[..., :-2, 1:-1] + luma[..., 2:, 1:-1] + across - 4 * middle
