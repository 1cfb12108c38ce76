import dataclasses
import math

import pytest
import torch
import torch.nn.functional as F
from toy_photos import SIDE_PX, TINY, toy_source, toy_truth

from argan.draws import draw_mirror
from argan.errors import NonFiniteError, UserError
from argan.evaluation.estimation import EstimatorBudget, Pairs, build_estimator, estimate, train_estimator
from argan.pixels import to_bytes, to_signed

CPU = torch.device("cpu")
SHORT = dataclasses.replace(TINY, num_images=160, num_pairs=40)


def weights(net):
    return torch.cat([tensor.flatten() for tensor in net.state_dict().values()])


def train(source, budget=SHORT, **changes):
    return train_estimator(source, dataclasses.replace(budget, **changes), device=CPU)


def test_same_command_same_digits():
    source = toy_source(toy_truth(0, 40))
    assert torch.equal(weights(train(source)), weights(train(source)))
    assert not torch.equal(weights(train(source)), weights(train(source, seed=1)))


def test_training_is_its_recipe_step_by_step():
    """Whoever changes what a budget buys must say so in RECIPE: estimators are kept, and columns compared by them."""
    budget = dataclasses.replace(SHORT, num_pairs=36, robust_width=0.5)
    source = toy_source(toy_truth(0, 40))
    photos, disparity = source(0, 36)
    net = build_estimator(budget, CPU)
    unit = disparity.std()
    firsts, seconds = ([torch.zeros_like(weights) for weights in net.parameters()] for _ in range(2))
    for step in range(10):
        number = torch.arange(16 * step, 16 * (step + 1)) % 36  # all pairs in turn
        flip = draw_mirror(budget.seed, step, num=16)[:, None, None, None]
        seen = to_signed(to_bytes(photos[number]))
        found = net(torch.where(flip, seen.flip(3), seen))
        error = (found - torch.where(flip, disparity[number].flip(3), disparity[number]) / unit).abs()
        loss = torch.where(error < 0.5, error**2 / 2 / 0.5, error - 0.5 / 2).mean()
        done = step / 10
        lr = budget.lr * min(1, (done + 0.001) / 0.05) * (1 + math.cos(math.pi * done)) / 2
        gradients = torch.autograd.grad(loss, list(net.parameters()))
        for weights_, gradient, first, second in zip(net.parameters(), gradients, firsts, seconds, strict=True):
            first.lerp_(gradient, 0.1)  # Adam's own defaults, 0.9 and 0.999
            second.lerp_(gradient**2, 0.001)
            first_hat, second_hat = first / (1 - 0.9 ** (step + 1)), second / (1 - 0.999 ** (step + 1))
            weights_.data -= lr * first_hat / (second_hat.sqrt() + 1e-8)
    trained = train(source, budget)
    assert float(trained.disparity_unit_px) == pytest.approx(float(unit))
    torch.testing.assert_close(list(trained.parameters()), list(net.parameters()), rtol=0, atol=1e-5)


def scaled(source, *, disparity=1.0, brightness=0.0):
    def changed(start, count):
        pairs = source(start, count)
        return Pairs(pairs.images + brightness, pairs.disparity * disparity)

    return changed


def test_a_unit_of_disparity_means_nothing():
    """Ten times the disparity: the same net with another unit, and so ten times the estimate."""
    source = toy_source(toy_truth(0, 40))
    photos = source(0, 4).images
    tenfold = estimate(train(scaled(source, disparity=10)), photos)
    torch.testing.assert_close(tenfold, 10 * estimate(train(source), photos), rtol=1e-3, atol=1e-3)


def test_photos_are_rounded_as_a_file_would():
    source = toy_source(toy_truth(0, 40))
    less_than_half_a_level = 0.45 / 127.5
    assert torch.equal(weights(train(source)), weights(train(scaled(source, brightness=less_than_half_a_level))))


def test_a_source_is_asked_for_its_first_pairs_once_in_order():
    asked = []
    source = toy_source(toy_truth(0, 300))

    def listening(start, count):
        asked.append((start, count))
        return source(start, count)

    train(listening, num_pairs=300)
    assert asked == [(0, 256), (256, 44)]


def test_progress_ends_at_the_end():
    told = []
    train_estimator(toy_source(toy_truth(0, 40)), SHORT, device=CPU, progress=lambda *done: told.append(done))
    assert told[-1] == (160, 160)


def test_a_constant_disparity_is_learned_without_breaking():
    flat = Pairs(torch.zeros(40, 3, SIDE_PX, SIDE_PX), torch.full((40, 1, SIDE_PX, SIDE_PX), -1.0))
    net = train(lambda start, count: Pairs(flat.images[start : start + count], flat.disparity[start : start + count]))
    assert estimate(net, flat.images).isfinite().all()


def test_disparity_that_is_no_number_is_refused():
    broken = Pairs(torch.zeros(40, 3, SIDE_PX, SIDE_PX), torch.zeros(40, 1, SIDE_PX, SIDE_PX))
    broken.disparity[7, 0, 1, 2] = torch.nan
    with pytest.raises(NonFiniteError, match="somewhere in pair 7"):
        train(lambda start, count: Pairs(broken.images[:count], broken.disparity[:count]))


@pytest.mark.parametrize(
    "changes", [{"batch_images": 0}, {"num_pairs": 0}, {"num_images": 4}, {"lr": 0.0}, {"seed": -1}]
)
def test_a_budget_that_cannot_be_spent_is_refused(changes):
    with pytest.raises(UserError, match="got"):
        EstimatorBudget(**{"batch_images": 8, "num_pairs": 8, "num_images": 8, **changes})


def test_a_photo_and_its_map_are_mirrored_together():
    """A net whose photos are the maps themselves must find them again; mirrored apart it could not."""
    random = torch.Generator().manual_seed(0)
    maps = F.interpolate(torch.rand(64, 1, 4, 4, generator=random), size=16, mode="bilinear") * 2 - 1
    budget = EstimatorBudget(num_images=1_280, num_pairs=64, batch_images=16, channels=(16, 16, 16), lr=5e-3)

    def source(start, count):
        own = maps[start : start + count]
        return Pairs(own.expand(-1, 3, -1, -1), own)

    found = estimate(train_estimator(source, budget, device=CPU), maps.expand(-1, 3, -1, -1))
    assert torch.corrcoef(torch.stack([found.flatten(), maps.flatten()]))[0, 1] > 0.9
