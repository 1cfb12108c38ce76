"""What a recipe asks of a model is what its samples are made by."""

from pathlib import Path

import numpy as np
import pytest
import small_set
import torch
from small_set import CONFIG, camera, make_small_set, recipe

from argan.data.shard_files import tar_path
from argan.data.tuple_set import read_record, sample_members
from argan.data.tuples import decode_tuple
from argan.errors import UserError
from argan.generation.maker import TupleMaker
from argan.generation.quality import KEPT
from argan.generation.recipe import Quality, Recipe
from argan.generation.refocus import refocus_psnr_db
from argan.optics import views_needed
from argan.presets import preset
from argan.settings import override
from argan.storage import Storage, open_storage


def test_truncation_leaves_the_noise_as_in_training() -> None:
    style_dim = CONFIG.generator.style_dim
    whole, cut = (TupleMaker(camera(), CONFIG, recipe(truncation=limit)).z(3)[0] for limit in (0.0, 1.0))
    assert whole[:style_dim].abs().max() > 1 >= cut[:style_dim].abs().max()
    assert torch.equal(whole[style_dim:], cut[style_dim:])
    assert len(cut) > style_dim


@pytest.mark.parametrize(("focus_px", "farthest_px"), [(0.0, 6.0), (0.6, 6.6), (-5.0, 5.6), (-6.0, 6.6), (-2.0, 4.0)])
def test_views_are_for_what_is_farthest_from_the_focus(focus_px: float, farthest_px: float) -> None:
    """In a model whose disparity lies in -6 .. 0.6 px."""
    config = override(preset("small-64"), {"optics.d_max_at_64_px": 6.0, "optics.front_share": 0.1})
    wanted = Recipe(num_samples=1, apertures=(0.5, 1.0), random_apertures=1, focus_px=focus_px)
    expected = [views_needed(aperture * farthest_px) for aperture in (0.5, 1.0, 1.0)]
    assert list(wanted.views_per_side(config)) == expected
    assert expected[0] < expected[1]


@pytest.mark.parametrize("focus_px", [0.61, -6.01])
def test_a_focus_where_nothing_can_be_is_refused(focus_px: float) -> None:
    config = override(preset("small-64"), {"optics.d_max_at_64_px": 6.0, "optics.front_share": 0.1})
    with pytest.raises(UserError, match=f"focus_px must be from -6 to 0.6, got {focus_px}"):
        Recipe(num_samples=1, focus_px=focus_px).views_per_side(config)


def test_what_a_recipe_leaves_open_is_the_models() -> None:
    square = override(CONFIG, {"optics.shape": "square"})
    assert Recipe(num_samples=1).settled(square).shape == "square"
    assert Recipe(num_samples=1, shape="disk").settled(square).shape == "disk"


def test_the_prior_of_a_sample_is_the_nearest_of_those_within_reach() -> None:
    maker = TupleMaker(camera(), override(CONFIG, {"prior.reach": 0.2}), recipe())
    priors = maker._priors[:, 0].numpy()
    assert len(priors) > 9
    for prior in priors[::7]:
        disturbed = prior + np.float32(0.01) * np.random.default_rng(0).normal(size=prior.shape).astype(np.float32)
        assert (maker.prior_of(disturbed) == prior).all()


def worst_psnr_db(out: Storage, num_shards: int) -> float:
    """Over all samples of a set."""
    found = []
    for number in range(num_shards):
        data = out.read_bytes(tar_path(number))
        for row in read_record(out, number).rows:
            if row["reason"] == KEPT:
                members = sample_members(data[row["offset"] : row["offset"] + row["size"]], row["index"])
                found.append(refocus_psnr_db(decode_tuple(members)))
    return min(found)


def test_a_set_of_a_model_with_occlusion_can_be_refocused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    occlusion = {"optics.occlusion_steps": 8, "optics.d_max_at_64_px": 12.0, "optics.front_share": 1.0}
    monkeypatch.setattr(small_set, "CONFIG", override(CONFIG, occlusion))
    made = make_small_set(open_storage(str(tmp_path)), recipe(num_samples=4))
    assert made.faults(num_retaken=4) == []
    assert worst_psnr_db(made.out, 1) == np.inf


def test_who_is_kept_keeps_the_apertures_drawn_for_it(tmp_path: Path) -> None:
    """Though others of its batch were dropped."""
    quality = Quality(min_spread=0, min_contrast=0.0, max_prior_correlation=2, min_sharpness=0, max_saturation=1)
    made = make_small_set(open_storage(str(tmp_path)), recipe(apertures=(), random_apertures=2, quality=quality))
    records = [read_record(made.out, number) for number in range(made.terms.recipe.num_shards)]
    num_kept = sum(record.shard.num_samples for record in records)
    assert 5 < num_kept < 40
    assert worst_psnr_db(made.out, len(records)) > 60
