"""Named configurations. Each docstring says the command, how long it takes, and what to expect.

`small` is sized for two CPU cores, `full` for a GPU. Durations and scores are measured where a docstring gives a
figure; no `full` preset has been trained to its end yet. How the focus prior falls (prior.fall_images) was varied
at 32 px; at 64 px 120,000 and 240,000 images were used, in trainings that differ in other things too, and elsewhere it
takes as many batches as there, which nobody has tried.
"""

from collections.abc import Callable

from argan.config import (
    ComputeConfig,
    Config,
    DataConfig,
    DiscriminatorConfig,
    GeneratorConfig,
    OptimizerConfig,
    PriorConfig,
    ScheduleConfig,
)
from argan.errors import UserError


def small_32() -> Config:
    """32 px on two CPU cores. Two of a processor with AVX2 alone made 34 images/s: two and a half hours. On
    scenes:8000@1 gap_closed was .73 to .83 for foreground AUC and .61 to .70 for ordinal accuracy then, five seeds
    (docs/results/depth.md).

    python jobs/train.py --preset small-32 --data URI --out URI

    1.4 to 1.6 times as fast with --compute.precision bf16, where the processor has units for it.
    """
    return Config(preset="small-32", resolution=32, schedule=ScheduleConfig(total_images=300_000))


def small_64() -> Config:
    """64 px on two CPU cores. 600,000 images took three hours in bf16 on one of them (50 to 60 images/s), which had
    units for it: elsewhere leave that out. On scenes:8000@1 gap_closed was .90 for foreground AUC and .79 for ordinal
    accuracy then, one seed (docs/results/zoo.md).

    python jobs/train.py --preset small-64 --compute.precision bf16 --data URI --out URI
    """
    return Config(
        preset="small-64",
        resolution=64,
        generator=GeneratorConfig(channels=(192, 128, 96, 64, 32)),
        discriminator=DiscriminatorConfig(channels=(16, 32, 64, 128, 256)),
        prior=PriorConfig(fall_images=240_000),
        schedule=ScheduleConfig(total_images=600_000),
    )


def small_128() -> Config:
    """128 px on two CPU cores, for patient people. Not trained by anybody yet.

    python jobs/train.py --preset small-128 --data URI --out URI
    """
    return Config(
        preset="small-128",
        resolution=128,
        generator=GeneratorConfig(channels=(192, 128, 96, 64, 32, 24)),
        discriminator=DiscriminatorConfig(channels=(16, 24, 48, 96, 192, 256)),
        prior=PriorConfig(fall_images=240_000),
        schedule=ScheduleConfig(total_images=800_000),
    )


def _full(resolution: int, generator: tuple[int, ...], discriminator: tuple[int, ...]) -> Config:
    return Config(
        preset=f"full-{resolution}",
        resolution=resolution,
        data=DataConfig(batch_images=64, num_lanes=64, window_samples=128),
        generator=GeneratorConfig(channels=generator, w_dim=256, mapping_layers=4),
        discriminator=DiscriminatorConfig(channels=discriminator),
        optimizer=OptimizerConfig(generator_lr=2e-4, discriminator_lr=2e-4, r1_every_batches=16),
        prior=PriorConfig(fall_images=960_000),
        schedule=ScheduleConfig(total_images=10_000_000, tick_images=32_000, checkpoint_ticks=5, picture_ticks=5),
        compute=ComputeConfig(precision="bf16", compile=True),
    )


def full_32() -> Config:
    """32 px on a GPU, bf16 and compiled. Not trained by anybody yet.

    python jobs/train.py --preset full-32 --data s3://BUCKET/SET --out s3://BUCKET/runs --num-workers 1
    """
    return _full(32, (512, 384, 256, 128), (64, 128, 256, 512))


def full_64() -> Config:
    """64 px on one or more GPUs, bf16 and compiled. 1,300 images/s on one H100 whose processor could not keep it busy
    (docs/LOG.md, 2026-11-27). Not trained to its end by anybody yet; on several GPUs untested.

    python jobs/train.py --preset full-64 --data s3://BUCKET/SET --out s3://BUCKET/runs --num-workers 4 --device gpu
    """
    return _full(64, (512, 512, 384, 256, 128), (64, 128, 256, 512, 512))


def full_128() -> Config:
    """128 px on several GPUs, bf16 and compiled. Not trained by anybody yet; on several GPUs untested.

    python jobs/train.py --preset full-128 --data s3://BUCKET/SET --out s3://BUCKET/runs --num-workers 8
    """
    return _full(128, (512, 512, 384, 256, 128, 64), (32, 64, 128, 256, 512, 512))


def debug() -> Config:
    """16 px, tiny nets: seconds. For tests and for trying an installation.

    python jobs/train.py --preset debug --data URI --out URI
    """
    return Config(
        preset="debug",
        resolution=16,
        data=DataConfig(batch_images=12, num_lanes=6, window_samples=16),
        generator=GeneratorConfig(style_dim=16, w_dim=16, mapping_layers=1, channels=(16, 12, 8)),
        discriminator=DiscriminatorConfig(channels=(8, 8, 16)),
        optimizer=OptimizerConfig(ema_half_life_images=200, r1_every_batches=4),
        schedule=ScheduleConfig(total_images=240, tick_images=48, checkpoint_ticks=1, picture_ticks=2),
    )


def presets() -> dict[str, Callable[[], Config]]:
    """Every preset by the name that `--preset` takes."""
    makers = (small_32, small_64, small_128, full_32, full_64, full_128, debug)
    return {maker.__name__.replace("_", "-"): maker for maker in makers}


def preset(name: str) -> Config:
    """The preset of that name. Raises UserError, with the names there are, for any other."""
    known = presets()
    if name not in known:
        raise UserError(f"no preset {name!r}; there are {', '.join(known)}")
    return known[name]()
