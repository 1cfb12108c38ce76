"""A run that has learned nothing yet, written as a training writes it, for tests that need one."""

import torch

from argan.config import Config
from argan.runs.checkpoints import commit_checkpoint
from argan.runs.folder import open_run, write_config
from argan.settings import override
from argan.storage import Storage
from argan.training.checkpoint import snapshot
from argan.training.state import build_state


def untrained_run(out: object, config: Config, *, images_seen: int = 0) -> Storage:
    """The run's folder in `out`, with one checkpoint."""
    run = open_run(str(out), config)
    write_config(run, config)
    commit_weights(run, config, images_seen=images_seen)
    return run


def commit_weights(
    run: Storage, config: Config, *, seed: int | None = None, images_seen: int = 0, keep: int = 1
) -> None:
    """One more checkpoint; with a seed, of the nets that it draws."""
    state = build_state(config if seed is None else override(config, {"seed": seed}), torch.device("cpu"))
    saved = snapshot(state)._replace(images_seen=images_seen)
    commit_checkpoint(run, saved, config=state.config, device=state.device, attempt=1, keep=keep)
