"""What is a pure function of its record is made once, and is one thing for all who use it."""

from pathlib import Path

import torch
from torch import Tensor

from argan.storage import open_storage
from jobs.runtime.kept import kept

RECORD = {"taught_by": "truth"}


def test_who_is_slower_takes_what_was_put_there_first(tmp_path: Path) -> None:
    """Two trials of a sweep teach the ceiling at the same time, and their sums may differ."""
    cache = open_storage(str(tmp_path))
    first, second = ({"weight": torch.full((2,), value)} for value in (1.0, 2.0))

    def slower() -> dict[str, Tensor]:
        assert kept(cache, "truth", RECORD, lambda: first) == first
        return second

    for _ in range(2):
        assert torch.equal(kept(cache, "truth", RECORD, slower)["weight"], first["weight"])
