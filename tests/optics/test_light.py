"""Light is averaged where it is asked for, and the two curves are each other's inverse."""

import numpy as np
import pytest
import torch

from argan.optics import ApertureRenderer, render, to_coded, to_light
from argan.scenes.lens import to_srgb

LEVELS = torch.linspace(-1, 1, 256, dtype=torch.float64)


def test_the_curves_undo_each_other_and_are_those_of_the_scenes() -> None:
    torch.testing.assert_close(to_coded(to_light(LEVELS)), LEVELS, atol=1e-6, rtol=0)
    assert to_light(LEVELS)[0] == 0
    assert to_light(LEVELS)[-1] == pytest.approx(1)
    light = to_light(LEVELS).float().numpy()[None, None].repeat(3, axis=0)
    np.testing.assert_array_equal(to_srgb(light)[0, :, 0], np.arange(256))


def test_slopes_are_finite_from_black_to_white_and_beyond() -> None:
    for curve, low, high in ((to_light, -1.2, 1.2), (to_coded, -0.1, 1.1)):
        places = torch.linspace(low, high, 97, requires_grad=True)
        curve(places).sum().backward()
        assert places.grad is not None
        assert places.grad.isfinite().all()
        assert (places.grad > 0).all()


def test_half_black_and_half_white_is_half_the_light() -> None:
    """Stripes far out of focus: code 188 (0.5 of the light), not 128."""
    image = torch.ones(1, 3, 64, 64)
    image[..., ::2] = -1
    far = torch.full((1, 1, 64, 64), -3.0)
    middle = render(image, far, views_per_side=25, linear_light=True)[..., 20:44, 20:44]
    assert float(middle.mean()) == pytest.approx(float(to_coded(torch.tensor(0.5))), abs=0.02)
    assert float(render(image, far, views_per_side=25)[..., 20:44, 20:44].mean()) == pytest.approx(0, abs=0.02)


def test_what_is_in_focus_stays() -> None:
    image = torch.rand(2, 3, 9, 9, dtype=torch.float64) * 2 - 1
    renderer = ApertureRenderer(linear_light=True)
    focus, disparity = torch.zeros(2, 1, 9, 9).double(), torch.randn(2, 1, 9, 9).double()
    torch.testing.assert_close(renderer(image, focus, torch.ones(2).double()).image, image, atol=1e-6, rtol=0)
    torch.testing.assert_close(renderer(image, disparity, torch.zeros(2).double()).image, image, atol=1e-6, rtol=0)


def test_gradients_go_through_the_light() -> None:
    scene = (torch.rand(1, 3, 4, 5) * 1.6 - 0.8, torch.randn(1, 1, 4, 5), torch.rand(1))
    scene = tuple(tensor.double().requires_grad_() for tensor in scene)
    assert torch.autograd.gradcheck(ApertureRenderer(linear_light=True), scene, eps=1e-7, atol=1e-5)
