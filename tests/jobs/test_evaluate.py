import json
import subprocess
import sys

import pytest
import torch

from argan.data.packing import commit, make_plan, pack_shard
from argan.data.sources import list_source
from argan.errors import DataError, MissingError
from argan.evaluation.measures import MEASURES
from argan.presets import preset
from argan.runs.checkpoints import commit_checkpoint
from argan.runs.folder import open_run, write_config
from argan.storage import open_storage
from argan.training.checkpoint import snapshot
from argan.training.state import build_state
from jobs.evaluate import main, without_nan

SMALL = ["--scenes", "6", "--estimator-images", "64", "--estimator-pairs", "32"]


@pytest.fixture(scope="module")
def run_uri(tmp_path_factory):
    """A run of the debug preset (16 px) that has not learned anything yet."""
    config = preset("debug")
    run = open_run(str(tmp_path_factory.mktemp("runs")), config)
    write_config(run, config)
    commit_checkpoint(run, snapshot(build_state(config, torch.device("cpu"))), attempt=1, keep=1)
    return run.uri


def pack_scenes(out_uri, num_scenes, resolution):
    out, source = open_storage(str(out_uri)), f"scenes:{num_scenes}"
    listing = list_source(source)
    plan = make_plan(source, listing, resolution=resolution, seed=0, shard_samples=12, max_pixels=10**8)
    commit(plan, out, {job.index: pack_shard(job, out) for job in plan.shard_jobs()})
    return out.uri


def test_one_json_object_with_every_measure_and_a_page(run_uri, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--page", str(page), *SMALL]) == 0
    result = json.loads((tmp_path / "a.json").read_text())
    for part in (result, result["ceiling"], result["trivial"], result["gap_closed"]):
        assert set(MEASURES) <= set(part)
    protocol = result["protocol"]
    assert protocol["test"]["num_photos"] == 6
    assert protocol["estimator"]["num_images"] == 64
    assert len({protocol[part]["seed"] for part in ("test", "ceiling", "fakes")}) == 3
    assert page.read_text().count("<img") >= 3
    assert capsys.readouterr().out.splitlines()[-1] == str(page)


def test_same_command_same_digits_and_a_kept_ceiling_is_the_trained_one(run_uri, tmp_path):
    cache = tmp_path / "cache"
    results = []
    for name in ("trained", "kept"):
        main(["--run", run_uri, "--json", str(tmp_path / name), "--cache", str(cache), *SMALL])
        results.append((tmp_path / name).read_text())
    assert results[0] == results[1]
    (kept,) = cache.iterdir()
    kept.write_bytes(kept.read_bytes()[:100])
    with pytest.raises(DataError, match="broken, delete it"):
        main(["--run", run_uri, "--json", str(tmp_path / "c.json"), "--cache", str(cache), *SMALL])


def test_another_seed_keeps_the_photos(run_uri, tmp_path):
    results = []
    for seed in ("0", "1"):
        main(["--run", run_uri, "--json", str(tmp_path / seed), "--seed", seed, *SMALL])
        results.append(json.loads((tmp_path / seed).read_text()))
    assert results[0]["foreground_auc"] != results[1]["foreground_auc"]
    assert results[0]["protocol"]["test"] == results[1]["protocol"]["test"]
    assert results[0]["trivial_all"]["+red"]["foreground_auc"] == results[1]["trivial_all"]["+red"]["foreground_auc"]


def test_a_packed_set_judges_with_one_part_and_teaches_with_the_other(run_uri, tmp_path):
    data = pack_scenes(tmp_path / "set", 40, 16)
    budget = ["--estimator-images", "64", "--estimator-pairs", "64"]
    main(["--run", run_uri, "--data", data, "--json", str(tmp_path / "a.json"), *budget])
    protocol = json.loads((tmp_path / "a.json").read_text())["protocol"]
    assert protocol["test"]["num_photos"] + protocol["ceiling"]["num_photos"] == 40
    assert protocol["test"]["part"] != protocol["ceiling"]["part"]
    assert protocol["estimator"]["num_pairs"] == protocol["ceiling"]["num_photos"]  # fewer than asked, for both nets


def test_a_set_of_another_resolution_is_refused(run_uri, tmp_path):
    data = pack_scenes(tmp_path / "set", 2, 32)
    with pytest.raises(DataError, match="32 px, the run makes 16 px"):
        main(["--run", run_uri, "--data", data, "--json", str(tmp_path / "a.json"), *SMALL])


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingError, match="no run at"):
        main(["--run", str(tmp_path / "nothing"), "--json", str(tmp_path / "a.json"), *SMALL])


def test_a_dry_run_prints_the_plan_and_writes_nothing(run_uri, tmp_path, capsys):
    main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--dry-run", *SMALL])
    plan = json.loads(capsys.readouterr().out)
    assert (plan["steps"], plan["epochs"]) == (4, 2.0)
    assert list(tmp_path.iterdir()) == []


def test_help_loads_nothing_heavy():
    code = "import sys, jobs.evaluate; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("flags", [["--scenes", "0"], ["--sceens", "5"]])
def test_wrong_flags_end_with_the_usage(flags, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--run", "r", "--json", "j", *flags])
    assert "usage" in capsys.readouterr().err


def test_what_is_undefined_becomes_null():
    assert json.dumps(without_nan({"a": {"b": float("nan")}, "c": 1.5})) == '{"a": {"b": null}, "c": 1.5}'
