"""What a change is worth to a run that has learned already: it goes on from its newest checkpoint with the change.

    python benchmarks/go_on.py --run RUN --data build/scenes32 --images 60000 --set dof.shallow_share=0.67

Trains as jobs/train.py does, without Ray, from the run's weights and its place in the data, with the configuration
changed by every --set; without one it is the control. Then depth and KID are judged as sweeps/recipe.py judges them: on
scenes that choose, not on those that figures are told of. Trials that share a start and their draws tell small changes
apart sooner than whole runs do; how a run would begin they do not tell. The weights are kept in --out, and the end is
not trained again that lies there. One JSON object on the last line.
"""

import argparse
import hashlib
import sys
from contextlib import closing
from dataclasses import replace

import safetensors.torch
import torch

from argan import strict_json
from argan.api import Run
from argan.config import Config
from argan.data.manifest import read_manifest
from argan.errors import DataError, UserError
from argan.judging_size import CLOSE_LOOK
from argan.models.camera import build_camera
from argan.runs.checkpoints import find_checkpoint
from argan.runs.folder import find_run, read_config
from argan.settings import override, run_name
from argan.storage import open_storage
from argan.training.checkpoint import Snapshot, load_weights, restore, snapshot
from argan.training.gradients import alone
from argan.training.loop import Tick, train
from argan.training.state import build_state
from argan.training.step import Share
from argan.versions import platform_facts, versions
from jobs.runtime.cli import run_job
from jobs.runtime.evaluation import judge_run, small_request
from jobs.runtime.kept import kept
from jobs.runtime.photo_stream import photo_stream

CPU = torch.device("cpu")
RECIPE = "argan-going-on/1"  # a change of what the same step teaches is a new recipe: kept ends are found by it


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--run", required=True, help="a run's folder or s3:// URI")
    add("--data", required=True, help="the packed set it was trained on")
    add("--images", type=int, default=60_000, help="to go on for (default 60,000)")
    add("--set", action="append", default=[], metavar="KEY=VALUE", help="a change of the configuration; repeatable")
    add("--out", default="build/go_on", help="where weights, estimators and features are kept (default build/go_on)")
    add("--threads", type=int, default=1, help="of the processor (default 1: run two beside each other)")
    arguments = parser.parse_args(argv)
    torch.set_num_threads(arguments.threads)
    changes = dict(changed(text) for text in arguments.set)
    storage = find_run(arguments.run)
    saved, data = read_config(storage), open_storage(arguments.data)
    if read_manifest(data).order_fingerprint != saved.data.fingerprint:
        raise DataError(f"{data.uri} is not the set that {storage.uri} was trained on")
    found = find_checkpoint(storage, warn=print)
    if found is None:
        raise DataError(f"the run at {storage.uri} has no checkpoint yet")
    start = found.snapshot
    changed_config = override(saved, changes)
    batch_images = changed_config.data.batch_images
    if arguments.images < batch_images or arguments.images % batch_images:
        raise UserError(f"--images must be a multiple of data.batch_images = {batch_images}, got {arguments.images}")
    end_images = start.images_seen + arguments.images
    config = override(changed_config, {"schedule.total_images": end_images})
    out = open_storage(arguments.out)
    record = {
        "recipe": RECIPE,
        "run": run_name(config),
        "begun": found.entry["sha256"],
        "end_images": end_images,
        "platform": {**platform_facts(CPU), **versions()},
    }
    weights = kept(out, "gone-on", record, lambda: go_on(config, start, arguments.data).generator)
    camera = build_camera(config)
    load_weights(camera, weights)
    sha256 = hashlib.sha256(safetensors.torch.save(weights)).hexdigest()
    run = Run(f"{out.uri}/{run_name(config)}", config, end_images, sha256, camera.requires_grad_(False).eval(), CPU)
    size = replace(CLOSE_LOOK, optics=False)  # the renderer's doing, which no change here is about
    request = small_request(size, has_depth=config.method == "ar-gan", run_uri=run.uri, cache_uri=arguments.out)
    result, _ = judge_run(run, request)
    print(strict_json.dumps({"run": storage.uri, "from_images": start.images_seen, "changes": changes, **result}))
    return 0


def changed(text: str) -> tuple[str, str]:
    """KEY=VALUE. Raises UserError where it is not."""
    key, equals, value = text.partition("=")
    if not equals:
        raise UserError(f"--set must be KEY=VALUE, got {text!r}")
    return key, value


def go_on(config: Config, start: Snapshot, data_uri: str) -> Snapshot:
    """The state after schedule.total_images. Raises DataError where a change has other weights than the run."""
    state = build_state(config, CPU)
    restore(state, start)
    size = config.data.batch_images
    with closing(photo_stream(config, data_uri, range(config.data.num_lanes), state.images_seen)) as stream:
        batches = (torch.from_numpy(batch.images) for batch in stream)
        train(state, batches, Share(0, size, size), reduce=alone, report=tell, stop=lambda: False)
    return snapshot(state)


def tell(tick: Tick) -> None:
    shown = {name: round(value, 3) for name, value in tick.metrics.items() if not name.startswith("time/")}
    print(f"{tick.images_seen:,} images: {shown}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    run_job(main)
