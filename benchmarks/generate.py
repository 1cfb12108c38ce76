"""What the exactly-once machinery costs: the generation job's tuples/s against model, renderer and encoder alone.

    python benchmarks/generate.py

The model is small-64, untrained (what it draws is as large as what a trained one draws: noise, so PNG is at its
slowest). Bare: one process with one thread makes the same micro-batches and encodes their samples, and writes nothing.
Job: jobs/generate.py to a local folder, with records, hashes and manifest; its speed is taken between the records of
its first and its last shards, so Ray's start is not in it. Bare, bare twice at once, job with one worker and job with
two take turns; medians of the ratios round by round. One JSON object on the last line:

    ratio               job with one worker over bare
    scaling             job with two workers over job with one
    bare_scaling        bare twice at once over bare: what this machine's second core is worth
    rss_100k_over_1k    largest resident memory of the worker after 100,000 samples over that after 1,000 (16 px; tars
                        are thrown away), and the driver's likewise: the larger of the two
    shares              where the time of one worker goes
"""

import argparse
import json
import resource
import statistics
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from in_turns import last_line, paired

from argan.config import Config
from argan.presets import preset
from argan.storage.local import LocalStorage
from jobs.runtime.cli import run_job

SHARD_SAMPLES = 250
KEEP_ALL = ("min_spread=0", "min_contrast=-1e9", "max_prior_correlation=2", "min_sharpness=0", "max_saturation=1")


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="interleaved runs of each (default 5)")
    parser.add_argument("--samples", type=int, default=3_000, help="samples a measured run (default 3,000)")
    parser.add_argument("--bare", metavar="RUN", help="only the bare loop on that run: its tuples/s and shares")
    parser.add_argument("--memory", nargs=2, metavar=("RUN", "N"), help="only N samples thrown away: resident bytes")
    arguments = parser.parse_args(argv)
    if arguments.bare:
        print(json.dumps(bare(arguments.bare, arguments.samples)))
    elif arguments.memory:
        print(json.dumps(memory(arguments.memory[0], int(arguments.memory[1]))))
    else:
        print(json.dumps(compare(arguments.rounds, arguments.samples)))


def compare(rounds: int, samples: int) -> dict[str, Any]:
    speeds: dict[str, list[float]] = {"bare": [], "bare_twice": [], "one_worker": [], "two_workers": []}
    shares: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        run, tiny = untrained(folder, preset("small-64")), untrained(folder, preset("debug"))
        for number in range(rounds):
            alone = json.loads(last_line(__file__, "--bare", run, "--samples", str(samples)))
            speeds["bare"].append(alone.pop("tuples_per_s"))
            shares.append(alone)
            with ThreadPoolExecutor(2) as both:
                twice = both.map(lambda _: last_line(__file__, "--bare", run, "--samples", str(samples)), range(2))
            speeds["bare_twice"].append(sum(json.loads(line)["tuples_per_s"] for line in twice))
            speeds["one_worker"].append(job(run, f"{folder}/one-{number}", samples, workers=1))
            speeds["two_workers"].append(job(run, f"{folder}/two-{number}", samples, workers=2))
            print(f"round {number + 1} of {rounds}:", {name: round(s[-1], 1) for name, s in speeds.items()}, flush=True)
        few, many = (json.loads(last_line(__file__, "--memory", tiny, str(num))) for num in (1_000, 100_000))
    return {
        "ratio": paired(speeds["one_worker"], speeds["bare"]),
        "scaling": paired(speeds["two_workers"], speeds["one_worker"]),
        "bare_scaling": paired(speeds["bare_twice"], speeds["bare"]),
        "rss_100k_over_1k": round(max(many[who] / few[who] for who in few), 3),
        "shares": {name: round(statistics.median(each[name] for each in shares), 3) for name in shares[0]},
        "tuples_per_s": {name: round(statistics.median(values), 1) for name, values in speeds.items()},
        "rounds": rounds,
        "samples": samples,
    }


def untrained(folder: str, config: Config) -> str:
    """A run with one checkpoint, as its weights were drawn."""
    import torch

    from argan.runs.checkpoints import commit_checkpoint
    from argan.runs.folder import open_run, write_config
    from argan.training.checkpoint import snapshot
    from argan.training.state import build_state

    run = open_run(folder, config)
    write_config(run, config)
    state = build_state(config, torch.device("cpu"))
    commit_checkpoint(run, snapshot(state), config=config, device=state.device, attempt=1, keep=1)
    return run.uri


def job(run: str, out: str, samples: int, *, workers: int) -> float:
    """Tuples a second between the first record and the last."""
    options = ["--shard-samples", str(SHARD_SAMPLES), "--num-workers", str(workers)]
    options += [word for limit in KEEP_ALL for word in ("--limit", limit)]  # as in the bare loop: none is left out
    warm_up = SHARD_SAMPLES * 2 * workers  # the shards that are in flight when the first ones are done
    last_line("jobs/generate.py", "--run", run, "--num-samples", str(samples + warm_up), "--out", out, *options)
    times_s = sorted(path.stat().st_mtime for path in Path(out).glob("shards/*.json"))[workers - 1 :]
    return (len(times_s) - 1) * SHARD_SAMPLES / (times_s[-1] - times_s[0])


def bare(run_uri: str, samples: int) -> dict[str, float]:
    """Net, measures, renderer and encoder on one thread, and the share of each; writes nothing."""
    import torch

    from argan.api import load_run
    from argan.data.tuples import encode_tuple
    from argan.generation.maker import TupleMaker
    from argan.generation.recipe import MICRO_BATCH_IMAGES, Recipe
    from argan.generation.shard import measure_stored

    torch.set_num_threads(1)
    run = load_run(run_uri)
    maker = TupleMaker(run.camera, run.config, Recipe(num_samples=samples).settled(run.config))
    spent_s = dict.fromkeys(("net", "measures", "renderer", "encoder"), 0.0)

    def batch(indices: range) -> None:
        times_s = [time.perf_counter()]
        deep = maker.deep(indices)
        times_s.append(time.perf_counter())
        for sample in zip(*deep, strict=True):
            measure_stored(maker, *sample)
        times_s.append(time.perf_counter())
        photos = maker.shallow(deep, [maker.apertures(index) for index in indices])
        times_s.append(time.perf_counter())
        for image, codes, *shallow in zip(*deep, *photos, strict=True):
            encode_tuple(image, tuple(shallow), codes, maker.coding, {"apertures": [0.5, 1.0]})
        times_s.append(time.perf_counter())
        for name, start_s, end_s in zip(spent_s, times_s[:-1], times_s[1:], strict=True):
            spent_s[name] += end_s - start_s

    batch(range(MICRO_BATCH_IMAGES))
    spent_s = dict.fromkeys(spent_s, 0.0)
    for start in range(0, samples, MICRO_BATCH_IMAGES):
        batch(range(start, min(start + MICRO_BATCH_IMAGES, samples)))
    total_s = sum(spent_s.values())
    return {"tuples_per_s": samples / total_s, **{name: value / total_s for name, value in spent_s.items()}}


class Discarding(LocalStorage):
    """A folder that keeps records and throws tars away."""

    def write_bytes(self, path: str, data: bytes) -> None:
        if not path.endswith(".tar"):
            super().write_bytes(path, data)


def memory(run_uri: str, samples: int) -> dict[str, int]:
    """Largest resident memory, in bytes, of the worker and of the driver, manifest included."""
    import ray

    from argan.data.tuple_manifest import write_tuple_manifest
    from argan.data.tuple_set import MODEL_PATH
    from argan.generation.recipe import Recipe, Terms, config_sha256
    from argan.runs.export import export_model
    from argan.runs.folder import read_config
    from argan.storage import open_storage
    from jobs.runtime.generating import records
    from jobs.runtime.session import start_ray

    with tempfile.TemporaryDirectory() as folder, start_ray(num_cpus=1):
        from jobs.runtime.shard_workers import ShardWorkers

        out = Discarding.at(folder)
        exported = export_model(open_storage(run_uri), out.child(MODEL_PATH), warn=print)
        config = read_config(out.child(MODEL_PATH))
        recipe, name = Recipe(num_samples=samples).settled(config), config_sha256(config)
        workers = ShardWorkers.start(out, recipe, 1)
        terms = Terms(recipe=recipe, checkpoint_sha256=exported.sha256, config_sha256=name, **workers.made_by())
        for _ in workers.over("make", [(number, terms) for number in range(recipe.num_shards)]):
            pass
        write_tuple_manifest(out, terms.sha256, records(out, terms))
        peak_kib = ray.get(workers.actors[0].__ray_call__.remote(lambda _: peak()))
        return {"worker": peak_kib * 1024, "driver": peak() * 1024}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    run_job(main)
