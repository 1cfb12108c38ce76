"""A run's folder in storage, named by its configuration: the same command again finds it, resumes it, or sees it is
done.
"""

import json
from typing import Any

from argan import strict_json, zoo
from argan.config import Config
from argan.errors import ConflictError, DataError, MissingError
from argan.runs.lease import require_latest
from argan.settings import from_dict, naming_keys, run_name, to_dict
from argan.storage import Storage, open_storage

CONFIG = "config.json"
HISTORY = "history.jsonl"


def open_run(out_uri: str, config: Config) -> Storage:
    """The folder of `config` under `out_uri`; nothing is written yet.

    Raises DataError if a configuration with other results already lives there: hashes collide only by hand.
    """
    run = open_storage(out_uri).child(run_name(config))
    if run.exists(CONFIG) and naming_keys(read_config(run)) != naming_keys(config):
        raise DataError(f"{run.uri}/{CONFIG} is of another run; give another --out")
    return run


def find_run(uri: str) -> Storage:
    """The folder of a run by its URI, or by zoo:NAME. Whether there is a run will be seen when it is read."""
    return open_storage(zoo.model_path(uri) if uri.startswith(zoo.PREFIX) else uri)


def write_config(run: Storage, config: Config) -> None:
    """Puts config.json in a run's folder: for who holds its lease."""
    run.write_bytes(CONFIG, json.dumps(to_dict(config), indent=2).encode())


def read_config(run: Storage) -> Config:
    """The resolved configuration of a run. Raises MissingError where there is no run."""
    try:
        data = run.read_bytes(CONFIG)
    except MissingError:
        raise MissingError(f"there is no run at {run.uri}: {CONFIG} is missing") from None
    try:
        return from_dict(json.loads(data))
    except (ValueError, AttributeError) as error:  # no JSON, or not of our keys; no object
        raise DataError(f"{run.uri}/{CONFIG} is no configuration: {error}") from error


def read_history(run: Storage) -> list[dict[str, Any]]:
    """A row a tick, oldest first; none for a run that has not ticked yet. A number that broke is None."""
    return _read_rows(run)[0]


def append_history(run: Storage, row: dict[str, Any], *, attempt: int) -> None:
    """Adds a row. Rows at or past its images are of an attempt that was lost: the new row replaces them.

    Raises ConflictError where a later attempt than this one trains the run: a worker that was away for a while, and
    thought dead, must not drop its rows.
    """
    while True:
        rows, version = _read_rows(run)
        require_latest(run, attempt)  # after the rows were read: who comes later changes them, and this write fails
        kept = [old for old in rows if old["images_seen"] < row["images_seen"]]
        lines = "".join(strict_json.dumps(item) + "\n" for item in [*kept, row])
        try:
            run.write_if(HISTORY, lines.encode(), version)
            return
        except ConflictError:
            continue  # one that was thought dead had just written, or our own answer was lost: look again


def _read_rows(run: Storage) -> tuple[list[dict[str, Any]], str | None]:
    """The rows and the version of their file, None where it is not there yet."""
    try:
        data, version = run.read_versioned(HISTORY)
    except MissingError:
        return [], None
    try:
        rows = [json.loads(line) for line in data.splitlines()]
        if not all(isinstance(row["images_seen"], int) for row in rows):
            raise ValueError("images_seen is no whole number")
    except (ValueError, KeyError, TypeError) as error:  # no JSON or no text at all, or no rows of ours
        raise DataError(f"{run.uri}/{HISTORY} is damaged: put it right or delete it ({error})") from error
    return rows, version
