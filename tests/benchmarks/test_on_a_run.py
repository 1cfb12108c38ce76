"""What the tools that take a run refuse before they train anything."""

import re

import at_random
import go_on
import pytest
from packed_scenes import pack_scenes
from untrained_run import untrained_run

from argan.config import Config
from argan.data.manifest import read_manifest
from argan.errors import DataError, UserError
from argan.presets import preset
from argan.settings import override
from argan.storage import open_storage


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Three sets by name: "own", "other" with as many photos of the run's 16 px, "larger" of 32 px."""
    kinds = {"own": ("scenes:20", 16), "other": ("scenes:20@1", 16), "larger": ("scenes:20", 32)}
    return {
        name: pack_scenes(str(tmp_path_factory.mktemp(name)), source, resolution=resolution).uri
        for name, (source, resolution) in kinds.items()
    }


@pytest.fixture(scope="module")
def config(photos: dict[str, str]) -> Config:
    return override(preset("debug"), {"data.fingerprint": read_manifest(open_storage(photos["own"])).order_fingerprint})


@pytest.fixture(scope="module")
def run_uri(config: Config, tmp_path_factory: pytest.TempPathFactory) -> str:
    """At no images yet, trained on "own"."""
    return untrained_run(tmp_path_factory.mktemp("runs"), config).uri


@pytest.mark.parametrize(
    ("name", "text"), [("own", "none of its photos is unseen"), ("larger", "holds photos of 32 px, the run makes 16")]
)
def test_unseen_photos_are_unseen_and_of_the_runs_size(
    run_uri: str, photos: dict[str, str], name: str, text: str, tmp_path
) -> None:
    with pytest.raises(DataError, match=text):
        at_random.main(["--run", run_uri, "--photos", photos[name], "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("batches", [0.0, 0.5, 1.5])
def test_a_run_goes_on_for_whole_batches(
    run_uri: str, photos: dict[str, str], config: Config, batches: float, tmp_path
) -> None:
    batch_images = config.data.batch_images
    images = int(batches * batch_images)
    with pytest.raises(UserError, match=rf"a multiple of data\.batch_images = {batch_images}, got {images}"):
        go_on.main(["--run", run_uri, "--data", photos["own"], "--images", str(images), "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())


def test_a_run_goes_on_with_the_photos_it_knows(run_uri: str, photos: dict[str, str]) -> None:
    with pytest.raises(
        DataError, match=f"{re.escape(photos['other'])} is not the set that {re.escape(run_uri)} was trained on"
    ):
        go_on.main(["--run", run_uri, "--data", photos["other"], "--images", "48"])


@pytest.mark.parametrize("text", ["", "seed", "seed 3"])
def test_a_change_is_key_and_value(run_uri: str, photos: dict[str, str], text: str) -> None:
    with pytest.raises(UserError, match=f"--set must be KEY=VALUE, got '{text}'"):
        go_on.main(["--run", run_uri, "--data", photos["own"], "--set", text])


def test_a_change_of_the_nets_does_not_go_on_from_other_weights(
    run_uri: str, photos: dict[str, str], config: Config, tmp_path
) -> None:
    batch = str(config.data.batch_images)
    asked = ["--run", run_uri, "--data", photos["own"], "--images", batch, "--out", str(tmp_path)]
    with pytest.raises(DataError, match=r"not of this configuration: generator\.mapping"):
        go_on.main([*asked, "--set", "generator.w_dim=64"])
    assert not list(tmp_path.rglob("*.safetensors"))
