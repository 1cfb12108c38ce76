"""`python jobs/NAME.py ...` as the job itself understands it, for commands that stand in manifests and on pages."""

import argparse
import importlib
from collections.abc import Sequence
from pathlib import Path

from argan.presets import preset
from argan.settings import override

JOBS = Path(__file__).resolve().parents[2] / "jobs"
CARE = ("verify", "repair")  # of a generated set: these have a parser of their own


def understood(script: str, words: Sequence[str]) -> argparse.Namespace:
    """What the job makes of its arguments. Fails on no such job, an unknown flag, or a value that does not fit."""
    assert (JOBS / script).is_file(), f"there is no jobs/{script}"
    job = importlib.import_module(f"jobs.{script.removesuffix('.py')}")
    arguments = (job.parse_care if words[0] in CARE else job.parse)(list(words))
    if script == "train.py":
        override(preset(arguments.preset), arguments.changes)
    return arguments
