"""The estimate of a worker's memory, against what a state holds and what a step takes."""

import json
import subprocess
import sys
import textwrap

import pytest
import torch

from argan.models.camera import build_discriminator
from argan.presets import preset
from argan.settings import override
from argan.training.memory import META, _discriminator_step, worker_memory
from argan.training.state import build_state

FEW, MANY = 4, 32
FACTOR = 1.5  # how far the estimate of a step may be from what it takes


def test_the_state_is_counted_to_the_byte() -> None:
    config = preset("debug")
    state = build_state(config, torch.device("cpu"))
    nets = [*state.camera.parameters(), *state.discriminator.parameters()]
    numbers = sum(each.numel() for each in [*nets, *state.g_ema.parameters()])
    gradients = state.generator_gradients.buffer.numel() + state.discriminator_gradients.buffer.numel()
    moments = 2 * sum(each.numel() for each in nets)
    assert worker_memory(config, 12).state_bytes == 4 * (numbers + gradients + moments)


def test_more_of_everything_takes_more() -> None:
    debug = preset("debug")
    base = worker_memory(debug, 12).step_bytes
    assert worker_memory(debug, 24).step_bytes > 1.5 * base
    assert worker_memory(override(debug, {"optics.expansion": "true"}), 12).step_bytes > base
    discriminator = build_discriminator(debug).to(META)
    without_r1 = override(debug, {"optimizer.r1_gamma": "0"})
    assert _discriminator_step(without_r1, discriminator, 12) < _discriminator_step(debug, discriminator, 12)
    assert worker_memory(override(debug, {"compute.precision": "fp64"}), 12).step_bytes > 1.5 * base


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux; getrusage would tell this process's peak, too")
@pytest.mark.parametrize("change", ['"optics.occlusion_steps": 0', '"optics.occlusion_steps": 8'])
def test_a_step_takes_what_was_estimated(change: str) -> None:
    """Peak memory of a process that trains on a large batch after a small one, which loads what is loaded once."""
    script = f"""
        from pathlib import Path
        import torch
        from argan.presets import preset
        from argan.settings import override
        from argan.training.gradients import alone
        from argan.training.metrics import TickMetrics
        from argan.training.state import build_state
        from argan.training.step import Share, train_batch

        torch.set_num_threads(1)
        config = override(preset("small-32"), {{"optimizer.r1_every_batches": 1, {change}}})
        state, metrics = build_state(config, torch.device("cpu")), TickMetrics()
        for size in ({FEW}, {MANY}):
            train_batch(state, torch.zeros(size, 3, 32, 32, dtype=torch.uint8), Share(0, size, size), metrics, alone)
            print(int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) << 10)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True, capture_output=True, text=True)
    before, after = map(int, done.stdout.split())
    config = override(preset("small-32"), json.loads(f"{{{change}}}"))
    estimated = worker_memory(config, MANY).step_bytes - worker_memory(config, FEW).step_bytes
    assert estimated / FACTOR < after - before < estimated * FACTOR
