"""What a processor is bad at, told before hours are spent on it."""

import torch

from argan.config import Config

BF16_UNITS = ("avx512_bf16", "amx_bf16", "avx10_2", "bf16", "sve_bf16")  # x86's names, then ARM's


def multiplies_bf16() -> bool:
    """Whether this processor has units for products of bf16."""
    able = torch.cpu.get_capabilities()
    return any(able.get(unit, False) for unit in BF16_UNITS)


def crawls(config: Config, *, has_bf16: bool) -> bool:
    """Whether training on such a processor crawls in the configuration's number format.

    On an EPYC with AVX2 alone a step of small-32 took 11 times as long in bf16 as in fp32 (torch 2.13).
    """
    return config.compute.precision == "bf16" and not has_bf16
