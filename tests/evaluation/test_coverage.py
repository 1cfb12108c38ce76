import pytest
import torch

from argan.errors import UserError
from argan.evaluation import coverage as coverage_module
from argan.evaluation.coverage import NEIGHBOURS, Coverage, coverage


def normal(*shape: int, seed: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def by_the_definition(points: torch.Tensor, manifold: torch.Tensor) -> float:
    inside = 0
    for point in points:
        for centre in manifold:
            others = sorted(float((centre - other).norm()) for other in manifold if other is not centre)
            if float((point - centre).norm()) <= others[NEIGHBOURS - 1]:
                inside += 1
                break
    return inside / len(points)


@pytest.mark.parametrize("rows", [7, coverage_module.ROWS])
def test_it_is_the_definition(monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(coverage_module, "ROWS", rows)
    real, fake = normal(30, 3, seed=1), 0.8 * normal(25, 3, seed=2) + 1.5
    real, fake = (torch.stack(list(side)) for side in (real, fake))
    expected = Coverage(by_the_definition(fake, list(real)), by_the_definition(real, list(fake)))
    assert 0 < expected.precision < 1
    assert coverage(real, fake) == expected


def test_the_same_photos_cover_each_other_and_strangers_do_not() -> None:
    real = normal(50, 4, seed=1)
    assert coverage(real, real) == (1, 1)
    assert coverage(real, real + 1000) == (0, 0)


def test_a_generator_of_one_kind_is_precise_and_misses_the_others() -> None:
    first, second = normal(100, 4, seed=1), normal(100, 4, seed=2) + 100
    judged = coverage(torch.cat([first, second]), normal(200, 4, seed=3))
    assert judged.precision > 0.7
    assert 0.4 < judged.recall <= 0.5


def test_too_few_to_have_neighbours() -> None:
    with pytest.raises(UserError, match="more than 3 images on each side, got 3"):
        coverage(torch.zeros(9, 2), torch.zeros(3, 2))
