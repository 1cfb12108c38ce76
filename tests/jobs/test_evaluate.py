import json
import subprocess
import sys

import pytest
import torch
from packed_scenes import pack_scenes

from argan.api import load_run
from argan.errors import DataError, MissingError, UserError
from argan.evaluation import fid
from argan.evaluation.measures import RANK_MEASURES
from argan.evaluation.scores import MEASURES
from argan.presets import preset
from argan.runs.checkpoints import commit_checkpoint
from argan.runs.folder import open_run, write_config
from argan.settings import override, run_name
from argan.training.checkpoint import snapshot
from argan.training.state import build_state
from jobs.evaluate import OutputFile, main
from jobs.runtime import depth_quality, evaluation, photo_quality

SMALL = ["--scenes", "12", "--estimator-images", "64", "--estimator-pairs", "32", "--only", "depth"]


@pytest.fixture(scope="module")
def run_uri(tmp_path_factory):
    """A run of the debug preset (16 px) that has not learned anything yet."""
    run = open_run(str(tmp_path_factory.mktemp("runs")), preset("debug"))
    write_config(run, preset("debug"))
    commit_weights(run, seed=0)
    return run.uri


def commit_weights(run, seed):
    """The run's checkpoint is now that of nets drawn by another seed."""
    state = build_state(override(preset("debug"), {"seed": seed}), torch.device("cpu"))
    commit_checkpoint(run, snapshot(state), config=state.config, device=state.device, attempt=1, keep=1)


def no_training(*_, **__):
    raise AssertionError("an estimator is trained")


def test_one_json_object_with_every_measure_and_a_page(run_uri, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--page", str(page), *SMALL]) == 0
    result = json.loads((tmp_path / "a.json").read_text())
    for part in (result, result["ceiling"], result["trivial"], result["smooth_subjects"]):
        assert set(MEASURES) <= set(part)
    assert set(result["gap_closed"]) == set(RANK_MEASURES)
    protocol = result["protocol"]
    assert protocol["test"]["num_photos"] == 12
    assert protocol["estimator"]["num_images"] == 64
    assert len({protocol[part]["seed"] for part in ("test", "ceiling", "fakes")}) == 3
    assert page.read_text().count("<img") >= 3
    assert capsys.readouterr().out.splitlines()[-1] == str(page)


def test_same_command_same_digits_and_a_kept_estimator_is_the_trained_one(run_uri, tmp_path, monkeypatch):
    results = []
    for folder, name in (("a", "trained.json"), ("b", "trained.json"), ("b", "kept.json")):
        if name == "kept.json":
            monkeypatch.setattr(depth_quality, "train_estimator", no_training)
        main(["--run", run_uri, "--json", str(tmp_path / folder / name), *SMALL])
        results.append((tmp_path / folder / name).read_text())
    assert results[0] == results[1] == results[2]
    kept = sorted((tmp_path / "b" / "estimators").iterdir())
    assert [file.name.partition("-")[0] for file in kept] == ["fakes", "truth"]
    for file in kept:
        whole = file.read_bytes()
        file.write_bytes(whole[:100])
        with pytest.raises(DataError, match=f"{file.name} is broken, delete it"):
            main(["--run", run_uri, "--json", str(tmp_path / "b" / "c.json"), *SMALL])
        file.write_bytes(whole)


def test_kid_with_its_protocol_and_the_real_features_kept(run_uri, tmp_path, monkeypatch):
    command = ["--run", run_uri, "--scenes", "12", "--only", "kid", "--kid-images", "10", "--json"]
    results, asked = [], []
    real_extract = photo_quality.extract
    monkeypatch.setattr(photo_quality, "extract", lambda *given: asked.append(len(given[1])) or real_extract(*given))
    for name in ("a", "b"):
        assert main([*command, str(tmp_path / name)]) == 0
        results.append((tmp_path / name).read_text())
    assert results[0] == results[1]
    assert asked == [10, 10, 10]  # the second time those of the scenes lie there
    result = json.loads(results[0])
    assert result["kid_interval"][0] <= result["kid"] <= result["kid_interval"][1]
    assert result["kid"] > 100  # noise of an untrained net
    assert all(0 <= result[share] <= 1 for share in ("precision", "recall"))
    assert "fid" not in result  # of so few photos
    protocol = result["protocol"]["kid"]
    assert protocol["features"]["extractor"] == "efficientnet-lite0"
    assert (protocol["num_real"], protocol["num_fake"], protocol["subset_images"]) == (10, 10, 5)
    assert protocol["real"]["scenes_version"]


def test_fid_is_told_of_photos_enough(run_uri, tmp_path, monkeypatch):
    """Of the very features that KID is told of. That it takes 5,000 is lowered here, for the sake of time."""
    monkeypatch.setattr(photo_quality, "FEWEST_IMAGES", 10)
    monkeypatch.setattr(fid, "FEWEST_IMAGES", 10)
    found, real_extract = [], photo_quality.extract
    monkeypatch.setattr(photo_quality, "extract", lambda *given: found.append(real_extract(*given)) or found[-1])
    command = ["--run", run_uri, "--only", "kid", "--kid-images", "12", "--json", str(tmp_path / "a"), "--scenes"]
    assert main([*command, "12"]) == 0
    told = json.loads((tmp_path / "a").read_text())["fid"]
    assert told == pytest.approx(fid.fid(*found), rel=1e-6)
    assert told > 1
    assert main([*command, "8"]) == 0  # too few real ones
    assert "fid" not in json.loads((tmp_path / "a").read_text())


def test_the_whole_command_says_the_same_digits_and_whose_they_are(run_uri, tmp_path):
    results = []
    for name in ("a", "b"):
        small = ["--scenes", "12", "--estimator-images", "64", "--estimator-pairs", "32", "--kid-images", "10"]
        assert main(["--run", run_uri, "--json", str(tmp_path / name / "all.json"), *small]) == 0
        results.append((tmp_path / name / "all.json").read_text())
    assert results[0] == results[1]
    assert {"kid", "foreground_auc", "side", "blur_slope", "sharpness_deep_far"} <= json.loads(results[0]).keys()


@pytest.mark.parametrize("part", ["depth", "kid", "optics"])
def test_every_part_names_the_weights_and_the_machine(run_uri, tmp_path, part):
    small = [*SMALL[:-1], part, "--kid-images", "10"]
    assert main(["--run", run_uri, "--json", str(tmp_path / "a.json"), *small]) == 0
    protocol = json.loads((tmp_path / "a.json").read_text())["protocol"]
    run = load_run(run_uri)
    assert protocol["protocol"].startswith("argan-evaluation/")
    assert (protocol["run"], protocol["run_name"]) == (run_uri, run_name(run.config))
    assert protocol["checkpoint_sha256"] == run.checkpoint_sha256
    assert {"torch", "threads", "argan"} <= protocol["platform"].keys()


def test_the_optics_of_a_model_from_the_zoo(tmp_path, capsys):
    """Blur is of the renderer's making, so any model of ours has it right."""
    command = [
        "--run",
        "zoo:ar-gan-scenes-32",
        "--scenes",
        "40",
        "--only",
        "optics",
        "--json",
        str(tmp_path / "a.json"),
    ]
    assert main([*command, "--page", str(tmp_path / "a.html")]) == 0
    result = json.loads((tmp_path / "a.json").read_text())
    assert result["blur_slope"] == pytest.approx(1, abs=0.1)
    assert result["blur_r_squared"] > 0.9
    assert result["blur_regions"] > 50
    assert 0 < result["sharpness_deep"] < 1
    assert result["protocol"]["optics"]["num_photos"] == 256
    assert "blur_slope" in (tmp_path / "a.html").read_text()
    assert "blur slope" in capsys.readouterr().out


def test_kid_compares_with_the_photos_of_a_packed_set(run_uri, tmp_path):
    data = pack_scenes(str(tmp_path / "set"), "scenes:40", resolution=16).uri
    command = ["--run", run_uri, "--only", "kid", "--photos", data, "--kid-images", "10"]
    assert main([*command, "--json", str(tmp_path / "a.json"), "--page", str(tmp_path / "a.html")]) == 0
    real = json.loads((tmp_path / "a.json").read_text())["protocol"]["kid"]["real"]
    assert (real["data"], real["num_photos"]) == (data, 10)
    assert "kid" in (tmp_path / "a.html").read_text()
    with pytest.raises(DataError, match="holds photos of 32 px, the run makes 16 px"):
        main(
            [
                *command[:-3],
                pack_scenes(str(tmp_path / "large"), "scenes:40", resolution=32).uri,
                "--json",
                str(tmp_path / "b.json"),
            ]
        )


def test_features_by_a_path_that_is_none(run_uri, tmp_path):
    command = ["--run", run_uri, "--scenes", "6", "--only", "kid", "--json", str(tmp_path / "a.json")]
    with pytest.raises(UserError, match=r"neither efficientnet-lite0 nor a file: 'inception' \(No such file"):
        main([*command, "--features", "inception"])


def test_a_standard_gan_is_judged_by_its_photos_alone(tmp_path):
    config = override(preset("debug"), {"method": "gan"})
    run = open_run(str(tmp_path), config)
    write_config(run, config)
    state = build_state(config, torch.device("cpu"))
    commit_checkpoint(run, snapshot(state), config=config, device=state.device, attempt=1, keep=1)
    command = ["--run", run.uri, "--scenes", "6", "--kid-images", "6", "--json", str(tmp_path / "a.json")]
    with pytest.raises(UserError, match="no disparity to judge: --only kid"):
        main(command)
    assert main([*command, "--only", "kid"]) == 0


def test_runs_share_their_ceiling_and_nothing_else(run_uri, tmp_path):
    """Other weights in the same run, as after more training, teach an estimator of their own."""
    run = open_run(str(tmp_path), preset("debug"))
    write_config(run, preset("debug"))
    results = []
    for seed in (0, 1):
        commit_weights(run, seed)
        main(["--run", run.uri, "--json", str(tmp_path / "a.json"), "--cache", str(tmp_path / "cache"), *SMALL])
        results.append(json.loads((tmp_path / "a.json").read_text()))
    kept = [file.name.partition("-")[0] for file in sorted((tmp_path / "cache").iterdir())]
    assert kept == ["fakes", "fakes", "truth"]
    assert results[0]["foreground_auc"] != results[1]["foreground_auc"]
    assert results[0]["ceiling"] == results[1]["ceiling"]


def test_another_seed_keeps_the_photos(run_uri, tmp_path):
    results = []
    for seed in ("0", "1"):
        main(["--run", run_uri, "--json", str(tmp_path / seed), "--seed", seed, *SMALL])
        results.append(json.loads((tmp_path / seed).read_text()))
    assert results[0]["foreground_auc"] != results[1]["foreground_auc"]
    assert results[0]["protocol"]["test"] == results[1]["protocol"]["test"]
    assert results[0]["trivial_all"]["+red"]["foreground_auc"] == results[1]["trivial_all"]["+red"]["foreground_auc"]


def test_a_packed_set_judges_with_one_part_and_teaches_with_the_other(run_uri, tmp_path):
    data = pack_scenes(str(tmp_path / "set"), "scenes:40", resolution=16).uri
    budget = ["--estimator-images", "64", "--estimator-pairs", "64", "--only", "depth"]
    main(["--run", run_uri, "--data", data, "--json", str(tmp_path / "a.json"), *budget])
    protocol = json.loads((tmp_path / "a.json").read_text())["protocol"]
    assert 32 < protocol["test"]["num_photos"] + protocol["ceiling"]["num_photos"] < 40  # the others are for choosing
    assert protocol["test"]["part"] != protocol["ceiling"]["part"]
    assert protocol["estimator"]["num_pairs"] == protocol["ceiling"]["num_photos"]  # fewer than asked, for both nets


def test_a_set_of_another_resolution_is_refused(run_uri, tmp_path):
    data = pack_scenes(str(tmp_path / "set"), "scenes:2", resolution=32).uri
    with pytest.raises(DataError, match="32 px, the run makes 16 px"):
        main(["--run", run_uri, "--data", data, "--json", str(tmp_path / "a.json"), *SMALL])


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingError, match="no run at"):
        main(["--run", str(tmp_path / "nothing"), "--json", str(tmp_path / "a.json"), *SMALL])


@pytest.mark.parametrize("flag", ["--json", "--page", "--cache"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(run_uri, tmp_path, monkeypatch, flag):
    monkeypatch.setattr(evaluation, "evaluate", no_training)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=f"no result could be kept in {tmp_path}/file.*: .* cannot be written"):
        main(["--run", run_uri, "--json", str(tmp_path / "a.json"), flag, str(tmp_path / "file" / "b"), *SMALL])


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_refused_before_the_work(run_uri, s3, monkeypatch):
    monkeypatch.setattr(evaluation, "evaluate", no_training)
    with pytest.raises(UserError, match="no result could be kept in s3://no-such-bucket"):
        main(["--run", run_uri, "--json", "s3://no-such-bucket/a.json", *SMALL])


@pytest.mark.parametrize("name", ["results/", ".", "..", "", "s3://bucket", "s3://bucket/", "s3://", "/"])
def test_a_folder_or_a_bucket_is_no_file_to_write(name):
    with pytest.raises(UserError, match="give a file to write"):
        OutputFile.at(name)


def test_a_file_is_its_folder_and_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    uris = ["/x.json", "x.json", "a/x.json", "s3://bucket/x.json", "s3://bucket/a/x.json"]
    files = [OutputFile.at(uri) for uri in uris]
    assert [file.name for file in files] == ["x.json"] * len(uris)
    folders = ["/", str(tmp_path), str(tmp_path / "a"), "s3://bucket", "s3://bucket/a"]
    assert [file.folder.uri for file in files] == folders


def test_what_stands_there_stays_until_there_is_a_result(run_uri, tmp_path, monkeypatch):
    monkeypatch.setattr(evaluation, "evaluate", no_training)
    (tmp_path / "a.json").write_text("of yesterday")
    with pytest.raises(AssertionError):
        main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--page", str(tmp_path / "a.html"), *SMALL])
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "of yesterday"


def test_json_and_page_are_two_files(run_uri, tmp_path):
    with pytest.raises(UserError, match="give two"):
        main(["--run", run_uri, "--json", str(tmp_path / "a"), "--page", str(tmp_path / "a"), *SMALL])


def test_a_negative_seed_is_refused_before_the_work(run_uri, tmp_path):
    with pytest.raises(UserError, match="seed must be 0 or more, got -1"):
        main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--seed", "-1", *SMALL])
    assert list(tmp_path.iterdir()) == []


def test_a_best_checkpoint_of_a_run_that_nobody_judged_is_refused_before_the_work(run_uri, tmp_path):
    with pytest.raises(MissingError, match="no best-kid checkpoint"):
        main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--checkpoint", "best-kid", "--dry-run"])
    assert not list(tmp_path.iterdir())


def test_how_pairs_are_photographed_stands_in_the_plan(run_uri, tmp_path, capsys):
    photos = []
    for pairs in ("uniform", "own"):
        assert main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--pairs", pairs, "--dry-run"]) == 0
        photos.append(json.loads(capsys.readouterr().out)["protocol"]["fakes"]["photos"])
    assert photos == ["R(I_d, s D), s uniform in [0, 1]", "R(I_d, s D), s ~ p(s)"]


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
