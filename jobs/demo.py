"""AR-GAN from nothing to a report page on this machine, the way a cluster user works: `make demo`.

Starts a local S3 server and a local Ray head, packs procedural scenes into a bucket, submits the training and a search
of three short trials with `ray job submit`, measures what was learned, makes a small set of samples from it, and leaves
everything under build/demo. Run again, it goes on from there.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from argan.errors import UserError
from argan.viewing.numbers import duration
from jobs.runtime.cli import run_job
from jobs.runtime.flags import count

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
# A first look; the defaults are four to ten times as much.
BUDGET = ("--estimator-images", "8000", "--estimator-pairs", "2000", "--kid-images", "100")

MARK = ".argan-demo"
RUN_FILES = ("report.html", "pictures/", "tensorboard/", "config.json", "history.jsonl")


def main(argv: list[str] | None = None) -> int:
    arguments = parse(argv)
    from cluster.local_head import LocalHead
    from cluster.local_s3 import LocalS3

    started_s = time.monotonic()
    processors = os.cpu_count() or 1
    folder = claimed(arguments.folder.resolve())
    with LocalS3(folder / "s3") as s3:
        say(f"S3 server at {s3.environment()['AWS_ENDPOINT_URL']}, objects kept in {folder / 's3'}")
        os.environ.update(s3.environment())  # so the head's processes have them, and all jobs
        for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):  # another cluster's, left in the shell
            os.environ.pop(name, None)
        scenes, runs = f"{s3.uri}/scenes32-{arguments.scenes}", f"{s3.uri}/runs"
        two = str(min(2, processors))  # each of a processor, so that a machine with one GPU can follow as well
        train = training(arguments, scenes, runs, num_workers=two)
        search = ["python", "jobs/sweep.py", "smoke", "--data", scenes, "--out", f"{s3.uri}/sweeps"]
        search += ["--concurrent", two, "--device", "cpu"]
        with LocalHead(num_cpus=processors) as head:
            environment = {**os.environ, **head.environment()}
            say(f"Ray head at {head.address}; packing {arguments.scenes:,} procedural scenes into {scenes}")
            pack = ["python", "jobs/pack.py", f"scenes:{arguments.scenes}", scenes, "--resolution", "32"]
            submit(pack, environment)
            say("training, submitted as to any cluster")
            submit(train, environment)
            say("searching, with three short trials: they show a sweep at work and teach nothing")
            submit(search, environment)
        run_uri, sweep_uri = planned("run", train), planned("sweep", search)
        say(f"measuring what {run_uri} has learned")
        fetch(run_uri, folder / "run", RUN_FILES)
        fetch(sweep_uri, folder / "sweep", ("report.html", "table.json"))
        evaluation = ["--run", run_uri, "--scenes", str(arguments.test_scenes), "--json", folder / "evaluation.json"]
        run([BIN / "python", "jobs/evaluate.py", *evaluation, *BUDGET, "--page", folder / "evaluation.html"])
        tuples = f"{s3.uri}/tuples-{run_uri.rpartition('/')[2]}-{arguments.images}-{arguments.tuples}"
        say(f"making {arguments.tuples:,} samples of deep photo, shallow photos and disparity at {tuples}")
        generation = ["--run", run_uri, "--num-samples", arguments.tuples, "--shard-samples", "100", "--out", tuples]
        run([BIN / "python", "jobs/generate.py", *generation])
        fetch(tuples, folder / "tuples", ("",))
    print(f"\ndone in {duration(time.monotonic() - started_s)}")
    print(f"{arguments.images:,} images are a beginning: what 300,000 make of scenes is in docs/results/zoo.md")
    print(f"what was measured: {folder / 'evaluation.html'}")
    print(f"what three trials found: {folder / 'sweep' / 'report.html'}")
    print(f"what was made from it: {folder / 'tuples' / 'index.html'}")
    print(folder / "run" / "report.html")
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=ROOT / "build" / "demo", help="default: build/demo")
    parser.add_argument("--images", type=count, default=9_600, help="images to train for (default 9,600: minutes)")
    parser.add_argument("--scenes", type=count, default=2_000, help="scenes to train on")
    parser.add_argument("--tuples", type=count, default=400, help="samples to make from what was trained")
    parser.add_argument("--test-scenes", type=count, default=200, help="scenes to measure on")
    return parser.parse_args(argv)


def claimed(folder: Path) -> Path:
    """The folder, marked as the demo's, for parts of it are made anew. Raises UserError where it is somebody else's."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise UserError(f"{folder} holds other things than a demo: give --folder a new one")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).touch()
    return folder


def training(arguments: argparse.Namespace, scenes: str, runs: str, *, num_workers: str) -> list[str]:
    command = ["python", "jobs/train.py", "--preset", "small-32", "--data", scenes, "--out", runs]
    ticks = ["--schedule.tick_images", "1600", "--schedule.picture_ticks", "2"]
    workers = ["--num-workers", num_workers, "--device", "cpu"]
    return [*command, *workers, "--schedule.total_images", str(arguments.images), *ticks]


def submit(command: list[str], environment: dict[str, str]) -> None:
    """`ray job submit` of this checkout."""
    run([BIN / "ray", "job", "submit", "--working-dir", ROOT, "--", *command], environment)


def run(command: list[object], environment: dict[str, str] | None = None) -> None:
    """Runs a command in the checkout, its output on ours. Raises UserError if it fails."""
    words = [str(word) for word in command]
    if subprocess.run(words, cwd=ROOT, env=environment, check=False).returncode:
        raise UserError(f"the demo stops: {' '.join(words)} failed")


def planned(what: str, command: list[str]) -> str:
    """The URI of the run or the sweep that this command makes: its configuration names it."""
    words = [str(BIN / "python"), *command[1:], "--dry-run"]
    answer = subprocess.run(words, cwd=ROOT, check=False, stdout=subprocess.PIPE)
    if answer.returncode:
        raise UserError(f"the demo stops: {' '.join(words)} failed")
    return str(json.loads(answer.stdout)[what])


def fetch(uri: str, folder: Path, wanted: tuple[str, ...]) -> None:
    """The files of a run or a set whose paths begin so, out of the bucket to where one can open them."""
    from argan.storage import open_storage

    shutil.rmtree(folder, ignore_errors=True)
    storage = open_storage(uri)
    for entry in storage.list():
        if entry.path.startswith(wanted):
            (folder / entry.path).parent.mkdir(parents=True, exist_ok=True)
            storage.download(entry.path, folder / entry.path)


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


if __name__ == "__main__":
    run_job(main)
