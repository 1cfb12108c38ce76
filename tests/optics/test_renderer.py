"""Every law that METHOD states of the aperture renderer."""

import math

import numpy as np
import pytest
import reference
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from argan.optics import ApertureRenderer, ApertureShape, aperture_views, light_field, views_needed
from argan.optics.expansion import DepthExpansion

Scene = tuple[Tensor, Tensor, Tensor]
APERTURES: list[tuple[int, ApertureShape]] = [(5, "disk"), (4, "disk"), (3, "square"), (1, "disk")]
seeds = st.integers(0, 2**32)


def noise_scene(seed: int, *, batch: int = 3, channels: int = 2, height: int = 7, width: int = 9) -> Scene:
    """Image, disparity and a scale a sample: float64 noise, and samples that leave the picture on every side."""
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(batch, channels, height, width, generator=random, dtype=torch.float64) * 2 - 1
    disparity = torch.randn(batch, 1, height, width, generator=random, dtype=torch.float64) * 1.5
    return image, disparity, torch.rand(batch, generator=random, dtype=torch.float64)


def renderer_with_expansion(views_per_side: int) -> ApertureRenderer:
    """A renderer whose T is all noise, its last layer too, in float64."""
    random = torch.Generator().manual_seed(7)
    renderer = ApertureRenderer(views_per_side, expansion=True, generator=random).double()
    for parameter in renderer.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=random)
    return renderer


def reference_photo(image: Tensor, disparity: Tensor, dof_scale: Tensor, views: Tensor) -> np.ndarray:
    E = reference.view_disparity(disparity.numpy(), dof_scale.numpy(), views.tolist())
    return reference.light_field_mean(image.numpy(), dof_scale.numpy()[:, None, None, None] * E, views.tolist())


@pytest.mark.parametrize("aperture", APERTURES)
@pytest.mark.parametrize("channels", [1, 3])
def test_it_is_the_formula(aperture: tuple[int, ApertureShape], channels: int) -> None:
    scene = noise_scene(0, channels=channels)
    expected = reference_photo(*scene, aperture_views(*aperture))
    renderer = ApertureRenderer(*aperture)
    np.testing.assert_allclose(renderer(*scene).image.numpy(), expected, atol=1e-10, rtol=0)
    photo = renderer(*(tensor.float() for tensor in scene)).image
    assert photo.dtype == torch.float32
    np.testing.assert_allclose(photo.numpy(), expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_it_is_the_formula_with_expansion() -> None:
    image, disparity, dof_scale = noise_scene(0)
    renderer = renderer_with_expansion(3)
    assert renderer.expansion is not None
    views = [[0.0, 0.0], *renderer.views.tolist()]
    E = reference.view_disparity(disparity.numpy(), dof_scale.numpy(), views)
    residual = renderer.expansion(torch.from_numpy(E)).numpy()
    expected = reference.light_field_mean(image.numpy(), dof_scale.numpy()[:, None, None, None] * (E + residual), views)
    rendering = renderer(image, disparity, dof_scale)
    np.testing.assert_allclose(rendering.image.numpy(), expected, atol=1e-10, rtol=0)
    np.testing.assert_allclose(rendering.expansion.numpy(), np.abs(residual).mean((1, 2, 3)), atol=1e-10, rtol=0)


@pytest.mark.parametrize("aperture", APERTURES)
def test_what_is_in_focus_stays(aperture: tuple[int, ApertureShape]) -> None:
    image, disparity, dof_scale = noise_scene(1)
    rendering = ApertureRenderer(*aperture)(image, torch.zeros_like(disparity), dof_scale)
    torch.testing.assert_close(rendering.image, image, atol=1e-14, rtol=0)
    assert not rendering.expansion.any()


@pytest.mark.parametrize("aperture", APERTURES)
def test_a_closed_aperture_gives_the_deep_image(aperture: tuple[int, ApertureShape]) -> None:
    image, disparity, dof_scale = noise_scene(2)
    photo = ApertureRenderer(*aperture)(image, disparity, torch.zeros_like(dof_scale)).image
    torch.testing.assert_close(photo, image, atol=1e-14, rtol=0)


def test_a_closed_aperture_gives_the_deep_image_whatever_the_expansion() -> None:
    image, disparity, dof_scale = noise_scene(3)
    renderer = renderer_with_expansion(5)
    torch.testing.assert_close(renderer(image, disparity, torch.zeros_like(dof_scale)).image, image, atol=1e-14, rtol=0)
    changed = renderer(image, disparity, dof_scale).image - ApertureRenderer()(image, disparity, dof_scale).image
    assert changed.abs().max() > 0.1  # else the law above says nothing of T


def test_an_untrained_expansion_changes_nothing() -> None:
    scene = noise_scene(4)
    rendering = ApertureRenderer(expansion=True).double()(*scene)
    assert not rendering.expansion.any()
    torch.testing.assert_close(rendering.image, ApertureRenderer()(*scene).image, atol=1e-14, rtol=0)


@given(seeds, st.sampled_from(APERTURES))
@settings(max_examples=20, deadline=None)
def test_a_constant_image_stays(seed: int, aperture: tuple[int, ApertureShape]) -> None:
    image, disparity, dof_scale = noise_scene(seed)
    image = image[:, :, :1, :1].expand_as(image)
    torch.testing.assert_close(ApertureRenderer(*aperture)(image, disparity, dof_scale).image, image)


@given(seeds, st.sampled_from(APERTURES), st.integers(2, 12), st.integers(2, 12))
@settings(max_examples=50, deadline=None)
def test_blur_alone_cannot_tell_front_from_back(
    seed: int, aperture: tuple[int, ApertureShape], height: int, width: int
) -> None:
    image, disparity, dof_scale = noise_scene(seed, height=height, width=width)
    renderer = ApertureRenderer(*aperture)
    front, back = (renderer(image, sign * disparity, dof_scale).image for sign in (1, -1))
    torch.testing.assert_close(front, back, atol=1e-12, rtol=0)


def test_each_sample_has_its_own_scale() -> None:
    image, disparity, dof_scale = noise_scene(5)
    together = ApertureRenderer()(image, disparity, dof_scale).image
    for b in range(3):
        alone = ApertureRenderer()(image[b : b + 1], disparity[b : b + 1], dof_scale[b : b + 1]).image
        torch.testing.assert_close(together[b : b + 1], alone)
    scaled = ApertureRenderer()(image, dof_scale.view(-1, 1, 1, 1) * disparity, torch.ones(3)).image
    torch.testing.assert_close(together, scaled)


@pytest.mark.parametrize(("dof_scale", "disparity"), [(1.0, 3.0), (1.0, -2.0), (0.5, 6.0)])
def test_a_point_of_light_becomes_a_disk_of_radius_2_s_D(dof_scale: float, disparity: float) -> None:  # noqa: N802
    size, radius = 41, 2 * dof_scale * abs(disparity)
    image = torch.zeros(1, 1, size, size, dtype=torch.float64)
    image[..., size // 2, size // 2] = 1
    offset = torch.arange(size, dtype=torch.float64) - size // 2
    distance = torch.hypot(offset[:, None], offset[None, :])
    renderer = ApertureRenderer(views_needed(4 * dof_scale * abs(disparity)))  # a quarter of a pixel apart
    photo = renderer(image, torch.full_like(image, disparity), torch.tensor([dof_scale])).image[0, 0]
    assert photo.sum().item() == pytest.approx(1)
    assert not photo[distance > radius + math.sqrt(2)].any()
    assert photo[size // 2, size // 2 + round(radius)] > 0
    second_moment = (photo * distance.square()).sum().item()
    assert second_moment == pytest.approx(radius**2 / 2 + 1 / 3, rel=0.05)  # a disk's, and bilinear's 1/6 an axis


@pytest.mark.parametrize("expansion", [False, True])
def test_gradients_in_image_disparity_and_scale(expansion: bool) -> None:
    image, disparity, dof_scale = (x.requires_grad_() for x in noise_scene(6, batch=2, height=4, width=5))
    renderer = renderer_with_expansion(3) if expansion else ApertureRenderer()
    assert torch.autograd.gradcheck(renderer, (image, disparity, dof_scale), eps=1e-7, atol=1e-5)


def test_every_weight_of_the_expansion_learns() -> None:
    image, disparity, dof_scale = noise_scene(7)
    renderer = renderer_with_expansion(3)
    renderer(image, disparity, dof_scale).image.square().sum().backward()
    for name, parameter in renderer.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.abs().max() > 1e-3, name


def test_the_size_of_the_expansion_is_differentiable_too() -> None:
    image, disparity, dof_scale = noise_scene(8)
    renderer = renderer_with_expansion(3)
    renderer(image, disparity, dof_scale).expansion.sum().backward()
    assert all(p.grad is not None and p.grad.abs().max() > 1e-3 for p in renderer.parameters())


@given(seeds)
@settings(max_examples=10, deadline=None)
def test_disparity_gets_no_gradient_where_all_is_in_focus(seed: int) -> None:
    image, disparity, dof_scale = noise_scene(seed)
    weights = torch.randn_like(image)
    for start, moves in ((torch.zeros_like(disparity), False), (disparity, True)):
        start.requires_grad_()
        (ApertureRenderer()(image, start, dof_scale).image * weights).sum().backward()
        assert start.grad is not None
        assert (start.grad.abs().max() > 1e-12) == moves


def test_what_is_kept_for_the_backward_pass_does_not_grow_with_the_views() -> None:
    def kept_elements(views_per_side: int) -> int:
        sizes: list[int] = []
        image, disparity, dof_scale = (x.requires_grad_() for x in noise_scene(9))
        with torch.autograd.graph.saved_tensors_hooks(lambda x: sizes.append(x.numel()) or x, lambda x: x):
            ApertureRenderer(views_per_side, "square")(image, disparity, dof_scale)
        return sum(sizes) - 2 * views_per_side**2  # the views' coordinates themselves

    assert kept_elements(5) == kept_elements(3)


def test_float32_under_autocast() -> None:
    image, disparity, dof_scale = (tensor.float() for tensor in noise_scene(10))
    renderer = renderer_with_expansion(3).float()
    expected = renderer(image.bfloat16().float(), disparity.bfloat16().float(), dof_scale)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rendering = renderer(image.bfloat16(), disparity.bfloat16(), dof_scale)
    for got, wanted in zip(rendering, expected, strict=True):
        assert got.dtype == torch.float32
        torch.testing.assert_close(got, wanted)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("expansion", [False, True])
def test_the_photo_is_laid_out_as_the_image_is(memory_format: torch.memory_format, expansion: bool) -> None:
    image, disparity, dof_scale = noise_scene(11, channels=3)
    renderer = renderer_with_expansion(3) if expansion else ApertureRenderer()
    laid_out = image.contiguous(memory_format=memory_format).requires_grad_()
    photo = renderer(laid_out, disparity, dof_scale).image
    assert photo.is_contiguous(memory_format=memory_format)
    torch.testing.assert_close(photo, renderer(image, disparity, dof_scale).image)
    gradients = [
        torch.autograd.grad(renderer(x, disparity, dof_scale).image, x, torch.ones_like(x))[0]
        for x in (laid_out, image.requires_grad_())
    ]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
@pytest.mark.parametrize("expansion", [False, True])
def test_broken_numbers_are_seen_and_do_no_harm(broken: float, expansion: bool) -> None:
    image, disparity, dof_scale = noise_scene(13)
    disparity[1, 0, 3, 4] = broken
    renderer = renderer_with_expansion(3) if expansion else ApertureRenderer()
    photo = renderer(image.requires_grad_(), disparity.requires_grad_(), dof_scale).image
    photo.sum().backward()  # ended the process once
    assert photo[1, :, 3, 4].isnan().all()
    assert photo[[0, 2]].isfinite().all()


@pytest.mark.parametrize(("disparity", "dof_scale"), [((3, 7, 9), (3,)), ((3, 1, 9, 7), (3,)), ((3, 1, 7, 9), (1,))])
def test_shapes_that_do_not_fit_are_refused(disparity: tuple[int, ...], dof_scale: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"got \(3, 2, 7, 9\)"):
        ApertureRenderer()(torch.zeros(3, 2, 7, 9), torch.zeros(disparity), torch.zeros(dof_scale))


@pytest.mark.gpu
def test_the_gpu_renders_the_same_without_a_synchronisation() -> None:
    scene = [tensor.float() for tensor in noise_scene(12)]
    renderer = renderer_with_expansion(3).float()
    expected = renderer(*scene)
    renderer, on_gpu = renderer.cuda(), [tensor.cuda().requires_grad_() for tensor in scene]
    torch.cuda.set_sync_debug_mode("error")
    try:
        rendering = renderer(*on_gpu)
        rendering.image.sum().backward()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for got, wanted in zip(rendering, expected, strict=True):
        torch.testing.assert_close(got.cpu(), wanted, atol=1e-4, rtol=0)


@pytest.mark.parametrize("num_views", [1, 3])
def test_each_view_has_its_own_residual_in_chunks_of_any_size(num_views: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(light_field, "CHUNK_VIEWS", num_views)
    test_it_is_the_formula_with_expansion()
    test_gradients_in_image_disparity_and_scale(expansion=True)


def test_the_expansion_is_two_normalised_layers_and_a_last_one() -> None:
    net = DepthExpansion(5, generator=torch.Generator().manual_seed(0)).double()
    torch.nn.init.normal_(net.last.weight, generator=torch.Generator().manual_seed(1))
    view_disparity = torch.randn(2, 5, 6, 7, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    hidden = F.instance_norm(F.elu(net.first(view_disparity)))
    expected = net.last(F.instance_norm(F.elu(net.second(hidden))))
    torch.testing.assert_close(net(view_disparity), expected)
