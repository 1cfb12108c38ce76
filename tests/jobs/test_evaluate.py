import json

import pytest
from packed_scenes import pack_scenes
from untrained_run import commit_weights, untrained_run

from argan.api import load_run
from argan.errors import DataError, UserError
from argan.evaluation import fid
from argan.evaluation.measures import RANK_MEASURES
from argan.evaluation.scores import MEASURES
from argan.presets import preset
from argan.settings import override, run_name
from jobs.evaluate import main
from jobs.runtime import depth_quality, photo_quality

SMALL = ["--scenes", "12", "--estimator-images", "64", "--estimator-pairs", "32", "--only", "depth"]


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
    kept = sorted((tmp_path / "b" / "estimators").glob("*.safetensors"))
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


@pytest.mark.parametrize("part", ["depth", "kid"])  # optics: below
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
    assert {"run", "run_name", "checkpoint_sha256", "platform"} <= result["protocol"].keys()
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


def test_a_standard_gan_is_judged_by_its_photos_alone(tmp_path):
    config = override(preset("debug"), {"method": "gan"})
    run = untrained_run(tmp_path, config)
    command = ["--run", run.uri, "--scenes", "6", "--kid-images", "6", "--json", str(tmp_path / "a.json")]
    with pytest.raises(UserError, match="no disparity to judge: --only kid"):
        main(command)
    assert main([*command, "--only", "kid"]) == 0


def test_runs_share_their_ceiling_and_nothing_else(run_uri, tmp_path):
    """Other weights in the same run, as after more training, teach an estimator of their own."""
    run = untrained_run(tmp_path, preset("debug"))
    results = []
    for seed in (0, 1):
        commit_weights(run, preset("debug"), seed=seed)
        main(["--run", run.uri, "--json", str(tmp_path / "a.json"), "--cache", str(tmp_path / "cache"), *SMALL])
        results.append(json.loads((tmp_path / "a.json").read_text()))
    kept = [file.name.partition("-")[0] for file in sorted((tmp_path / "cache").glob("*.safetensors"))]
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
