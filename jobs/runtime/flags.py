"""Words of the command line that several jobs understand."""

import argparse
import dataclasses
import math
from collections.abc import Callable, Sequence
from typing import Any

from argan.config import Config
from argan.settings import as_typed, choices, learned_keys
from jobs.runtime.workers import DEVICES, Workers

FILLED_IN = ("preset", "data.fingerprint")  # keys of the configuration that are no flags


def is_any(key: str) -> bool:
    """All keys that somebody may set for one run."""
    return key not in FILLED_IN


def is_speed_up(key: str) -> bool:
    """Those of compute that change nothing of what is learned, so that all runs of a sweep may be given them."""
    return key.startswith("compute.") and key not in learned_keys(Config())


def add_config_flags(parser: argparse.ArgumentParser, wanted: Callable[[str], bool] = is_any) -> list[str]:
    """A flag for every dotted key of the configuration that is wanted, a group for every section; returns the keys."""
    keys = []
    config = Config()
    for top in dataclasses.fields(config):
        section = getattr(config, top.name)
        is_section = dataclasses.is_dataclass(section)
        owner, prefix = (section, f"{top.name}.") if is_section else (config, "")
        group = parser.add_argument_group(top.name) if is_section else parser
        for item in dataclasses.fields(owner) if is_section else (top,):
            key = prefix + item.name
            if wanted(key):
                keys.append(key)
                group.add_argument(f"--{key}", dest=key, metavar="VALUE", help=option_help(owner, item))
    return keys


def option_help(owner: Any, item: dataclasses.Field[Any]) -> str:
    """What the key means, which words it may be, and its default."""
    values = " | ".join(choices(owner, item.name))
    default = as_typed(getattr(owner, item.name)) or '""'
    return f"{item.metadata['help']} ({values and f'one of {values}; '}default {default})"


def config_changes(arguments: argparse.Namespace, keys: Sequence[str]) -> dict[str, str]:
    """Those of the configuration's keys that were given."""
    given = {key: getattr(arguments, key) for key in keys}
    return {key: value for key, value in given.items() if value is not None}


def asked_workers(arguments: argparse.Namespace) -> Workers:
    """What --num-workers (a worker_range), --cpus-per-worker and --device ask for."""
    minimum, maximum = arguments.num_workers
    return Workers(
        minimum=minimum,
        maximum=maximum,
        cpus_each=arguments.cpus_per_worker,
        use_gpu=DEVICES[arguments.device],
    )


def worker_range(text: str) -> tuple[int, int]:
    """An argument's type: N or MIN:MAX, as (minimum, maximum)."""
    low, _, high = text.partition(":")
    try:
        minimum, maximum = int(low), int(high or low)
    except ValueError:
        minimum = maximum = 0
    if not 1 <= minimum <= maximum:
        raise argparse.ArgumentTypeError(f"must be N or MIN:MAX with 1 <= MIN <= MAX, got {text!r}")
    return minimum, maximum


def whole(text: str) -> int:
    """An argument's type: how many there should be of something that need not be."""
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"must be at least 0, got {value}")
    return value


def some_time(text: str) -> float:
    """An argument's type: more than no time, and not for ever."""
    value = float(text)
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"must be greater than 0 and finite, got {text}")
    return value


def count(text: str) -> int:
    """An argument's type: how many there should be of something that there must be."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
