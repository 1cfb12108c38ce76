"""Checkpoints of made-up tensors, for tests of what becomes of them."""

import torch

from argan.presets import preset
from argan.runs.checkpoints import commit_checkpoint
from argan.storage import Storage
from argan.training.checkpoint import Snapshot


def saved_at(images_seen: int) -> Snapshot:
    random = torch.Generator().manual_seed(images_seen)
    return Snapshot(
        images_seen,
        {"a": torch.randn(3, 4, generator=random)},
        {"b": torch.randn(5, generator=random), "step": torch.tensor(float(images_seen))},
    )


def commit(run: Storage, *positions: int, attempt: int = 1, keep: int = 3) -> None:
    for images_seen in positions:
        saved, cpu = saved_at(images_seen), torch.device("cpu")
        commit_checkpoint(run, saved, config=preset("debug"), device=cpu, attempt=attempt, keep=keep)
