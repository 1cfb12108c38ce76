"""A sweep as a person meets it: real trials on real Ray, and its page while it runs."""

import json
import re
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sweep_process import NUM_TRIALS, PATIENCE_S, events, folder, run, start
from tiny_sweep import RUNGS, request

from argan.config import Config
from argan.errors import DataError, UserError
from argan.search.course import next_trial
from argan.search.ledger import LEDGER, Known, Ledger, Rung
from argan.search.table import TABLE
from argan.settings import learned_keys, override
from argan.storage import open_storage
from jobs.runtime.rung import TrialWork, judge, train_to
from jobs.runtime.sweeping import PAGE, SweepRequest, plan, report, run_sweep
from jobs.runtime.workers import Workers
from jobs.sweep import main

pytestmark = pytest.mark.timeout(900)  # a start of Ray for each rung


@pytest.fixture(scope="module")
def undisturbed(scenes: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("undisturbed")
    run(scenes, out, speed_ups=("compute.cache_bytes=1e9", f"compute.cache_folder={out / 'cache'}"))
    return out


@pytest.mark.ray
def test_every_trial_is_a_run_that_was_trained_and_judged(undisturbed: Path) -> None:
    place = folder(undisturbed)
    table = json.loads((place / TABLE).read_text())
    assert [row["number"] for row in table["trials"]] == [0, 1]
    for row in table["trials"]:
        reached = [rung["images"] for rung in row["rungs"]]
        assert reached == list(RUNGS[: len(reached)])
        assert row["status"] == ("finished" if reached[-1] == RUNGS[-1] else "stopped")
        history = [
            json.loads(line) for line in (place / "runs" / row["run"] / "history.jsonl").read_text().splitlines()
        ]
        assert history[-1]["images_seen"] == reached[-1]
        for rung in row["rungs"]:
            judged = json.loads((place / "judged" / f"{row['run']}-{rung['images']}.json").read_text())
            assert rung["values"]["kid"] == judged["kid"]
            assert judged["protocol"]["fakes"]["images_seen"] == rung["images"]
        assert row["command"].startswith("python jobs/train.py --preset debug")
    assert table["front"]
    page = (place / PAGE).read_text()
    assert all(row["run"] in page for row in table["trials"])
    assert page.count("data:image/png") >= 2


@pytest.mark.ray
def test_trials_have_the_speed_ups_that_were_asked_for_in_the_same_sweep(undisturbed: Path, scenes: str) -> None:
    assert folder(undisturbed).name == request(scenes, str(undisturbed), NUM_TRIALS).resolved.folder
    assert list((undisturbed / "cache").glob("*/*.tar"))  # shards, read through the cache
    for config in (folder(undisturbed) / "runs").glob("*/config.json"):
        assert json.loads(config.read_text())["compute"]["cache_bytes"] == 10**9


def test_speed_ups_change_nothing_that_is_learned(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["smoke", "--help"])
    flags = set(re.findall(r"--(compute\.\w+)", capsys.readouterr().out))
    assert {"compute.cache_bytes", "compute.compile"} <= flags
    assert not flags & learned_keys(Config()).keys()


def test_a_speed_up_that_does_not_fit_ends_before_anything_is_written(scenes: str, tmp_path: Path) -> None:
    asked = request(scenes, str(tmp_path / "out"), NUM_TRIALS, **{"compute.cache_bytes": "-1"})
    with pytest.raises(UserError, match=r"compute\.cache_bytes must be at least 0, got -1"):
        run_sweep(asked)
    assert not (tmp_path / "out").exists()


@pytest.mark.ray
def test_a_judgement_from_elsewhere_is_refused(undisturbed: Path, scenes: str, tmp_path: Path) -> None:
    """And so is a run that somebody has trained on: both may come of copying between sweeps."""
    place = Path(shutil.copytree(folder(undisturbed), tmp_path / "copy"))
    sweep = request(scenes, str(tmp_path), NUM_TRIALS).resolved
    row = next(row for row in json.loads((place / TABLE).read_text())["trials"] if row["status"] == "finished")
    work = TrialWork(
        sweep_uri=str(place),
        data_uri=scenes,
        photos_uri=None,
        rungs_images=RUNGS,
        objectives=("kid",),
        workers=asdict(Workers(minimum=1, maximum=1, cpus_each=1)),
        speed_ups={},
        judging=asdict(sweep.judging),
        max_failures=0,
        nodes_may_come=False,
    )
    config = sweep.config(row["changes"])
    assert judge(work, config, RUNGS[-1])["kid"] == row["rungs"][-1]["values"]["kid"]
    changes: list[tuple[tuple[str, ...], object]] = [
        (("run_name",), "small-32-0123456789"),
        (("images_seen",), 5),
        (("test", "seed"), 7),
        (("estimator", "num_images"), 5),
        (("fakes", "photos"), "s = 1"),
        (("kid", "real", "num_photos"), 11),
    ]
    for path, other in changes:
        kept = place / "judged" / f"{row['run']}-{RUNGS[-1]}.json"
        before = kept.read_text()
        judged = json.loads(before)
        inner = judged["protocol"]
        for name in path[:-1]:
            inner = inner[name]
        inner[path[-1]] = other
        kept.write_text(json.dumps(judged))
        with pytest.raises(DataError, match=rf"judged with .*{other}.*take it away"):
            judge(work, config, RUNGS[-1])
        kept.write_text(before)
    (place / "judged" / f"{row['run']}-{RUNGS[0]}.json").unlink()
    with pytest.raises(DataError, match=r"stands at 240 images, not at the rung of 96, .* delete its folder"):
        judge(work, config, RUNGS[0])
    shutil.rmtree(place / "runs")
    train_to(work, override(config, {"schedule.total_images": RUNGS[-1]}))
    assert not (place / "runs").exists()  # its judgement stands
    assert judge(work, config, RUNGS[-1])["kid"] == row["rungs"][-1]["values"]["kid"]


@pytest.mark.ray
@pytest.mark.slow
def test_trials_side_by_side_are_each_run_once_and_to_their_end(scenes: str, tmp_path: Path) -> None:
    run(scenes, tmp_path, num_trials=3, concurrent=2)
    told = events(tmp_path)
    assert [event["trial"] for event in told if event["event"] == "proposed"] == [0, 1, 2]
    assert sorted(event["trial"] for event in told if event["event"] == "ended") == [0, 1, 2]
    for trial in range(3):
        reached = [event["images"] for event in told if event["event"] == "rung" and event["trial"] == trial]
        assert reached in (list(RUNGS), list(RUNGS[:1]))
    began = [event["trial"] for event in told if event["event"] in ("proposed", "ended")]
    assert began[:2] == [0, 1]  # the second began before the first had ended


@pytest.mark.ray
def test_a_finished_sweep_runs_nothing_again(undisturbed: Path, scenes: str) -> None:
    before = (folder(undisturbed) / LEDGER).read_bytes()
    run(scenes, undisturbed, RAY_ADDRESS="127.0.0.1:9")  # where nobody answers
    assert (folder(undisturbed) / LEDGER).read_bytes() == before


@pytest.mark.ray
def test_data_that_breaks_on_the_way_ends_the_sweep_with_one_sentence(scenes: str, tmp_path: Path) -> None:
    data = shutil.copytree(scenes, tmp_path / "data")
    shard = sorted(data.rglob("*.tar"))[-1]
    shard.write_bytes(shard.read_bytes()[: shard.stat().st_size // 2])
    with start(str(data), tmp_path / "out") as driver:
        _, errors = driver.communicate(timeout=PATIENCE_S)
    assert driver.returncode == 1
    assert "Traceback" not in errors
    assert re.search(f"trial 0 failed, the same command tries again: .*{shard.name}", errors), errors
    assert [event["event"] for event in events(tmp_path / "out")] == ["sweep", "proposed"]


def test_a_report_of_what_there_is_and_nothing_where_nothing_is(scenes: str, tmp_path: Path) -> None:
    asked = request(scenes, str(tmp_path), 2)
    with pytest.raises(UserError, match="there is no sweep at"):
        report(asked)
    ledger = Ledger(open_storage(asked.uri), asked.resolved)
    ledger.begin()
    ledger.propose({"prior.weight": 1.0, "optics.d_max_at_64_px": 2.0}, "debug-0123456789")
    table = report(asked)
    assert table["trials"][0]["status"] == "running"
    assert "debug-0123456789" in (folder(tmp_path) / PAGE).read_text()


def begun(asked: SweepRequest) -> Ledger:
    ledger = Ledger(open_storage(asked.uri), asked.resolved)
    ledger.begin()
    return ledger


def test_a_sweep_whose_trials_all_broke_ends_with_their_words(scenes: str, tmp_path: Path) -> None:
    """One that has a finished trial does not: those that broke are told on the page."""
    for finished in (0, 1):
        asked = request(scenes, str(tmp_path / str(finished)), 2)
        ledger = begun(asked)
        while (trial := next_trial(ledger, ())) is not None:
            if trial.number < finished:
                ledger.reach(trial.number, Rung(RUNGS[-1], {"kid": 9.0, "ordinal_accuracy": 0.5}, 1.0))
                ledger.end(trial.number, "finished")
            else:
                ledger.end(trial.number, "broke", "loss/generator is nan")
        if finished:
            assert [row["status"] for row in run_sweep(asked)["trials"]] == ["finished", "broke"]
        else:
            with pytest.raises(UserError, match="every trial broke, the last one: loss/generator is nan"):
                run_sweep(asked)
        assert open_storage(asked.uri).exists(PAGE)


def test_a_sweep_stays_with_what_it_began_with(scenes: str, tmp_path: Path) -> None:
    asked = request(scenes, str(tmp_path), 2)
    begun(asked).know([Known({}, (1.0, 1.0))], "s3://bucket/earlier")
    with pytest.raises(UserError, match=r"began with what s3://bucket/earlier found, not /another"):
        run_sweep(replace(asked, known_uri="/another"))


def test_a_plan_writes_nothing(scenes: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plan(request(scenes, str(tmp_path), 5))["most_images"] == 5 * RUNGS[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "words", [["no_such_sweep"], ["smoke", "--concurrent", "x"], ["smoke", "--search", "luck"], ["smoke", "--unknown"]]
)
def test_wrong_words_end_with_the_usage(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--data", "a", "--out", "b"])
    assert ended.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_every_sweep_that_ships_is_sound() -> None:
    """A Sweep checks itself: its keys, its configurations, its rungs."""
    from jobs.sweep import named_sweep, names

    assert {"ablation", "five_seeds", "recipe", "smoke"} <= set(names())
    for name in names():
        sweep = named_sweep(name, {})
        assert sweep.name == name
