"""KID against closed forms, against the definition summed pair by pair, and against what unbiased means."""

import itertools

import numpy as np
import pytest
import torch

from argan.errors import UserError
from argan.evaluation.kid import KidSettings, cubic_kernel, kid, mmd2_unbiased


def normal(seed: int, *shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def pair_by_pair(x: np.ndarray, y: np.ndarray) -> float:
    """The definition, one pair at a time."""

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return (sum(float(p) * float(q) for p, q in zip(a, b, strict=True)) / len(a) + 1) ** 3

    def within(side: np.ndarray) -> float:
        pairs = [kernel(a, b) for a, b in itertools.permutations(side, 2)]
        return sum(pairs) / len(pairs)

    across = [kernel(a, b) for a, b in itertools.product(x, y)]
    return within(x) + within(y) - 2 * sum(across) / len(across)


@pytest.mark.parametrize(("n", "m", "d"), [(2, 2, 1), (5, 9, 3), (12, 7, 40)])
def test_it_is_the_definition(n: int, m: int, d: int) -> None:
    x, y = normal(1, n, d), normal(2, m, d) + 0.5
    assert float(mmd2_unbiased(x, y)) == pytest.approx(pair_by_pair(x.numpy(), y.numpy()), rel=1e-12)


def test_two_points_have_a_closed_form() -> None:
    """All of one side at a, all of the other at b: k(a,a) + k(b,b) - 2 k(a,b)."""
    a, b = normal(3, 1, 8), normal(4, 1, 8)
    k = cubic_kernel(torch.cat([a, b]), torch.cat([a, b]))
    expected = float(k[0, 0] + k[1, 1] - 2 * k[0, 1])
    assert float(mmd2_unbiased(a.expand(6, 8), b.expand(4, 8))) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("d", "shift"), [(4, 0.0), (4, 0.7), (32, 0.3)])
def test_shifted_normal_features_have_the_expected_distance(d: int, shift: float) -> None:
    """For N(mu, I) and N(0, I), with m = |mu|^2 / d:

    E k(x,x') = (m + 1)^3 + 3 (m + 1) (2 m + 1) / d + 6 m / d^2,  E k(y,y') = 1 + 3 / d,  E k(x,y) = 1 + 3 (m + 1) / d.
    """
    m = shift**2
    of_x = (m + 1) ** 3 + 3 * (m + 1) * (2 * m + 1) / d + 6 * m / d**2
    expected = of_x + 1 + 3 / d - 2 * (1 + 3 * (m + 1) / d)
    values = [float(mmd2_unbiased(normal(2 * i, 50, d) + shift, normal(2 * i + 1, 50, d))) for i in range(400)]
    error = np.std(values) / len(values) ** 0.5
    assert abs(np.mean(values) - expected) < 4 * error
    assert expected == pytest.approx(0, abs=1e-12) or expected > 4 * error  # the test can tell the shift from none


def test_a_value_is_the_mean_of_its_subsets_and_the_interval_holds_most_of_them() -> None:
    real, fake = normal(5, 60, 16).float(), (normal(6, 60, 16) + 0.4).float()
    judged = kid(real, fake, KidSettings(num_subsets=200, subset_images=20))
    whole = 1000 * float(mmd2_unbiased(real.double(), fake.double()))
    low, high = judged.interval
    assert low < judged.value < high
    assert low < whole < high
    assert judged.value == pytest.approx(whole, rel=0.1)
    assert judged.protocol["subset_images"] == 20


def test_at_most_half_of_the_smaller_side_is_in_a_subset() -> None:
    judged = kid(normal(7, 50, 4), normal(8, 11, 4), KidSettings())
    assert judged.protocol["subset_images"] == 5
    assert (judged.protocol["num_real"], judged.protocol["num_fake"]) == (50, 11)


def test_the_same_features_give_the_same_digits_and_another_seed_others() -> None:
    real, fake = normal(9, 40, 8), normal(10, 40, 8)
    assert kid(real, fake, KidSettings()) == kid(real, fake, KidSettings())
    assert kid(real, fake, KidSettings()).value != kid(real, fake, KidSettings(seed=1)).value


def test_float32_features_are_summed_in_float64() -> None:
    real, fake = (100 * normal(11, 40, 8)).float(), (100 * normal(12, 40, 8)).float()
    assert kid(real, fake, KidSettings()).value == kid(real.double(), fake.double(), KidSettings()).value


@pytest.mark.parametrize(("n", "m"), [(3, 100), (100, 0)])
def test_too_few_images_are_refused(n: int, m: int) -> None:
    with pytest.raises(UserError, match=f"got {n} real and {m} generated"):
        kid(normal(13, n, 4), normal(14, m, 4), KidSettings())


def test_settings_out_of_range_are_refused() -> None:
    for wrong in ({"num_subsets": 0}, {"subset_images": 1}, {"seed": -1}):
        with pytest.raises(UserError, match=str(next(iter(wrong.values())))):
            KidSettings(**wrong)


def test_subsets_are_drawn_anew_without_any_image_twice_and_19_in_20_lie_in_the_interval() -> None:
    """Of 5 and 5 images there are 100 pairs of pairs, whose mean is the whole's own value."""
    real, fake = normal(14, 5, 3), normal(15, 5, 3) + 1
    settings = KidSettings(num_subsets=4_000, subset_images=2)
    pairs = list(itertools.combinations(range(5), 2))
    values = sorted(1000 * float(mmd2_unbiased(real[[*a]], fake[[*b]])) for a, b in itertools.product(pairs, pairs))
    judged = kid(real, fake, settings)
    whole = 1000 * float(mmd2_unbiased(real, fake))
    assert np.mean(values) == pytest.approx(whole)
    assert judged.value == pytest.approx(whole, abs=4 * np.std(values) / settings.num_subsets**0.5)
    assert values[0] < judged.interval[0] <= values[4]
    assert values[-5] <= judged.interval[1] < values[-1]
