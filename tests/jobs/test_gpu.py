"""The jobs on a GPU: training, a set, its verification and the evaluation, by the commands of the README."""

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest
from training_job import ROOT

from argan.runs.checkpoints import load_checkpoint
from argan.storage import open_storage

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.ray,
    pytest.mark.timeout(900),  # each training compiles its nets anew
]
FULL_SPEED = ("--compute.precision", "bf16", "--compute.compile", "true")


def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_from_photos_to_a_verified_set_on_a_gpu(scenes: str, tmp_path: Path) -> None:
    train = ("jobs/train.py", "--preset", "debug", "--data", scenes, "--out", tmp_path / "runs", *FULL_SPEED)
    run(*train, "--schedule.total_images", "96")
    run(*train)
    (folder,) = {path.parent for path in (tmp_path / "runs").glob("*/latest.json")}
    saved = load_checkpoint(open_storage(str(folder)), warn=print)
    assert saved is not None
    assert saved.images_seen == 240

    recipe = ("--num-samples", "200", "--shard-samples", "50")
    for name in ("one", "two"):
        run("jobs/generate.py", "--run", folder, *recipe, "--out", tmp_path / name)
    run("jobs/generate.py", "verify", tmp_path / "one", "--retake", "50")
    one, two = (sorted((tmp_path / name / "shards").glob("*.tar")) for name in ("one", "two"))
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in two]
    assert len(one) == 4
    head = json.loads((tmp_path / "one" / "terms.json").read_text())
    assert "cuda" in json.dumps(head)

    budget = ("--scenes", "60", "--estimator-images", "512", "--estimator-pairs", "128")
    run("jobs/evaluate.py", "--run", folder, *budget, "--json", tmp_path / "depth.json")
    judged = json.loads((tmp_path / "depth.json").read_text())
    assert judged["protocol"]["platform"]["gpu"]
    measures = ("kid", "foreground_auc", "ordinal_accuracy", "disparity_error_px", "side", "blur_slope")
    assert all(math.isfinite(judged[name]) for name in measures)
