"""The generator's laws: shapes, ranges, and the fused upsampling equal to what METHOD.md names."""

import torch
import torch.nn.functional as F

from argan.models.generator import Generator, aperture_range, upsample_conv, window_sums

STYLE_DIM = 6
Z_DIM = STYLE_DIM + 4 * 4 + 8 * 8 + 16 * 16  # the style, and noise for each stage


def generator(*, has_disparity: bool = True) -> Generator:
    return Generator(
        (12, 10, 8),
        style_dim=STYLE_DIM,
        w_dim=7,
        mapping_layers=2,
        d_max_px=1.5,
        front_share=0.2,
        random=torch.Generator().manual_seed(0),
        has_disparity=has_disparity,
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
    deep = generator()(10 * torch.randn(3, Z_DIM))
    assert deep.image.shape == (3, 3, 16, 16)
    assert deep.disparity.shape == (3, 1, 16, 16)
    assert deep.image.abs().max().item() <= 1.0
    assert deep.disparity.min().item() >= -1.5
    assert deep.disparity.max().item() <= 0.2 * 1.5 + 1e-6
    assert deep.disparity.detach().std().item() > 0.01  # not zero at the start: at D = 0 it would get no gradient


def test_samples_do_not_depend_on_their_batch() -> None:
    """No statistics of the batch: a sample alone is the sample in company."""
    net, z = generator().double(), torch.randn(4, Z_DIM, dtype=torch.float64)
    torch.testing.assert_close(net(z)[0][1:2], net(z[1:2])[0])


def test_every_part_of_z_counts() -> None:
    """The style, and the noise of every stage: each changes image and disparity."""
    net, z = generator().double(), torch.randn(2, Z_DIM, dtype=torch.float64)
    assert net.z_dim == Z_DIM
    before = net(z)
    starts = [sum(net.z_parts[:part]) for part in range(len(net.z_parts))]
    for start, size in zip(starts, net.z_parts, strict=True):
        other = z.clone()
        other[:, start : start + size].normal_()
        after = net(other)
        assert (after.image - before.image).abs().max() > 1e-3
        assert (after.disparity - before.disparity).abs().max() > 1e-3


def test_the_aperture_range_is_methods_where_front_and_back_are_alike() -> None:
    x = torch.linspace(-6, 6, 101, dtype=torch.float64)
    torch.testing.assert_close(aperture_range(x, 3.0, 1.0), 3.0 * torch.tanh(x))


def test_the_aperture_range_is_smooth_rises_and_keeps_its_bounds() -> None:
    x = torch.linspace(-6, 6, 1201, dtype=torch.float64, requires_grad=True)
    y = aperture_range(x, 3.0, 0.1)
    (slope,) = torch.autograd.grad(y.sum(), x)
    assert y.min() >= -3.0
    assert y.max() <= 0.3 + 1e-9
    assert (slope >= 0).all()
    assert slope.diff().abs().max() < 0.4  # no jump anywhere: 0.01 further on, at most so much steeper
    assert slope[600] == 3.0  # at 0, as METHOD's


def test_the_standard_gan_has_no_disparity() -> None:
    net = generator(has_disparity=False)
    assert [head.out_channels for head in net.heads] == [3, 3, 3]
    assert torch.equal(net(torch.randn(2, Z_DIM)).disparity, torch.zeros(2, 1, 16, 16))


def test_every_stage_draws_at_its_own_size() -> None:
    """Output skips: without the finer heads, what the 4-px stage draws is a bilinear enlargement of 4x4 pixels."""
    net, parts = generator().double(), []
    net.heads[0].register_forward_hook(lambda module, inputs, output: parts.append(output))
    with torch.no_grad():
        for head in list(net.heads)[1:]:
            for parameter in head.parameters():
                parameter.zero_()
        disparity = net(torch.randn(2, Z_DIM, dtype=torch.float64)).disparity
    (drawn,) = parts
    assert drawn.shape == (2, 4, 4, 4)
    for _ in range(2):
        drawn = F.interpolate(drawn, scale_factor=2.0, mode="bilinear")
    torch.testing.assert_close(disparity, aperture_range(drawn[:, 3:], 1.5, 0.2))
