"""The step on a GPU: the training is that of the CPU, nothing in it waits for the device; bf16 and compiled too."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from training_photos import OFF_BY_DEFAULT, photos

from argan.config import Config
from argan.settings import override
from argan.training.checkpoint import restore, snapshot
from argan.training.gradients import alone
from argan.training.loop import to_device
from argan.training.metrics import TickMetrics
from argan.training.state import TrainState, build_state
from argan.training.step import Share, train_batch

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.filterwarnings("default"),  # torch.compile has warnings of its own
]
NUM_BATCHES = 8  # two of them with R1
FULL_SPEED = {"compute.precision": "bf16", "compute.compile": True}


@pytest.fixture
def exact() -> Iterator[None]:
    """Products in full float32, as the CPU has them."""
    before = torch.backends.cudnn.allow_tf32
    torch.backends.cudnn.allow_tf32 = False
    yield
    torch.backends.cudnn.allow_tf32 = before


@contextmanager
def waiting_is_an_error() -> Iterator[None]:
    torch.cuda.set_sync_debug_mode("error")
    try:
        yield
    finally:
        torch.cuda.set_sync_debug_mode("default")


def take_steps(state: TrainState, num_batches: int) -> dict[str, float]:
    """The means over those batches."""
    config, metrics = state.config, TickMetrics()
    for _ in range(num_batches):
        batch = photos(state.images_seen, config).to(state.device)
        train_batch(state, batch, Share(0, len(batch), len(batch)), metrics, alone)
    return metrics.flush(alone)


@pytest.mark.parametrize("num_batches", [1, 2, 5])
def test_batches_copied_ahead_are_all_there_and_in_order(config: Config, num_batches: int) -> None:
    batches = [photos(12 * number, config) for number in range(num_batches)]
    copied = list(to_device(iter(batches), torch.device("cuda")))
    assert len(copied) == num_batches
    for one, other in zip(batches, copied, strict=True):
        assert torch.equal(one, other.cpu())


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("changes", [{}, {"optics.expansion": True}, OFF_BY_DEFAULT])
def test_the_steps_are_those_of_the_cpu(
    config: Config, exact: None, channels_last: bool, changes: dict[str, object]
) -> None:
    config = override(config, {"compute.channels_last": channels_last, **changes})
    on_cpu, on_gpu = (take_steps(build_state(config, torch.device(name)), NUM_BATCHES) for name in ("cpu", "cuda"))
    assert on_gpu == pytest.approx(on_cpu, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(
    "changes", [{}, {"compute.precision": "bf16"}, FULL_SPEED, OFF_BY_DEFAULT, FULL_SPEED | OFF_BY_DEFAULT]
)
def test_a_step_does_not_wait_for_the_gpu(config: Config, changes: dict[str, object]) -> None:
    config = override(config, changes)
    state, metrics = build_state(config, torch.device("cuda")), TickMetrics()
    batch = photos(0, config).cuda()
    share = Share(0, len(batch), len(batch))
    for _ in range(NUM_BATCHES):  # kernels are chosen and compiled
        train_batch(state, batch, share, metrics, alone)
    with waiting_is_an_error():
        for _ in range(NUM_BATCHES):
            train_batch(state, batch, share, metrics, alone)
    assert all(torch.isfinite(torch.tensor(list(metrics.flush(alone).values()))))


def test_at_full_speed_it_learns_the_same(config: Config) -> None:
    device = torch.device("cuda")
    plain = take_steps(build_state(config, device), 2 * NUM_BATCHES)
    fast = take_steps(build_state(override(config, FULL_SPEED), device), 2 * NUM_BATCHES)
    assert fast == pytest.approx(plain, rel=0.1, abs=0.03)  # bf16 has three digits


def test_a_checkpoint_goes_on_where_it_was(config: Config) -> None:
    """To rounding, not to the bit as on a CPU: the warp's gradients are summed in no fixed order on a GPU."""
    device = torch.device("cuda")
    state = build_state(config, device)
    take_steps(state, NUM_BATCHES)
    saved = snapshot(state)
    going_on = take_steps(state, NUM_BATCHES)
    resumed = build_state(config, device)
    restore(resumed, saved)
    assert take_steps(resumed, NUM_BATCHES) == pytest.approx(going_on, rel=1e-3, abs=1e-4)
