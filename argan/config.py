"""The configuration of a run: frozen dataclasses, every default in one place, every value checked.

A field's `names_run=False` says that it does not change what is learned (only how fast, how long or how often one
looks), so two runs that differ only there are the same run and share a folder. Imports nothing heavy: `--help` stays
quick.
"""

import dataclasses
from dataclasses import dataclass, field
from typing import Any, Literal

from argan.errors import UserError
from argan.seeds import require_seed

Method = Literal["ar-gan", "gan"]
DofDistribution = Literal["bernoulli", "uniform", "half_normal", "one"]
Precision = Literal["fp32", "bf16", "fp64"]
GuardAction = Literal["tell", "stop", "roll_back"]


def option(default: Any, help: str, *, names_run: bool = True, unnamed_at: Any = None) -> Any:
    """A field with a line of help: its unit and what "off" means. Where it is younger than runs that there are,
    `unnamed_at` is what those did: they keep their names, and a configuration saved without the key has that value.
    """
    return field(default=default, metadata={"help": help, "names_run": names_run, "unnamed_at": unnamed_at})


def require(condition: bool, key: str, value: object, rule: str) -> None:
    if not condition:
        raise UserError(f"{key} must be {rule}, got {value!r}")


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """Which samples, in which order (argan/data/shards.py)."""

    fingerprint: str = option("", "hash of the packed set and its shards; filled in by the job")
    batch_images: int = option(16, "images in a global batch, over all workers")
    num_lanes: int = option(16, "parallel streams that a batch is dealt from; the most workers there can be")
    window_samples: int = option(256, "samples shuffled at a time inside a lane")
    mirror: bool = option(True, "flip each photo left to right with probability 1/2")

    def __post_init__(self) -> None:
        require(self.num_lanes >= 1, "data.num_lanes", self.num_lanes, "at least 1")
        divides = self.batch_images >= 1 and self.batch_images % self.num_lanes == 0
        require(divides, "data.batch_images", self.batch_images, f"a multiple of data.num_lanes = {self.num_lanes}")
        require(self.window_samples >= 1, "data.window_samples", self.window_samples, "at least 1")


@dataclass(frozen=True, kw_only=True)
class OpticsConfig:
    """The aperture renderer and the range of disparity behind it (METHOD: Aperture renderer, Aperture range)."""

    d_max_at_64_px: float = option(3.0, "aperture range d_max: largest |disparity|, px per aperture unit at 64 px")
    front_share: float = option(0.1, "reach of disparity before the focal plane, in d_max; 1: as far as behind")
    views_per_side: int = option(5, "views along the aperture's diameter; odd")
    shape: Literal["disk", "square"] = option("disk", "aperture mask; disk leaves out the corners")
    views_fit: Literal["edge", "blur"] = option(
        "edge", "edge: views reach the aperture's edge; blur: D blurs as wide as it says"
    )
    linear_light: bool = option(True, "average light, as lenses do, instead of sRGB codes", unnamed_at=False)
    occlusion_steps: int = option(
        0, "steps of disparity in which front hides behind; 0 is off: R sees no occlusion", unnamed_at=0
    )
    expansion: bool = option(False, "depth expansion network T")
    expansion_weight: float = option(1.0, "lambda_T, weight of mean |T(E)|; only with optics.expansion")

    def __post_init__(self) -> None:
        require(self.d_max_at_64_px > 0, "optics.d_max_at_64_px", self.d_max_at_64_px, "greater than 0")
        require(0 < self.front_share <= 1, "optics.front_share", self.front_share, "in (0, 1]")
        odd = self.views_per_side >= 3 and self.views_per_side % 2 == 1
        require(odd, "optics.views_per_side", self.views_per_side, "odd, and at least 3: one shows no disparity")
        require(self.expansion_weight >= 0, "optics.expansion_weight", self.expansion_weight, "at least 0")
        fits = self.occlusion_steps == 0 or (4 <= self.occlusion_steps <= 64 and not self.expansion)
        rule = "0 with optics.expansion" if self.expansion else "0, or from 4 to 64"
        require(fits, "optics.occlusion_steps", self.occlusion_steps, rule)


@dataclass(frozen=True, kw_only=True)
class DofConfig:
    """p(s), the mixture of depths of field (METHOD: DoF mixture learning)."""

    distribution: DofDistribution = option("bernoulli", "p(s); one means no mixture: every fake is shallow")
    shallow_share: float = option(0.67, "P(s = 1); bernoulli only")
    half_normal_sigma: float = option(0.5, "sigma of |N(0, sigma)| before it is cut at 1; half_normal only")

    def __post_init__(self) -> None:
        require(0 <= self.shallow_share <= 1, "dof.shallow_share", self.shallow_share, "in [0, 1]")
        require(self.half_normal_sigma > 0, "dof.half_normal_sigma", self.half_normal_sigma, "greater than 0")


@dataclass(frozen=True, kw_only=True)
class PriorConfig:
    """The center focus prior D_p (METHOD: Aperture range and center focus prior), and what keeps disparity in its sense
    when its weight has fallen (docs/decisions/prior.md).
    """

    weight: float = option(1.0, "lambda_p at the start, on mean ((D - D_p) / d_max)^2; 0 is off")
    final_share: float = option(0.2, "share of lambda_p that is left after prior.fall_images; it falls linearly")
    fall_images: int = option(120_000, "images over which lambda_p falls")
    contrast_weight: float = option(1.5, "weight of the contrast loss, which punishes inverted disparity; 0 is off")
    contrast_margin: float = option(0.3, "contrast from which on that loss is 0: D_p has 1, constant disparity 0")
    variation_weight: float = option(0.01, "weight of the total variation of D / d_max, per width; 0 is off")
    edge_freedom: float = option(
        0.0, "a step of D on an edge dI_d counts exp(-this |dI_d|) as much; 0: as much as any", unnamed_at=0
    )
    reach: float = option(
        0.0, "how far from the picture's middle that of D_p may lie, in widths; 0: not at all", unnamed_at=0
    )
    radius: float = option(0.25, "r_th, where focus ends, in units of the width from the centre")
    gain: float = option(2.2, "g, how fast D_p falls to -d_max beyond the radius")

    def __post_init__(self) -> None:
        for key in ("weight", "final_share", "contrast_weight", "variation_weight", "edge_freedom"):
            require(getattr(self, key) >= 0, f"prior.{key}", getattr(self, key), "at least 0")
        require(self.fall_images >= 0, "prior.fall_images", self.fall_images, "at least 0")
        require(0 <= self.reach <= 0.5, "prior.reach", self.reach, "from 0 to 0.5")
        require(self.radius >= 0, "prior.radius", self.radius, "at least 0")
        require(self.gain > 0, "prior.gain", self.gain, "greater than 0")


@dataclass(frozen=True, kw_only=True)
class GeneratorConfig:
    style_dim: int = option(128, "dimensions of the style in z; the rest of z is noise")
    w_dim: int = option(128, "dimensions of the mapped latent that AdaIN reads")
    mapping_layers: int = option(2, "layers of the mapping z -> w")
    channels: tuple[int, ...] = option((192, 128, 96, 48), "features at 4, 8, 16, ... px; one entry a stage")

    def __post_init__(self) -> None:
        require(self.style_dim >= 1, "generator.style_dim", self.style_dim, "at least 1")
        require(self.w_dim >= 1, "generator.w_dim", self.w_dim, "at least 1")
        require(self.mapping_layers >= 1, "generator.mapping_layers", self.mapping_layers, "at least 1")
        positive = bool(self.channels) and min(self.channels) >= 1
        require(positive, "generator.channels", self.channels, "positive numbers")


@dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig:
    channels: tuple[int, ...] = option((32, 64, 128, 256), "features at full size, then after each halving")

    def __post_init__(self) -> None:
        positive = bool(self.channels) and min(self.channels) >= 1
        require(positive, "discriminator.channels", self.channels, "positive numbers")


@dataclass(frozen=True, kw_only=True)
class OptimizerConfig:
    """Adam for both nets, R1, and the EMA of the generator. Its clock is images, not steps."""

    generator_lr: float = option(5e-4, "learning rate of the generator")
    discriminator_lr: float = option(5e-4, "learning rate of the discriminator")
    lr_fall_images: int = option(0, "images from which on both rates fall as 1 / sqrt(images); 0 is off", unnamed_at=0)
    beta1: float = option(0.0, "Adam beta1")
    beta2: float = option(0.99, "Adam beta2")
    r1_gamma: float = option(0.1, "weight of the R1 penalty; 0 is off")
    r1_every_batches: int = option(8, "lazy R1: on every k-th batch, k times as strong")
    ema_half_life_images: int = option(10_000, "half-life of the moving average of the generator")
    ema_ramp: float = option(0.05, "half-life is at most this share of the images seen; 0 is off")

    def __post_init__(self) -> None:
        for key in ("generator_lr", "discriminator_lr"):
            require(getattr(self, key) > 0, f"optimizer.{key}", getattr(self, key), "greater than 0")
        require(self.lr_fall_images >= 0, "optimizer.lr_fall_images", self.lr_fall_images, "at least 0")
        for key in ("beta1", "beta2"):
            require(0 <= getattr(self, key) < 1, f"optimizer.{key}", getattr(self, key), "in [0, 1)")
        require(self.r1_gamma >= 0, "optimizer.r1_gamma", self.r1_gamma, "at least 0")
        require(self.r1_every_batches >= 1, "optimizer.r1_every_batches", self.r1_every_batches, "at least 1")
        half_life = self.ema_half_life_images
        require(half_life >= 0, "optimizer.ema_half_life_images", half_life, "at least 0")
        require(self.ema_ramp >= 0, "optimizer.ema_ramp", self.ema_ramp, "at least 0")


@dataclass(frozen=True, kw_only=True)
class AugmentConfig:
    """What the discriminator's photos, real and fake alike, are put through (argan/training/augmentation.py): nothing
    that changes blur.
    """

    shift: float = option(0.0, "largest shift each way, in widths, by whole pixels; 0 is off", unnamed_at=0)
    colour: float = option(
        0.0, "strength of random brightness, saturation and contrast, up to 1; 0 is off", unnamed_at=0
    )

    def __post_init__(self) -> None:
        require(0 <= self.shift <= 0.5, "augment.shift", self.shift, "from 0 to 0.5")
        require(0 <= self.colour <= 1, "augment.colour", self.colour, "from 0 to 1")


@dataclass(frozen=True, kw_only=True)
class ScheduleConfig:
    """How long to train and how often to look: none of it changes what is learned."""

    total_images: int = option(200_000, "images to train for", names_run=False)
    tick_images: int = option(4_000, "metrics and progress every so many images", names_run=False)
    checkpoint_ticks: int = option(2, "a checkpoint every so many ticks", names_run=False)
    picture_ticks: int = option(5, "grids of pictures every so many ticks", names_run=False)
    keep_checkpoints: int = option(
        3, "checkpoints kept, beside the best by KID and by depth and the last in health", names_run=False
    )
    judging_share: float = option(0.05, "of the time, for judging checkpoints on the way; 0 is off", names_run=False)

    def __post_init__(self) -> None:
        for item in dataclasses.fields(self):
            if item.name != "judging_share":
                require(getattr(self, item.name) >= 1, f"schedule.{item.name}", getattr(self, item.name), "at least 1")
        require(0 <= self.judging_share < 1, "schedule.judging_share", self.judging_share, "in [0, 1)")


@dataclass(frozen=True, kw_only=True)
class ComputeConfig:
    """Number formats and speed-ups. On a CPU fp32 is safe, bf16 faster where the processor has it, compile slower."""

    precision: Precision = option(
        "fp32", "bf16 runs the nets under autocast; losses and R1 stay in fp32 (on a GPU TF32)"
    )
    channels_last: bool = option(True, "lay features out channels last", names_run=False)
    compile: bool = option(False, "torch.compile both nets", names_run=False)
    cache_bytes: int = option(0, "node-local cache of shards, size limit; 0 is off", names_run=False)
    cache_folder: str = option("", "where that cache is; empty: the system's temporary folder", names_run=False)

    def __post_init__(self) -> None:
        require(self.cache_bytes >= 0, "compute.cache_bytes", self.cache_bytes, "at least 0")


@dataclass(frozen=True, kw_only=True)
class GuardConfig:
    """What is called a collapse (argan/training/health.py, of what vitals.py sees), and what is done about it. It never
    changes what is learned, only how long.
    """

    action: GuardAction = option("tell", "tell: on the page; stop; roll_back: stop, back at health", names_run=False)
    patience: int = option(2, "checks in a row, one a checkpoint, that must see it", names_run=False)
    from_images: int = option(40_000, "images before which nothing is called a collapse", names_run=False)
    most_margin: float = option(10.0, "score of real photos over that of fakes, logits", names_run=False)
    least_diversity: float = option(
        0.5, "distance from a deep photo to the one most like it, in that of real ones", names_run=False
    )
    least_sharpness: float = option(0.5, "Laplacian of deep photos, in that of real ones", names_run=False)
    least_far_sharpness: float = option(
        0.8, "Laplacian of deep photos where disparity is large, in that where it is small", names_run=False
    )
    least_spread: float = option(0.05, "standard deviation of disparity, in d_max", names_run=False)
    most_inverted: float = option(0.4, "share of samples that are inside out", names_run=False)
    most_prior_correlation: float = option(0.98, "of disparity and focus prior, once it has fallen", names_run=False)

    def __post_init__(self) -> None:
        require(self.patience >= 1, "guard.patience", self.patience, "at least 1")
        for item in dataclasses.fields(self):
            value = getattr(self, item.name)
            if item.name == "most_inverted":
                require(0 <= value <= 1, "guard.most_inverted", value, "from 0 to 1")
            elif item.name == "most_prior_correlation":
                require(-1 <= value <= 1, "guard.most_prior_correlation", value, "from -1 to 1")
            elif item.name not in ("action", "patience"):
                require(value >= 0, f"guard.{item.name}", value, "at least 0")


@dataclass(frozen=True, kw_only=True)
class Config:
    """Everything that a run is made from; saved as config.json in its folder."""

    preset: str = option("custom", "name of the preset it started from")
    method: Method = option("ar-gan", "gan is the standard GAN, the baseline without a camera")
    resolution: int = option(32, "height and width in px: a power of two, 8 or more")
    seed: int = option(0, "seed of all draws, weights and data order included")
    data: DataConfig = DataConfig()
    optics: OpticsConfig = OpticsConfig()
    dof: DofConfig = DofConfig()
    prior: PriorConfig = PriorConfig()
    generator: GeneratorConfig = GeneratorConfig()
    discriminator: DiscriminatorConfig = DiscriminatorConfig()
    optimizer: OptimizerConfig = OptimizerConfig()
    augment: AugmentConfig = AugmentConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    compute: ComputeConfig = ComputeConfig()
    guard: GuardConfig = GuardConfig()

    def __post_init__(self) -> None:
        require_seed(self.seed)
        power = self.resolution >= 8 and self.resolution & (self.resolution - 1) == 0
        require(power, "resolution", self.resolution, "a power of two, 8 or more")
        shift, least = self.augment.shift, 1 / self.resolution
        require(shift == 0 or shift >= least, "augment.shift", shift, f"0, or a pixel at least: {least:g}")
        got, stages = self.generator.channels, self.resolution.bit_length() - 2
        require(len(got) == stages, "generator.channels", got, f"{stages} numbers at {self.resolution} px")
        got = self.discriminator.channels
        most = self.resolution.bit_length() - 1
        require(len(got) <= most, "discriminator.channels", got, f"at most {most} numbers at {self.resolution} px")
        nearest, farthest = (0.5**0.5 / self.resolution * steps for steps in (1, self.resolution - 1))  # pixels
        least, gain = nearest - 1 / self.prior.gain, self.prior.gain
        rule = f"between {least:.3f} and {farthest:.3f} at {self.resolution} px with gain {gain:g}, or D_p is flat"
        require(least < self.prior.radius < farthest, "prior.radius", self.prior.radius, rule)
        whole = self.schedule.tick_images % self.data.batch_images == 0
        rule = f"a multiple of data.batch_images = {self.data.batch_images}"
        require(whole, "schedule.tick_images", self.schedule.tick_images, rule)

    @property
    def d_max_px(self) -> float:
        """The aperture range at this resolution: largest |disparity| in px per aperture unit."""
        return self.optics.d_max_at_64_px * self.resolution / 64
