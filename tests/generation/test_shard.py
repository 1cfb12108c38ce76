"""A sample is a function of its index, a shard of its number; what is stored can be rendered again."""

import io
import math
import tarfile
from pathlib import Path

import numpy as np
import pyarrow.parquet
import pytest
import torch
import webdataset
from PIL import Image
from small_set import CONFIG, SmallSet, camera, content, make_small_set, recipe, terms_of

from argan.data.tuple_manifest import read_columns, read_head
from argan.data.tuple_set import sample_members
from argan.data.tuples import decode_tuple
from argan.generation.maker import TupleMaker, truncated
from argan.generation.quality import KEPT
from argan.generation.recipe import MICRO_BATCH_IMAGES, Quality, encode_terms
from argan.generation.refocus import refocus_psnr_db
from argan.generation.shard import make_shard
from argan.storage import open_storage


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SmallSet:
    return make_small_set(open_storage(str(tmp_path_factory.mktemp("set"))))


def samples(small: SmallSet):
    for number in range(small.terms.recipe.num_shards):
        shard = make_shard(small.maker, small.terms, number)
        for row in shard.record.rows:
            if row["reason"] == KEPT:
                yield (
                    row,
                    decode_tuple(sample_members(shard.tar[row["offset"] : row["offset"] + row["size"]], row["index"])),
                )


def test_the_same_terms_make_the_same_bytes(made: SmallSet, tmp_path: Path) -> None:
    again = make_small_set(open_storage(str(tmp_path)))
    assert content(again.out) == content(made.out)


@pytest.mark.parametrize("shard_samples", [7, 25, 60])
def test_a_sample_does_not_depend_on_how_the_set_is_cut(made: SmallSet, shard_samples: int, tmp_path: Path) -> None:
    other = make_small_set(open_storage(str(tmp_path)), recipe(shard_samples=shard_samples, num_samples=30))
    hashes = read_columns(made.out, ["sha256"])["sha256"]
    assert (read_columns(other.out, ["sha256"])["sha256"] == hashes[:30]).all()


def test_every_sample_can_be_refocused(made: SmallSet) -> None:
    for row, sample in samples(made):
        assert refocus_psnr_db(sample) == math.inf, row["index"]  # 40 dB is for other platforms


def test_drawn_apertures_are_the_samples_own(made: SmallSet, tmp_path: Path) -> None:
    drawn = make_small_set(open_storage(str(tmp_path)), recipe(apertures=(), random_apertures=2))
    found = [sample for _, sample in samples(drawn)]
    scales = np.array([sample.info["apertures"] for sample in found])
    assert scales.shape == (44, 2)
    assert len(np.unique(scales)) == 88
    assert scales.min() > 0
    assert scales.max() <= 1
    assert all(refocus_psnr_db(sample) > 60 for sample in found)
    assert all((sample.deep == other.deep).all() for sample, (_, other) in zip(found, samples(made), strict=True))


def test_another_aperture_shape_or_focus_is_another_photo(made: SmallSet, tmp_path: Path) -> None:
    for name, changes in {"focus": {"focus_px": -0.5}, "shape": {"shape": "square"}, "seed": {"seed": 1}}.items():
        other = make_small_set(open_storage(str(tmp_path / name)), recipe(num_samples=5, **changes))
        ours, theirs = next(samples(made))[1], next(samples(other))[1]
        assert (ours.deep != theirs.deep).any() == (name == "seed")
        assert (ours.shallow[1] != theirs.shallow[1]).any()


def test_what_is_rejected_is_recorded_and_does_not_move_the_others(made: SmallSet, tmp_path: Path) -> None:
    contrast = read_columns(made.out, ["contrast"])["contrast"]
    limit = float(np.median(contrast))
    quality = Quality(min_spread=0, min_contrast=limit, max_prior_correlation=1, min_sharpness=0, max_saturation=1)
    strict = make_small_set(open_storage(str(tmp_path)), recipe(quality=quality))
    columns = read_columns(strict.out, ["index", "reason", "deep_sha256"])
    assert (columns["index"] == np.arange(44)).all()
    assert ((columns["reason"] == "inverted") == (contrast < limit)).all()
    kept = columns["reason"] == KEPT
    assert (columns["deep_sha256"][kept] == read_columns(made.out, ["deep_sha256"])["deep_sha256"][kept]).all()
    head = read_head(strict.out)
    assert (head["num_samples"], head["num_kept"], head["rejected"]) == (44, kept.sum(), {"inverted": 44 - kept.sum()})
    assert strict.faults() == []


def test_a_shard_of_which_nothing_is_kept_is_an_empty_tar() -> None:
    terms = terms_of(recipe(quality=Quality(min_spread=10.0)))
    shard = make_shard(TupleMaker(camera(), CONFIG, terms.recipe), terms, 0)
    assert {row["reason"] for row in shard.record.rows} == {"flat"}
    with tarfile.open(fileobj=io.BytesIO(shard.tar)) as tar:
        assert tar.getnames() == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # it leaves its files open
def test_plain_webdataset_reads_it(made: SmallSet) -> None:
    shards = sorted(str(path) for path in Path(made.out.uri).glob("shards/*.tar"))
    set_ = webdataset.WebDataset(shards, shardshuffle=False).decode("pil").to_tuple("deep.png", "shallow-1.png", "json")
    loaded = list(set_)
    assert [info["index"] for _, _, info in loaded] == list(range(44))
    for (deep, shallow, _), (_, sample) in zip(loaded, samples(made), strict=True):
        assert (np.asarray(deep) == sample.deep).all()
        assert (np.asarray(shallow) == sample.shallow[1]).all()


def test_pyarrow_and_the_manifest_reach_any_sample(made: SmallSet) -> None:
    rows = pyarrow.parquet.read_table(f"{made.out.uri}/manifest.parquet").to_pylist()
    row = rows[31]
    with pyarrow.OSFile(f"{made.out.uri}/shards/{row['shard']:05d}.tar") as shard:
        stretch = shard.read_at(row["size"], row["offset"])
    with tarfile.open(fileobj=io.BytesIO(stretch)) as tar:
        disparity = tar.getmember("000000031.disparity.png")
    pixels = np.asarray(Image.open(io.BytesIO(stretch[disparity.offset_data : disparity.offset_data + disparity.size])))
    assert pixels.dtype == np.uint16
    assert pixels.mean() == pytest.approx((row["disparity_mean_px"] + 0.75) / 1.5 * 65535, abs=1)


def test_a_micro_batch_may_be_part_full_but_not_overfull(made: SmallSet) -> None:
    one, many = made.maker.deep([3]), made.maker.deep(range(MICRO_BATCH_IMAGES))
    assert (one.images[0] == many.images[3]).all()
    with pytest.raises(ValueError, match="1 to 25"):
        made.maker.deep(range(MICRO_BATCH_IMAGES + 1))


@pytest.mark.parametrize("limit", [0.5, 2.0, 8.0])
def test_truncation_keeps_the_order_and_the_shape_of_a_cut_normal(limit: float) -> None:
    normal = torch.randn(200_000, generator=torch.Generator().manual_seed(0))
    cut = truncated(normal, limit)
    assert cut.abs().max() <= limit
    order = normal.argsort()
    assert (cut[order].diff() >= 0).all()
    inside = normal[normal.abs() < limit]  # what drawing again until it fits would give
    for share in (0.05, 0.25, 0.5, 0.9):
        assert torch.quantile(cut, share).item() == pytest.approx(torch.quantile(inside, share).item(), abs=0.02)


def test_equal_recipes_are_the_same_terms() -> None:
    """Whole numbers from Python, floats from the command line; and 0 has two signs."""
    ours = recipe(apertures=(1,), focus_px=-0.0, truncation=2, quality=Quality(min_spread=0))
    theirs = recipe(apertures=(1.0,), focus_px=0.0, truncation=2.0, quality=Quality(min_spread=0.0))
    assert ours == theirs
    assert encode_terms(terms_of(ours)) == encode_terms(terms_of(theirs))
