"""The model of a set: copied into it when it begins, and held to its terms ever after."""

import json
from typing import Any

from argan.config import Config
from argan.data.tuple_set import MODEL_PATH, ORIGIN_PATH, TERMS_PATH
from argan.errors import DataError, MissingError, UserError
from argan.generation.recipe import Terms, config_sha256
from argan.runs.checkpoints import find_checkpoint, read_pointer
from argan.runs.export import export_model
from argan.runs.folder import find_run, read_config
from argan.settings import naming_keys, run_name
from argan.storage import Storage
from jobs.runtime.cli import say
from jobs.runtime.origin import git_commit

BEGINNING = (f"{MODEL_PATH}/", ORIGIN_PATH)  # what lies there when a set was begun and killed before its terms


def settle_model(run_uri: str, out: Storage, standing: Terms | None) -> tuple[Config, str]:
    """Configuration and checkpoint hash of the set's own model, which is copied from the run the first time.

    `standing` are the terms of the set that is there already. Raises UserError where the place is taken by something
    else, and where the run is another than the set's.
    """
    run, model = find_run(run_uri), out.child(MODEL_PATH)
    if standing is None:
        require_usable(read_config(run), run.uri)
        foreign = next((entry.path for entry in out.list() if not entry.path.startswith(BEGINNING)), None)
        if foreign is not None:
            raise UserError(f"{out.uri} holds something else ({foreign}) and no {TERMS_PATH}: choose another place")
        exported = export_model(run, model, warn=say)
        config = read_config(model)
        out.write_bytes(ORIGIN_PATH, json.dumps(_origin(config, exported.record), indent=1).encode())
        return config, exported.sha256
    require_model(out, standing)
    config = read_config(model)
    if naming_keys(read_config(run)) != naming_keys(config):
        raise UserError(f"{out.uri} is a set of the run {run_name(config)}, not of {run.uri}: choose another place")
    newest = next((entry["sha256"] for entry in read_pointer(run).checkpoints), standing.checkpoint_sha256)
    if newest != standing.checkpoint_sha256:
        say(f"the run has another checkpoint by now; the set at {out.uri} stays with the one that it began with")
    return config, standing.checkpoint_sha256


def require_model(out: Storage, terms: Terms) -> None:
    """Raises DataError unless the set's own model is whole, and the one of its terms."""
    model = out.child(MODEL_PATH)
    try:
        found = find_checkpoint(model, warn=say, generator_only=True)
        config = config_sha256(read_config(model))
    except (DataError, MissingError) as error:
        raise DataError(f"the set's own model is damaged, so it can be neither checked nor mended: {error}") from error
    if found is None or (found.entry["sha256"], config) != (terms.checkpoint_sha256, terms.config_sha256):
        raise DataError(f"{model.uri} is not the model that made the set (sha256 {terms.checkpoint_sha256})")


def require_usable(config: Config, uri: str) -> None:
    """Raises UserError for a model that knows no depth."""
    if config.method != "ar-gan":
        raise UserError(f"{uri} is a standard GAN: it has no disparity to make shallow photos by")


def _origin(config: Config, record: dict[str, Any]) -> dict[str, Any]:
    return {
        "run": run_name(config),
        "images seen": record["images_seen"],
        "trained with": ", ".join(f"{name} {version}" for name, version in record["versions"].items()),
        "made by commit": git_commit(),
    }
