"""The generator's laws: shapes, ranges, and the fused upsampling equal to what METHOD.md names."""

import torch
import torch.nn.functional as F

from argan.models.generator import Generator, upsample_conv


def generator(*, has_disparity: bool = True) -> Generator:
    random = torch.Generator().manual_seed(0)
    return Generator(
        (12, 10, 8), z_dim=6, w_dim=7, mapping_layers=2, d_max_px=1.5, random=random, has_disparity=has_disparity
    )


def test_fused_upsampling_is_upsampling_then_convolution() -> None:
    x = torch.randn(3, 5, 6, 7, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 5, 3, 3, dtype=torch.float64, requires_grad=True)
    plain = F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), weight, padding=1)
    fused = upsample_conv(x, weight)
    torch.testing.assert_close(fused, plain)
    direction = torch.randn_like(plain)
    for one, other in zip(
        torch.autograd.grad(plain, (x, weight), direction),
        torch.autograd.grad(fused, (x, weight), direction),
        strict=True,
    ):
        torch.testing.assert_close(one, other)


def test_image_and_disparity_have_their_ranges() -> None:
    deep = generator()(10 * torch.randn(3, 6))
    assert deep.image.shape == (3, 3, 16, 16)
    assert deep.disparity.shape == (3, 1, 16, 16)
    assert deep.image.abs().max().item() <= 1.0
    assert deep.disparity.abs().max().item() <= 1.5
    assert deep.disparity.detach().std().item() > 0.01  # not zero at the start: at D = 0 it would get no gradient


def test_samples_do_not_depend_on_their_batch() -> None:
    """No statistics of the batch: a sample alone is the sample in company."""
    net, z = generator().double(), torch.randn(4, 6, dtype=torch.float64)
    torch.testing.assert_close(net(z)[0][1:2], net(z[1:2])[0])


def test_the_standard_gan_has_no_disparity() -> None:
    net = generator(has_disparity=False)
    assert not any("disparity" in name for name, _ in net.named_parameters())
    assert torch.equal(net(torch.randn(2, 6)).disparity, torch.zeros(2, 1, 16, 16))
