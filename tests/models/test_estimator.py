import pytest
import torch

from argan.models.estimator import Estimator


def build(seed=0, channels=(16, 32, 32)):
    return Estimator(channels, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("size", [(8, 8), (16, 40), (32, 32)])
def test_disparity_has_the_size_of_the_photo(size):
    assert build()(torch.zeros(3, 3, *size)).shape == (3, 1, *size)


def test_a_photo_gets_the_same_disparity_in_any_company():
    net = build().double()
    photos = torch.rand(3, 3, 16, 24, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1
    torch.testing.assert_close(net(photos)[1:2], net(photos[1:2]), rtol=0, atol=1e-12)


def test_every_parameter_learns():
    net = build()
    photos = torch.rand(3, 3, 16, 24, generator=torch.Generator().manual_seed(1)) * 2 - 1
    net(photos).square().sum().backward()
    assert all(parameter.grad.abs().max() > 1e-4 for parameter in net.parameters())


def test_a_new_net_prints_no_checkerboard():
    disparity = build()(torch.rand(1, 3, 16, 24, generator=torch.Generator().manual_seed(1)))
    cells = torch.nn.functional.pixel_unshuffle(disparity, 2)
    torch.testing.assert_close(cells, cells[:, :1].expand_as(cells))


def test_weights_come_from_the_generator_alone():
    weights = [torch.cat([p.flatten() for p in build(seed).parameters()]) for seed in (3, 3, 4)]
    assert torch.equal(weights[0], weights[1])
    assert not torch.equal(weights[0], weights[2])


def test_the_default_size_is_what_the_protocol_says():
    assert 300_000 < sum(p.numel() for p in build(channels=(32, 64, 128)).parameters()) < 600_000


def test_other_sizes_are_refused():
    with pytest.raises(ValueError, match="multiples of 8"):
        build()(torch.zeros(1, 3, 16, 20))


def test_each_finer_level_reaches_the_answer_past_the_coarser_ones():
    """With the way through the coarser levels shut, and at the half resolution the other's as well."""
    photos = torch.rand(2, 1, 3, 16, 24, generator=torch.Generator().manual_seed(1)) * 2 - 1
    for shut, unheard in (((1, 2), None), ((2,), 32)):  # up[1] hears 32 channels from below and then 16 from the top
        net = build()
        with torch.no_grad():
            for level in shut:
                net.down[level].norm_2.weight.zero_()
            if unheard is None:
                net.up[0].norm_2.weight.zero_()
            else:
                net.up[1].conv_1.weight[:, unheard:] = 0
            one, other = (net(each) for each in photos)
        assert (one - other).abs().max() > 1e-3


def test_it_is_the_net_that_kept_weights_were_trained_in():
    """Where this fails on purpose, raise RECIPE in argan/evaluation/estimation.py: weights are kept by it."""
    net = build(channels=(16, 32, 48)).double()
    with torch.no_grad():
        for parameter in net.parameters():
            waves = torch.sin(1.7 * torch.arange(parameter.numel(), dtype=torch.float64)).view_as(parameter)
            parameter.copy_(1 + waves if parameter.ndim == 1 else 0.1 * waves)
    place = torch.arange(16 * 16, dtype=torch.float64).view(1, 1, 16, 16)
    photo = torch.cat([torch.sin(0.1 * place), torch.cos(0.37 * place), torch.sin(0.001 * place.square())], 1)
    expected = [[1.6797, 1.5839, 1.8673, 1.6748], [0.4617, 1.1548, 0.4804, 1.1720]]
    assert net(photo)[0, 0, :6:5, ::5].flatten().tolist() == pytest.approx([*expected[0], *expected[1]], abs=1e-3)
