"""For benchmarks that run things in turns on a machine whose speed changes."""

import os
import statistics
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from argan.config import Config

if TYPE_CHECKING:
    import torch

ROOT = Path(__file__).resolve().parents[1]


def paired(ours: list[float], theirs: list[float]) -> float:
    """Median of the ratios round by round: a machine that slows down slows both."""
    return round(statistics.median(a / b for a, b in zip(ours, theirs, strict=True)), 3)


def last_line(*command: str, environment: dict[str, str] | None = None) -> str:
    """The last line that a command of this checkout prints."""
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True, env=variables
    )
    return done.stdout.strip().splitlines()[-1]


def noise_step(config: Config, device: "torch.device") -> Callable[[], None]:
    """The training step alone, on a batch of noise in memory."""
    import torch

    from argan.training.gradients import alone
    from argan.training.metrics import TickMetrics
    from argan.training.state import build_state
    from argan.training.step import Share, train_batch

    state, metrics = build_state(config, device), TickMetrics()
    size = config.data.batch_images
    shape = (size, 3, config.resolution, config.resolution)
    photos = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0)).to(device)
    return lambda: train_batch(state, photos, Share(0, size, size), metrics, alone)
