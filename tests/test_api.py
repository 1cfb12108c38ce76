"""The Python API on a run that was really written: samples depend on (seed, index) alone, rendering keeps the laws."""

from dataclasses import replace
from typing import Any

import pytest
import torch
from untrained_run import untrained_run

from argan.api import load_run, render
from argan.errors import DataError, UserError
from argan.optics import views_needed
from argan.presets import preset
from argan.runs.folder import open_run, write_config
from argan.settings import override


@pytest.fixture
def run_uri(tmp_path) -> str:
    return untrained_run(tmp_path, preset("debug")).uri


def test_samples_are_a_function_of_seed_and_index(run_uri: str) -> None:
    run = load_run(run_uri)
    whole = run.sample(100, seed=3)
    parts = [run.sample(1, seed=3), run.sample(69, seed=3, start_index=1), run.sample(30, seed=3, start_index=70)]
    for name in whole._fields:
        assert torch.equal(getattr(whole, name), torch.cat([getattr(part, name) for part in parts])), name
    assert not torch.equal(whole.deep, run.sample(100, seed=4).deep)
    assert whole.deep.shape == (100, 3, 16, 16)
    assert float(whole.disparity.abs().max()) <= run.config.d_max_px
    assert set(whole.dof_scale.tolist()) == {0.0, 1.0}


def test_a_seed_that_is_two_numbers_is_refused(run_uri: str) -> None:
    """numpy would take the second for what the draws are for."""
    with pytest.raises(UserError, match=r"seed must be from 0 to 4294967295, got 4294967296"):
        load_run(run_uri).sample(1, seed=2**32)


def test_a_sample_with_a_closed_aperture_is_deep(run_uri: str) -> None:
    sample = load_run(run_uri).sample(40)
    closed = sample.dof_scale == 0
    torch.testing.assert_close(sample.photo[closed], sample.deep[closed])
    assert not torch.allclose(sample.photo[~closed], sample.deep[~closed])


def test_render_closes_opens_and_focuses(run_uri: str) -> None:
    sample = load_run(run_uri).sample(4)
    torch.testing.assert_close(render(sample.deep, sample.disparity, 0.0), sample.deep)
    torch.testing.assert_close(render(sample.deep, torch.full_like(sample.disparity, 1.5), focus=1.5), sample.deep)
    blurred = render(sample.deep, torch.full_like(sample.disparity, 1.5))
    assert float(blurred.diff(dim=3).abs().mean()) < 0.8 * float(sample.deep.diff(dim=3).abs().mean())


@pytest.mark.parametrize("aperture", [2.8, -0.5, float("nan")])
def test_an_aperture_is_a_share_and_no_f_number(aperture: float) -> None:
    with pytest.raises(ValueError, match=rf"aperture must be in \[0, 1\], got {aperture:g}"):
        render(torch.zeros(1, 3, 8, 8), torch.ones(1, 1, 8, 8), aperture)


@pytest.mark.parametrize("kind", [{"linear_light": False}, {"occlusion_steps": 4}, {"shape": "square"}])
def test_a_run_takes_photos_with_its_own_optics(run_uri: str, kind: dict[str, Any]) -> None:
    saved = load_run(run_uri)
    run = replace(saved, config=override(saved.config, {f"optics.{key}": value for key, value in kind.items()}))
    sample = run.sample(4)
    deep, disparity = sample.deep, sample.disparity - 2
    taken = run.render(deep, disparity, 0.7, focus=-0.2)
    usual = {"linear_light": True, "occlusion_steps": 0, "shape": "disk"}
    torch.testing.assert_close(taken, render(deep, disparity, 0.7, focus=-0.2, **{**usual, **kind}))
    assert not torch.allclose(taken, render(deep, disparity, 0.7, focus=-0.2, **usual), atol=1e-3)


def test_there_are_views_enough_for_the_most_blurred_of_a_batch() -> None:
    disparity = torch.tensor([-0.1, -5.0])[:, None, None, None].expand(-1, 1, 32, 32)
    image = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    for aperture, reach_px in ((1.0, 5.0), (0.5, 2.5), (torch.tensor([1.0, 0.1]), 0.5)):
        expected = render(image, disparity, aperture, views_per_side=views_needed(reach_px))
        assert torch.equal(render(image, disparity, aperture), expected)
    expected = render(image, disparity, 1.0, focus=3.0, views_per_side=views_needed(8.0))  # what is sharp is another
    assert torch.equal(render(image, disparity, 1.0, focus=3.0), expected)


def test_a_run_without_a_checkpoint_is_said_so(tmp_path) -> None:
    empty = open_run(str(tmp_path), preset("debug"))
    write_config(empty, preset("debug"))
    with pytest.raises(DataError, match="no checkpoint yet"):
        load_run(empty.uri)


def test_a_net_can_learn_from_samples_and_photos(run_uri: str) -> None:
    """What comes out takes part in another net's backward pass, as tensors of torch.inference_mode do not."""
    sample = load_run(run_uri).sample(2)
    for image in (sample.photo, render(sample.deep, sample.disparity, 0.5)):
        net = torch.nn.Conv2d(3, 1, kernel_size=3)
        net(image).square().mean().backward()
        assert net.weight.grad is not None
        assert float(net.weight.grad.abs().max()) > 0
