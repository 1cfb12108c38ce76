"""A model on its own: it loads as the run did, and its name is the hash of what it is."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from untrained_run import commit_weights, untrained_run

from argan.api import load_run
from argan.data.shard_files import sha256
from argan.errors import DataError, MissingError, UserError
from argan.presets import preset
from argan.runs.checkpoints import load_checkpoint, read_pointer
from argan.runs.export import export_model
from argan.runs.folder import CONFIG, open_run, write_config
from argan.storage import Storage, open_storage
from argan.storage.local import LocalStorage
from jobs.export import main


@pytest.fixture
def run(tmp_path: Path) -> Storage:
    run = untrained_run(tmp_path / "runs", preset("debug"), images_seen=48)
    commit_weights(run, preset("debug"), images_seen=96, keep=2)
    return run


def test_it_samples_as_the_run_does(run: Storage, tmp_path: Path) -> None:
    out = open_storage(str(tmp_path / "model"))
    exported = export_model(run, out, warn=pytest.fail)
    model, original = load_run(out.uri), load_run(run.uri)
    assert model.images_seen == original.images_seen == 96
    for ours, theirs in zip(model.sample(4, seed=3), original.sample(4, seed=3), strict=True):
        assert torch.equal(ours, theirs)
    [entry] = read_pointer(out).checkpoints
    assert entry["sha256"] == exported.sha256 == read_pointer(run).checkpoints[0]["sha256"]
    assert {Path(file.path).name for file in out.list()} == {
        "config.json", "latest.json", "checkpoint.json", "generator.safetensors"
    }  # fmt: skip


def test_half_is_another_model_of_half_the_size(run: Storage, tmp_path: Path) -> None:
    whole, half = open_storage(str(tmp_path / "whole")), open_storage(str(tmp_path / "half"))
    first, second = export_model(run, whole, warn=pytest.fail), export_model(run, half, half=True, warn=pytest.fail)
    assert first.sha256 != second.sha256
    assert second.record["exported_from"] == first.sha256
    sizes = [next(e.size_bytes for e in out.list() if e.path.endswith(".safetensors")) for out in (whole, half)]
    assert sizes[1] < 0.7 * sizes[0]
    ours, theirs = load_run(half.uri).sample(4).deep, load_run(whole.uri).sample(4).deep
    assert 0 < (ours - theirs).abs().max() < 0.01


@pytest.mark.parametrize("half", [False, True])
def test_nobody_can_train_on_from_it(run: Storage, tmp_path: Path, half: bool) -> None:
    out = open_storage(str(tmp_path / "model"))
    export_model(run, out, half=half, warn=pytest.fail)
    with pytest.raises(UserError, match="was exported to sample from"):
        load_checkpoint(out, warn=pytest.fail)


def test_a_broken_newest_checkpoint_is_left_behind(run: Storage, tmp_path: Path) -> None:
    newest = read_pointer(run).checkpoints[0]["path"]
    run.write_bytes(f"{newest}/generator.safetensors", b"broken")
    said: list[str] = []
    exported = export_model(run, open_storage(str(tmp_path / "model")), warn=said.append)
    assert exported.record["images_seen"] == 48
    assert "is broken" in said[0]


def test_what_is_not_there_is_one_sentence(tmp_path: Path) -> None:
    out = open_storage(str(tmp_path / "model"))
    with pytest.raises(MissingError, match="there is no run at"):
        export_model(open_storage(str(tmp_path / "nowhere")), out, warn=print)
    empty = open_run(str(tmp_path / "runs"), preset("debug"))
    write_config(empty, preset("debug"))
    with pytest.raises(DataError, match="no checkpoint yet"):
        export_model(empty, out, warn=print)
    assert list(out.list()) == []


def test_killed_before_its_last_file_it_is_made_by_the_same_command(
    run: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = ["--run", run.uri, "--out", str(tmp_path / "model")]
    with monkeypatch.context() as killed:
        killed.setattr(LocalStorage, "write_bytes", dies_at(CONFIG, LocalStorage.write_bytes))
        with pytest.raises(KeyboardInterrupt):
            main(command)
    assert main(command) == 0
    assert load_run(str(tmp_path / "model")).images_seen == 96


def test_what_a_killed_export_has_left_goes_with_the_next(
    run: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of another checkpoint, while the run went on."""
    out = tmp_path / "model"
    command = ["--run", run.uri, "--out", str(out)]
    with monkeypatch.context() as killed:
        killed.setattr(LocalStorage, "write_bytes", dies_at(CONFIG, LocalStorage.write_bytes))
        with pytest.raises(KeyboardInterrupt):
            main(command)
    commit_weights(run, preset("debug"), images_seen=144, keep=2)
    assert main(command) == 0
    assert [path.name.split("-")[0] for path in (out / "checkpoints").iterdir()] == ["000000000144"]


def test_a_dry_run_says_where_there_is_nothing_to_export(tmp_path: Path) -> None:
    empty = open_run(str(tmp_path / "runs"), preset("debug"))
    write_config(empty, preset("debug"))
    with pytest.raises(DataError, match="has no checkpoint yet"):
        main(["--run", empty.uri, "--out", str(tmp_path / "model"), "--dry-run"])


def dies_at(file: str, write: Callable[[LocalStorage, str, bytes], None]) -> Callable[[LocalStorage, str, bytes], None]:
    def write_or_die(storage: LocalStorage, path: str, data: bytes) -> None:
        if path == file:
            raise KeyboardInterrupt
        write(storage, path, data)

    return write_or_die


def test_the_job_names_the_model_and_writes_over_none(run: Storage, tmp_path: Path, capsys) -> None:
    out = tmp_path / "model"
    assert main(["--run", run.uri, "--out", str(out), "--dry-run"]) == 0
    assert not out.exists()
    assert main(["--run", run.uri, "--out", str(out), "--half"]) == 0
    [record] = out.glob("checkpoints/*/checkpoint.json")
    assert sha256(record.read_bytes()) in capsys.readouterr().out
    assert json.loads(record.read_text())["images_seen"] == 96
    with pytest.raises(UserError, match="holds a run or a model already"):
        main(["--run", run.uri, "--out", str(out)])
