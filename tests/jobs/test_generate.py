"""jobs/generate.py as a person meets it: the same set from any number of workers, through any kill; what is broken is
found and mended byte for byte.
"""

import html
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from test_readme import python_block
from training_job import ROOT, children
from untrained_run import commit_weights, untrained_run

from argan.data.shard_files import record_path
from argan.data.tuple_manifest import read_head
from argan.data.tuple_set import encode_record, read_record
from argan.errors import UserError
from argan.presets import preset
from argan.runs.folder import write_config
from argan.settings import override
from argan.storage import Storage, open_storage
from argan.viewing.set_card import PYARROW, PYARROW_IMPORTS, WEBDATASET, WEBDATASET_IMPORTS
from cluster.local_s3 import LocalS3
from jobs.generate import main

SHARDS, SAMPLES = 14, 1390
SET = ("--num-samples", str(SAMPLES), "--shard-samples", "100")  # the last shard is shorter


@pytest.fixture(scope="module")
def run_uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A run of the debug preset (16 px): untrained, so that some of what it makes is rejected."""
    return untrained_run(tmp_path_factory.mktemp("runs"), preset("debug"), images_seen=48).uri


@pytest.fixture(scope="module")
def undisturbed(run_uri: str, tmp_path_factory: pytest.TempPathFactory) -> Storage:
    """The set that one worker makes and nobody disturbs."""
    out = tmp_path_factory.mktemp("undisturbed")
    done = generate("--run", run_uri, *SET, "--out", out, "--num-workers", "1")
    assert done.returncode == 0, done.stderr
    return open_storage(str(out))


def words(*arguments: object) -> list[str]:
    return [sys.executable, "jobs/generate.py", *map(str, arguments)]


def generate(*arguments: object) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(words(*arguments), cwd=ROOT, check=False, capture_output=True, text=True, timeout=300)


def start(*arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        words(*arguments), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True
    )


def content(storage: Storage) -> dict[str, bytes]:
    """All files but the locks that local storage keeps."""
    return {entry.path: storage.read_bytes(entry.path) for entry in storage.list()}


def wait_for_shards(out: Storage, count: int, process: "subprocess.Popen[str]") -> None:
    end = time.monotonic() + 120
    while sum(entry.path.endswith(".json") for entry in out.list("shards/")) < count:
        assert process.poll() is None, "it ended before it was far enough"
        assert time.monotonic() < end
        time.sleep(0.02)


def shard_workers(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return [child for child in children(process) if "ShardWorker" in " ".join(child.cmdline())]


@pytest.mark.ray
@pytest.mark.s3
@pytest.mark.slow
def test_killed_worker_and_killed_driver_leave_the_same_bytes(s3: LocalS3, run_uri: str, undisturbed: Storage) -> None:
    out = open_storage(f"{s3.uri}/generate/killed")
    arguments = ("--run", run_uri, *SET, "--out", out.uri, "--num-workers", "2")
    process = start(*arguments)
    wait_for_shards(out, 3, process)
    shard_workers(process)[0].kill()
    wait_for_shards(out, 7, process)
    orphans = children(process)
    process.kill()
    process.wait()
    psutil.wait_procs(orphans, timeout=60)
    assert not out.exists("manifest.json")
    done = generate(*arguments)
    assert done.returncode == 0, done.stderr
    assert "shards were there already" in done.stdout
    assert content(out) == content(undisturbed)
    checked = generate("verify", out.uri)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.ray
def test_a_rerun_writes_nothing_and_other_terms_are_refused(run_uri: str, undisturbed: Storage, tmp_path: Path) -> None:
    files = [path for path in Path(undisturbed.uri).rglob("*") if path.is_file()]
    before = {path: path.stat().st_mtime_ns for path in files}
    again = generate("--run", run_uri, *SET, "--out", undisturbed.uri)
    assert again.returncode == 0, again.stderr
    assert f"{SHARDS} shards were there already" in again.stdout
    other = generate("--run", run_uri, *SET, "--out", undisturbed.uri, "--seed", "7")
    assert other.returncode == 1
    assert "made on other terms (recipe.seed was 0, is 7)" in other.stderr
    assert "Traceback" not in other.stderr
    assert {path: path.stat().st_mtime_ns for path in files} == before
    head = read_head(undisturbed)
    assert head["num_samples"] == SAMPLES
    assert head["num_kept"] + sum(head["rejected"].values()) == SAMPLES


@pytest.mark.ray
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # three lines have no room for closing
def test_the_cards_lines_load_the_set(undisturbed: Storage, monkeypatch) -> None:
    monkeypatch.chdir(undisturbed.uri)
    card = Path("README.md").read_text() + html.unescape(Path("index.html").read_text())
    for imports, lines in ((WEBDATASET_IMPORTS, WEBDATASET), (PYARROW_IMPORTS, PYARROW)):
        assert len(lines.splitlines()) == 3
        assert card.count(lines.splitlines()[-1]) == 2
        loaded: dict[str, Any] = {}
        exec(f"{imports}\n{lines}", loaded)
        assert np.asarray(loaded["deep"]).shape == (16, 16, 3)
        if "disparity" in loaded:
            assert loaded["disparity"].dtype == np.uint16
            assert np.asarray(loaded["shallow"]).shape == (16, 16, 3)
            assert loaded["info"]["schema"] == "argan-tuples/1"
    loaded = {}
    exec(python_block("from glob import glob"), loaded)
    assert loaded["disparity_px"].shape == (16, 16)
    assert np.abs(loaded["disparity_px"]).max() < loaded["info"]["d_max_px"]


@pytest.mark.ray
def test_what_is_broken_is_named_and_mended_byte_for_byte(undisturbed: Storage, tmp_path: Path) -> None:
    whole, out = content(undisturbed), open_storage(str(tmp_path / "set"))
    for path, data in whole.items():
        out.write_bytes(path, data)
    flipped = bytearray(whole["shards/00003.tar"])
    flipped[len(flipped) // 2] ^= 4
    out.write_bytes("shards/00003.tar", bytes(flipped))
    out.delete("shards/00007.json")
    wrong = read_record(out, 11)  # whole by all its hashes, but not what the tar holds
    next(row for row in wrong.rows if not row["reason"])["contrast"] += 0.25
    out.write_bytes(record_path(11), encode_record(wrong))
    out.write_bytes("shards/00014.tar", whole["shards/00001.tar"])
    out.write_bytes("manifest.parquet", whole["manifest.parquet"][:-1])
    out.write_bytes("shards/notes.txt", b"not ours to delete")
    out.write_bytes("README.md", b"another card")
    found = generate("verify", out.uri)
    assert found.returncode == 1
    for path in ("shards/00003.tar", "shards/00007.json", "shards/00011.tar, sample", "shards/00014.tar"):
        assert path in found.stdout
    touched = {path: (tmp_path / "set" / path).stat().st_mtime_ns for path in whole if out.exists(path)}
    mended = generate("repair", out.uri)
    assert mended.returncode == 1, mended.stderr
    assert "left as it is, shards/notes.txt" in mended.stdout
    assert "mended README.md" in mended.stdout
    assert "mended index.html" not in mended.stdout
    out.delete("shards/notes.txt")
    assert content(out) == whole
    changed = {path for path in whole if (tmp_path / "set" / path).stat().st_mtime_ns != touched.get(path)}
    assert {path for path in changed if path.endswith(".tar")} == {
        "shards/00003.tar",
        "shards/00007.tar",
        "shards/00011.tar",
    }
    assert generate("verify", out.uri).returncode == 0


@pytest.mark.ray
def test_a_set_stays_with_the_model_that_it_began_with(run_uri: str, tmp_path: Path) -> None:
    """The run is trained on while the set is made: what is added must not come from another model."""
    run = untrained_run(tmp_path / "runs", preset("debug"), images_seen=48)
    out = tmp_path / "set"
    arguments = ("--run", run.uri, "--num-samples", "30", "--shard-samples", "10", "--out", out)
    assert generate(*arguments).returncode == 0
    before = content(open_storage(str(out)))
    (out / "shards" / "00001.tar").unlink()
    longer = override(preset("debug"), {"schedule.total_images": 480})
    write_config(run, longer)  # as jobs/train.py does
    commit_weights(run, preset("debug"), seed=1, images_seen=96)
    again = generate(*arguments)
    assert again.returncode == 0, again.stderr
    assert "stays with the one that it began with" in again.stderr
    assert content(open_storage(str(out))) == before
    write_config(run, override(preset("debug"), {"seed": 1}))
    with pytest.raises(UserError, match="is a set of the run"):
        main([str(word) for word in arguments])


def test_what_lies_at_the_place_is_not_written_over(run_uri: str, tmp_path: Path) -> None:
    (tmp_path / "shards").mkdir()
    (tmp_path / "shards" / "00000.tar").write_bytes(b"somebody's photos")
    with pytest.raises(UserError, match=r"holds something else \(shards/00000.tar\)"):
        main(["--run", run_uri, "--num-samples", "5", "--out", str(tmp_path)])
    assert [path.name for path in tmp_path.rglob("*")] == ["shards", "00000.tar"]


@pytest.mark.ray
@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("terms.json", b'"seed": 0', b'"seed": 1'),
        ("model/config.json", b'"d_max_at_64_px": 3', b'"d_max_at_64_px": 7'),
        ("model/latest.json", b'"sha256": "', b'"sha256": "0'),
    ],
)
def test_a_set_without_sound_terms_or_model_is_left_alone(
    path: str, before: bytes, after: bytes, undisturbed: Storage, tmp_path: Path
) -> None:
    """Whoever mends by damaged terms would throw a sound set away."""
    out = open_storage(str(tmp_path))
    for name in ("terms.json", *(entry.path for entry in undisturbed.list("model/"))):
        out.write_bytes(name, undisturbed.read_bytes(name))
    assert before in out.read_bytes(path)
    out.write_bytes(path, out.read_bytes(path).replace(before, after))
    damaged = content(out)
    for action in ("verify", "repair"):
        with pytest.raises(UserError, match=r"terms.json|the set's own model is damaged|is not the model"):
            main([action, str(tmp_path)])
    assert content(out) == damaged


@pytest.mark.ray
def test_a_set_of_which_nothing_was_kept_is_an_error(run_uri: str, tmp_path: Path) -> None:
    limit = ("--limit", "min_spread=5")
    done = generate("--run", run_uri, "--num-samples", "20", "--out", tmp_path / "set", *limit)
    assert done.returncode == 1
    assert "all 20 samples were rejected" in done.stderr


def test_a_dry_run_says_what_would_be_and_writes_nothing(run_uri: str, tmp_path: Path, capsys) -> None:
    assert main(["--run", run_uri, *SET, "--out", str(tmp_path / "set"), "--dry-run"]) == 0
    planned = json.loads(capsys.readouterr().out)
    assert planned["num_shards"] == SHARDS
    assert planned["views_per_side"] == [11, 11]  # the least, d_max is 0.75 px here
    assert not os.path.exists(tmp_path / "set")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--run", "nowhere", "--num-samples", "5", "--out", "x"], "there is no run at"),
        (["--run", "zoo:nobody", "--num-samples", "5", "--out", "x"], "no model 'zoo:nobody' in the zoo"),
        (["--run", "r", "--num-samples", "0", "--out", "x"], "num_samples must be at least 1"),
        (["--run", "r", "--num-samples", "5", "--out", "x", "--apertures", "0.5,2"], "apertures must be"),
        (["--run", "r", "--num-samples", "5", "--out", "x", "--limit", "blur=1"], "--limit knows min_spread"),
        (["--run", "r", "--num-samples", "5", "--out", "x", "--limit", "min_spread"], "--limit wants NAME=NUMBER"),
        (["verify", "nowhere"], "there is no set of tuples at"),
    ],
)
def test_what_cannot_be_is_one_sentence(arguments: list[str], message: str) -> None:
    with pytest.raises(UserError, match=message):
        main(arguments)


@pytest.mark.parametrize("arguments", [["--help"], ["verify", "--help"]])
def test_help(arguments: list[str], capsys) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(arguments)
    assert "--num-workers" in capsys.readouterr().out


def test_a_worker_that_dies_for_good_is_one_sentence() -> None:
    from ray.exceptions import OutOfMemoryError, RayActorError

    from jobs.runtime.shard_workers import deaths_told

    unborn = RayActorError(error_msg="it died\nModuleNotFoundError: No module named 'x'", actor_init_failed=True)
    for death, told in (
        (
            RayActorError(error_msg="it died\nits node is gone"),
            "20 times, the last time with its node is gone: the same",
        ),
        (OutOfMemoryError("killed for memory"), "20 times, the last time with .*killed for memory.*: the same command"),
        (unborn, "no worker can be started: ModuleNotFoundError: No module named 'x'"),
    ):
        with pytest.raises(UserError, match=told), deaths_told():
            raise death
