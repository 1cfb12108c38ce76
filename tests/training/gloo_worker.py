"""One worker of a data-parallel run without Ray: `python gloo_worker.py RANK WORLD STORE CONFIG_JSON OUT`.

Trains its share of the lanes, and writes losses and weights for the test to compare.
"""

import json
import os
import sys
from pathlib import Path

import safetensors.torch
import torch
import torch.distributed as dist
from training_photos import photos

from argan.data.shards import lanes_of
from argan.settings import from_dict
from argan.training.checkpoint import snapshot
from argan.training.loop import Tick, train
from argan.training.state import build_state
from argan.training.step import Share


def main(rank: int, world: int, store: str, config_json: str, out: str) -> None:
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=world)
    config = from_dict(json.loads(config_json))
    state = build_state(config, torch.device("cpu"))
    lanes = lanes_of(rank, world, config.data.num_lanes)
    per_lane = config.data.batch_images // config.data.num_lanes
    share = Share(lanes.start * per_lane, lanes.stop * per_lane, config.data.batch_images)
    batches = (share.of(photos(seen, config)) for seen in range(0, 10**9, config.data.batch_images))
    rows: list[dict[str, float]] = []

    def report(tick: Tick) -> None:
        rows.append({name: value for name, value in tick.metrics.items() if not name.startswith("speed/")})

    train(state, batches, share, reduce=dist.all_reduce, report=report, stop=lambda: False)
    if rank == 0:
        Path(out).with_suffix(".json").write_text(json.dumps(rows))
        safetensors.torch.save_file(snapshot(state).generator, Path(out).with_suffix(".safetensors"))
    dist.destroy_process_group()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), *sys.argv[3:])
    # Gloo's threads outlive the process group here. One that lets go of the last tensor while the interpreter shuts
    # down ends the process by SIGABRT (pytorch #179291), after all is written: leave without that shutdown.
    os._exit(0)
