"""uint8 and [-1, 1]: every level survives, the ends are the ends."""

import torch

from argan.pixels import to_bytes, to_signed


def test_every_level_comes_back() -> None:
    levels = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_bytes(to_signed(levels)), levels)
    assert to_signed(levels)[[0, -1]].tolist() == [-1.0, 1.0]
    assert to_signed(levels, torch.float64).dtype == torch.float64


def test_what_lies_outside_is_cut() -> None:
    assert to_bytes(torch.tensor([-1.5, 1.5])).tolist() == [0, 255]
