"""What jobs/evaluate.py plans, and what it refuses before anything is learned or written."""

import json
import subprocess
import sys

import pytest
from packed_scenes import pack_scenes

from argan.errors import MissingError, UserError
from argan.scenes.seeds import SELECTION_SEED, TEST_SEED
from jobs.evaluate import main, told
from jobs.runtime import evaluation
from jobs.runtime.output_file import OutputFile

SMALL = ["--scenes", "12", "--estimator-images", "64", "--estimator-pairs", "32", "--only", "depth"]


def nothing_is_judged(*_, **__):
    raise AssertionError("something is judged")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--features", "inception"], "neither efficientnet-lite0 nor a file: 'inception'"),
        (["--kid-images", "3"], "at least 4 photos on each side, there are 3 real and 3 generated"),
        (["--scenes", "3"], "at least 4 photos on each side, there are 3 real and 1000 generated"),
        (["--only", "optics", "--photos", "larger"], "holds photos of 32 px, the run makes 16 px"),
        (["--only", "depth", "--data", "untrue"], "holds photos without truth"),
        (["--only", "depth", "--data", "larger"], "32 px, the run makes 16 px"),
    ],
)
def test_what_cannot_be_judged_is_refused_before_anything_is(run_uri, sets, tmp_path, monkeypatch, words, text):
    """In the plan too."""
    monkeypatch.setattr(evaluation, "judge_run", nothing_is_judged)
    words = [sets.get(word, word) for word in words]
    for more in ([], ["--dry-run"]):
        with pytest.raises(UserError, match=text):
            main(["--run", run_uri, "--json", str(tmp_path / "a.json"), *words, *more])
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    larger = pack_scenes(str(folder / "larger"), "scenes:2", resolution=32)
    untrue = pack_scenes(str(folder / "untrue"), "scenes:30")
    head = json.loads(untrue.read_bytes("manifest.json"))
    untrue.write_bytes("manifest.json", json.dumps({**head, "truth": False}).encode())
    return {"larger": larger.uri, "untrue": untrue.uri}


def test_scenes_that_tell_are_not_those_that_choose(run_uri, tmp_path, capsys):
    seeds = []
    for words in ([], ["--use", "test"], ["--use", "selection"]):
        assert main(["--run", run_uri, "--json", str(tmp_path / "a.json"), *words, "--dry-run"]) == 0
        planned = json.loads(capsys.readouterr().out)
        seeds.append((planned["protocol"]["test"]["seed"], planned["kid"]["real"]["seed"]))
    assert seeds == [(TEST_SEED,) * 2, (TEST_SEED,) * 2, (SELECTION_SEED,) * 2]


def test_a_run_that_is_not_there_is_named(tmp_path):
    with pytest.raises(MissingError, match="no run at"):
        main(["--run", str(tmp_path / "nothing"), "--json", str(tmp_path / "a.json"), *SMALL])


@pytest.mark.parametrize("flag", ["--json", "--page", "--cache"])
def test_a_place_that_cannot_be_written_is_refused_before_the_work(run_uri, tmp_path, monkeypatch, flag):
    monkeypatch.setattr(evaluation, "evaluate", nothing_is_judged)
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UserError, match=f"no result could be kept in {tmp_path}/file.*: .* cannot be written"):
        main(["--run", run_uri, "--json", str(tmp_path / "a.json"), flag, str(tmp_path / "file" / "b"), *SMALL])


@pytest.mark.s3
def test_a_bucket_that_is_not_there_is_refused_before_the_work(run_uri, s3, monkeypatch):
    monkeypatch.setattr(evaluation, "evaluate", nothing_is_judged)
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
    monkeypatch.setattr(evaluation, "evaluate", nothing_is_judged)
    (tmp_path / "a.json").write_text("of yesterday")
    with pytest.raises(AssertionError):
        main(["--run", run_uri, "--json", str(tmp_path / "a.json"), "--page", str(tmp_path / "a.html"), *SMALL])
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["a.json"]
    assert (tmp_path / "a.json").read_text() == "of yesterday"


def test_json_and_page_are_two_files(run_uri, tmp_path):
    with pytest.raises(UserError, match="give two"):
        main(["--run", run_uri, "--json", str(tmp_path / "a"), "--page", str(tmp_path / "a"), *SMALL])


def test_a_negative_seed_is_refused_before_the_work(run_uri, tmp_path):
    with pytest.raises(UserError, match="seed must be from 0 to 4294967295, got -1"):
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


def test_a_number_that_there_is_not_is_a_dash():
    """A ceiling that is no better than a guess leaves no gap, and a smooth photo no blur."""
    result = {
        "blur_slope": None,
        "blur_r_squared": None,
        "sharpness_deep": 0.5,
        "sharpness_real": 0.25,
        "spearman": 0.125,
        "trivial": {"spearman": {"name": "constant", "value": 0.5}},
        "ceiling": {"spearman": 0.375},
        "gap_closed": {"spearman": None},
        "gap_closed_interval": {"spearman": [None, None]},
        "gap_closed_past_fixed": {"spearman": None},
    }
    assert list(told(result)) == [
        "blur slope - | R^2 -",
        "sharpness of deep photos 0.5 | of real ones 0.25",
        "spearman 0.125 | best trivial 0.5 (constant) | ceiling 0.375 | gap closed - (95 % of draws of photos: - .. -)",
        "from the mean of truth on: gap closed spearman -",
    ]


def test_help_loads_nothing_heavy():
    code = "import sys, jobs.evaluate; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("flags", [["--scenes", "0"], ["--sceens", "5"]])
def test_wrong_flags_end_with_the_usage(flags, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["--run", "r", "--json", "j", *flags])
    assert "usage" in capsys.readouterr().err
