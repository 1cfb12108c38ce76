"""The processor's own word on bf16, against how long products in it take here."""

import time

import pytest
import torch

from argan.presets import preset
from argan.settings import override
from argan.training.number_formats import crawls, multiplies_bf16


def seconds(dtype: torch.dtype) -> float:
    """The best of several convolutions like those of small-32."""
    x, weight = torch.ones(16, 64, 16, 16, dtype=dtype), torch.ones(64, 64, 3, 3, dtype=dtype)
    times_s = []
    for _ in range(7):
        started_s = time.perf_counter()
        torch.nn.functional.conv2d(x, weight, padding=1)
        times_s.append(time.perf_counter() - started_s)
    return min(times_s)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_is_said_to_crawl_where_it_does(precision: str) -> None:
    """A processor with AVX-512 and no bf16 units lies between: nothing is asked of it."""
    config = override(preset("small-32"), {"compute.precision": precision})
    assert not crawls(config, has_bf16=True)
    assert crawls(config, has_bf16=False) == (precision == "bf16")
    slower = seconds(torch.bfloat16) / seconds(torch.float32)
    if multiplies_bf16():
        assert slower < 2.0
    elif not torch.cpu.get_capabilities().get("avx512_bw", False):
        assert slower > 2.0
