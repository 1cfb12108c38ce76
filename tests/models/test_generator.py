"""The generator's laws: shapes, ranges, and the fused upsampling equal to what METHOD.md names."""

import torch
import torch.nn.functional as F

from argan.models.generator import Generator, upsample_conv, window_sums


def generator(*, has_disparity: bool = True) -> Generator:
    random = torch.Generator().manual_seed(0)
    return Generator(
        (12, 10, 8), z_dim=6, w_dim=7, mapping_layers=2, d_max_px=1.5, random=random, has_disparity=has_disparity
    )


def test_fused_upsampling_is_upsampling_then_convolution() -> None:
    x = torch.randn(3, 5, 6, 7, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(4, 5, 3, 3, dtype=torch.float64, requires_grad=True)
    plain = F.conv2d(F.interpolate(x, scale_factor=2.0, mode="nearest"), weight, padding=1)
    fused = upsample_conv(x, weight, window_sums().double())
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
    assert [head.out_channels for head in net.heads] == [3, 3, 3]
    assert torch.equal(net(torch.randn(2, 6)).disparity, torch.zeros(2, 1, 16, 16))


def test_every_stage_draws_at_its_own_size() -> None:
    """Output skips: without the finer heads, what the 4-px stage draws is a bilinear enlargement of 4x4 pixels."""
    net, parts = generator().double(), []
    net.heads[0].register_forward_hook(lambda module, inputs, output: parts.append(output))
    with torch.no_grad():
        for head in list(net.heads)[1:]:
            for parameter in head.parameters():
                parameter.zero_()
        disparity = net(torch.randn(2, 6, dtype=torch.float64)).disparity
    (drawn,) = parts
    assert drawn.shape == (2, 4, 4, 4)
    for _ in range(2):
        drawn = F.interpolate(drawn, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(disparity, 1.5 * drawn[:, 3:].tanh())
