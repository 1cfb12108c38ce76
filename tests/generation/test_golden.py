"""What the same terms have always made: a change here needs a new TERMS_SCHEMA, or half a set is made the new way."""

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from small_set import CONFIG as SMALL
from small_set import camera, recipe

from argan.data.manifest import ShardInfo
from argan.data.shard_files import sha256
from argan.data.tar import TarWriter
from argan.data.tuple_set import TupleShard, encode_record
from argan.generation.maker import DeepBatch, TupleMaker
from argan.generation.quality import reason
from argan.generation.recipe import Quality, Recipe, Terms, encode_terms
from argan.generation.shard import add_sample, measure_stored, sample_facts
from argan.settings import override

CONFIG = override(SMALL, {"optics.linear_light": False})  # as it was when the golden file was written
GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "tuples.json"
PHOTOS = GOLDEN.with_name("photos.json")
QUALITIES = (
    Quality(),
    Quality(min_spread=2.0),
    Quality(min_contrast=2.0),
    Quality(max_prior_correlation=-1.0),
    Quality(min_sharpness=2.0),
    Quality(max_saturation=-1.0),
)


def made_now() -> dict[str, object]:
    """The parts that do not hang on the platform; draws to seven digits, which no processor rounds otherwise."""
    draws = {}
    for seed, index in ((0, 0), (1, 999), (2**32 - 1, 10**9)):
        maker = TupleMaker(camera(), CONFIG, recipe(seed=seed, truncation=1.5, random_apertures=2))
        numbers = [*maker.z(index)[0, :4].tolist(), *maker.apertures(index)]
        draws[f"{seed}/{index}"] = [float(f"{number:.6g}") for number in numbers]
    terms = Terms(
        recipe=Recipe(num_samples=3, shape="disk"),
        checkpoint_sha256="c",
        config_sha256="d",
        versions={"torch": "1"},
        platform={},
    )
    tar = TarWriter()
    row = add_sample(tar, 7, {"deep.png": b"deep", "disparity.png": bytes(600), "json": b"{}"})
    shard = ShardInfo(name="shards/00000.tar", num_samples=1, size_bytes=10, sha256="e" * 64)
    record = TupleShard(terms_sha256=terms.sha256, index=0, shard=shard, rows=[{"index": 7, "reason": "", **row}])
    maker = TupleMaker(camera(), CONFIG, terms.recipe)
    image, codes = made_up()
    measures = measure_stored(maker, image, codes)
    return {
        "measures": {name: float(f"{value:.6g}") for name, value in measures._asdict().items()},
        "rejected": [reason(measures, quality) for quality in QUALITIES],
        "draws": draws,
        "facts": sample_facts(terms, maker, 7, maker.apertures(7)),
        "row": row,
        "tar_sha256": sha256(tar.finish()),
        "record_sha256": sha256(encode_record(record)),
        "terms_sha256": sha256(encode_terms(terms)),
    }


def test_what_terms_mean_has_not_changed() -> None:
    assert made_now() == json.loads(GOLDEN.read_text()), "bump TERMS_SCHEMA, then write the golden file anew"


@pytest.mark.parametrize("occlusion_steps", [0, 8])
@pytest.mark.parametrize("linear_light", [False, True])
def test_photos_are_taken_as_ever(linear_light: bool, occlusion_steps: int) -> None:
    """To one level of 255, since another processor rounds otherwise; at an outline that may decide what hides what."""
    optics = {"optics.linear_light": linear_light, "optics.occlusion_steps": occlusion_steps}
    maker = TupleMaker(camera(), override(CONFIG, optics), Recipe(num_samples=3, shape="disk", focus_px=-0.2))
    image, codes = made_up()
    photos = maker.shallow(DeepBatch(image[None], codes[None]), [maker.apertures(0)])
    expected = np.array(json.loads(PHOTOS.read_text())[f"light {linear_light}, steps {occlusion_steps}"])
    found = np.stack(photos)[:, 0, ::2, ::2, 1]  # a quarter of the pixels, green
    assert (np.abs(found - expected) > 1).mean() < 0.02, "bump TERMS_SCHEMA, then write the golden file anew"


def made_up() -> tuple[NDArray[np.uint8], NDArray[np.uint16]]:
    """A photo and its disparity that need no net: a bright disk before a textured ground."""
    y, x = np.mgrid[:16, :16]
    is_subject = (x - 9) ** 2 + (y - 6) ** 2 < 20
    image = np.stack([(37 * x + 11 * y * channel) % 200 for channel in (1, 2, 3)], axis=-1)
    image[is_subject] = (250, 240, 10)
    codes = np.where(is_subject, 60_000, 1_000 * y + 3_000)
    return image.astype(np.uint8), codes.astype(np.uint16)


@pytest.mark.gpu
def test_a_gpu_makes_a_shard_twice_alike() -> None:
    import torch

    from argan.generation.platform import made_by, settle_numerics
    from argan.generation.shard import make_shard

    device = torch.device("cuda")
    settle_numerics(device)
    wanted = recipe()
    terms = Terms(recipe=wanted, checkpoint_sha256="", config_sha256="", **made_by(device))
    maker = TupleMaker(camera().to(device), CONFIG, wanted)
    assert make_shard(maker, terms, 0) == make_shard(maker, terms, 0)
