"""AdaIN is instance normalisation, and its hand-written gradient is the gradient."""

import pytest
import torch
import torch.nn.functional as F

from argan.models.layers import AdaIN


def adain() -> AdaIN:
    return AdaIN(5, 7, torch.Generator().manual_seed(0)).double()


def inputs(layout: torch.memory_format) -> tuple[torch.Tensor, torch.Tensor]:
    random = torch.Generator().manual_seed(1)
    x = 3.0 + 2.0 * torch.randn(3, 5, 6, 4, generator=random, dtype=torch.float64)
    w = torch.randn(3, 7, generator=random, dtype=torch.float64)
    return x.contiguous(memory_format=layout).requires_grad_(), w.requires_grad_()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_it_is_instance_normalisation_with_a_scale_and_shift_of_w(layout: torch.memory_format) -> None:
    """Values and every gradient, against torch's own normalisation."""
    net = adain()
    x, w = inputs(layout)
    scale, shift = net.affine(w)[:, :, None, None].chunk(2, dim=1)
    expected = F.instance_norm(x, eps=1e-5) * (1 + scale) + shift
    actual = net(x, w)
    torch.testing.assert_close(actual, expected)
    assert actual.is_contiguous(memory_format=layout)
    direction = torch.randn_like(expected)
    wanted = torch.autograd.grad(expected, (x, w, *net.parameters()), direction)
    for one, other in zip(torch.autograd.grad(actual, (x, w, *net.parameters()), direction), wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_under_autocast_it_rounds_once() -> None:
    """bf16 has 8 bits: mean and spread taken in it, or the difference from the mean, would lose most of them."""
    net = AdaIN(5, 7, torch.Generator().manual_seed(0))
    random = torch.Generator().manual_seed(1)
    x = (3.0 + torch.randn(3, 5, 16, 16, generator=random)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = net(x, torch.zeros(3, 7))  # scale 1, shift 0
    expected = F.instance_norm(x.double(), eps=1e-5)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found.double(), expected, rtol=2**-8, atol=1e-5)


def test_its_gradient_is_that_of_its_values() -> None:
    x, w = inputs(torch.channels_last)
    assert torch.autograd.gradcheck(adain(), (x, w))


def test_a_flat_map_stays_finite() -> None:
    """No variance at all: the output is the shift, and nothing is divided by zero."""
    net = adain().float()
    x = torch.full((2, 5, 8, 8), 100.0, requires_grad=True)
    y = net(x, torch.zeros(2, 7))
    y.sum().backward()
    torch.testing.assert_close(y, torch.zeros_like(y), atol=0.05, rtol=0.0)
    assert x.grad is not None
    assert x.grad.isfinite().all()
