import pytest
import torch

from argan.errors import UserError
from argan.evaluation.fid import FEWEST_IMAGES, fid, frechet_distance


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(size: int, seed: int) -> torch.Tensor:
    root = normal(size, size, seed=seed)
    return root @ root.T


def test_two_normals_whose_axes_agree() -> None:
    """|m - n|^2 + sum (s - t)^2 of their deviations."""
    s, t = torch.tensor([1.0, 2, 3]).double(), torch.tensor([2.0, 0, 1]).double()
    mean, other = normal(3, seed=1), normal(3, seed=2)
    expected = ((mean - other) ** 2).sum() + ((s - t) ** 2).sum()
    assert float(frechet_distance(mean, (s**2).diag(), other, (t**2).diag())) == pytest.approx(float(expected))


def test_two_normals_whose_axes_do_not() -> None:
    """tr (S T)^1/2 of 2 x 2 matrices is sqrt(tr S T + 2 sqrt(det S T)), by Cayley and Hamilton."""
    first, second, zero = covariance(2, 1), covariance(2, 2), torch.zeros(2).double()
    product = first @ second
    root = torch.sqrt(product.trace() + 2 * product.det().sqrt())
    expected = first.trace() + second.trace() - 2 * root
    assert float(frechet_distance(zero, first, zero, second)) == pytest.approx(float(expected))


def test_it_is_symmetric_and_does_not_see_rotations() -> None:
    first, second, mean, other = covariance(5, 1), covariance(5, 2), normal(5, seed=3), normal(5, seed=4)
    there = frechet_distance(mean, first, other, second)
    turn = torch.linalg.qr(normal(5, 5, seed=5)).Q
    turned = frechet_distance(turn @ mean, turn @ first @ turn.T, turn @ other, turn @ second @ turn.T)
    assert float(there) == pytest.approx(float(frechet_distance(other, second, mean, first)))
    assert float(there) == pytest.approx(float(turned))


def test_of_features() -> None:
    features = normal(FEWEST_IMAGES, 6, seed=1)
    assert fid(features, features) == pytest.approx(0, abs=1e-9)
    assert fid(features, features + 0.5) == pytest.approx(6 * 0.25)
    # The same images, each with its double: fewer different ones than pixels must not break it.
    wide = normal(10, 40, seed=2).repeat(FEWEST_IMAGES // 10, 1)
    assert fid(wide, wide) == pytest.approx(0, abs=1e-4)


def test_few_images_are_refused() -> None:
    with pytest.raises(UserError, match=r"5,000 images or more on each side, got 4,999"):
        fid(torch.zeros(5_000, 2), torch.zeros(4_999, 2))


def test_of_two_clouds_of_known_shape() -> None:
    """Both of one exactly whitened cloud, stretched along the axes and moved."""
    cloud = normal(FEWEST_IMAGES, 4, seed=0)
    white = torch.linalg.qr(cloud - cloud.mean(0)).Q * (FEWEST_IMAGES - 1) ** 0.5
    s, t = torch.tensor([1.0, 2, 3, 4]).double(), torch.tensor([2.0, 2, 1, 0.5]).double()
    assert fid(white * s, white * t + 1) == pytest.approx(4 + float(((s - t) ** 2).sum()))
