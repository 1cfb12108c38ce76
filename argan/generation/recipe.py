"""What a set is made of: somebody's recipe, the model, the platform. Together they decide its bytes."""

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from argan.config import Config, require
from argan.data.sealed import seal, seal_of, unseal
from argan.data.shard_files import sha256
from argan.errors import DataError
from argan.optics import ApertureShape, views_needed
from argan.seeds import require_seed
from argan.settings import to_dict

TERMS_SCHEMA = "argan-tuple-terms/2"  # a change of what the same terms make is a new schema
MICRO_BATCH_IMAGES = 25  # through the net at a time: its last bits may depend on it, so it is fixed


def plain(value: float) -> float:
    """Numbers that are equal, in the one way in which terms write them: 1 as 1.0, -0.0 as 0.0."""
    return float(value) + 0.0


@dataclass(frozen=True, kw_only=True)
class Quality:
    """From where on a sample is rejected (argan/generation/quality.py). A limit at its `off` value rejects nothing."""

    min_spread: float = 0.05  # standard deviation of D / d_max; below it D is "flat". Off: 0
    min_contrast: float = 0.0  # of the middle before its surroundings; below it D is "inverted". Off: -1e9
    max_prior_correlation: float = 0.98  # of D with the focus prior; above it D is "prior-only". Off: 2
    min_sharpness: float = 0.02  # of the sharpest edges of I_d; below it I_d is "blurred". Off: 0
    max_saturation: float = 0.3  # share of channel values at 0 or 255 in I_d; above it I_d is "saturated". Off: 1

    def __post_init__(self) -> None:
        for name, value in dataclasses.asdict(self).items():
            require(math.isfinite(value), name, value, "a finite number")
            object.__setattr__(self, name, plain(value))


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What somebody asked for. Raises UserError on values out of range."""

    num_samples: int  # attempts: those that are rejected count
    seed: int = 0
    apertures: tuple[float, ...] = (0.5, 1.0)  # dof_scale of a shallow photo each, the same in all samples
    random_apertures: int = 0  # so many shallow photos more, each at a dof_scale drawn for it, uniform in (0, 1]
    focus_px: float = 0.0  # the disparity that is sharp, px per aperture unit
    shape: ApertureShape | None = None  # None: the model's own, which `settled` puts here
    truncation: float = 0.0  # the style in z is drawn from a normal cut off at +- this; 0: not cut
    shard_samples: int = 500  # attempts a shard
    quality: Quality = field(default_factory=Quality)

    def __post_init__(self) -> None:
        require(self.num_samples >= 1, "num_samples", self.num_samples, "at least 1")
        require_seed(self.seed)
        require(all(0 < s <= 1 for s in self.apertures), "apertures", self.apertures, "numbers in (0, 1]")
        some = self.random_apertures >= (0 if self.apertures else 1)
        require(some, "random_apertures", self.random_apertures, "at least 0, and 1 where apertures is empty")
        require(math.isfinite(self.focus_px), "focus_px", self.focus_px, "finite")
        require(self.shape in (None, "disk", "square"), "shape", self.shape, "disk or square")
        require(0 <= self.truncation < math.inf, "truncation", self.truncation, "at least 0 and finite")
        require(self.shard_samples >= 1, "shard_samples", self.shard_samples, "at least 1")
        object.__setattr__(self, "apertures", tuple(map(plain, self.apertures)))
        object.__setattr__(self, "focus_px", plain(self.focus_px))
        object.__setattr__(self, "truncation", plain(self.truncation))

    @property
    def num_shallow(self) -> int:
        return len(self.apertures) + self.random_apertures

    @property
    def num_shards(self) -> int:
        return -(-self.num_samples // self.shard_samples)

    def indices(self, shard: int) -> range:
        """The samples of a shard: a fixed range, whatever is rejected."""
        return range(shard * self.shard_samples, min((shard + 1) * self.shard_samples, self.num_samples))

    def settled(self, config: Config) -> "Recipe":
        """The recipe with nothing left to the model: what a set's terms say."""
        return dataclasses.replace(self, shape=self.shape or config.optics.shape)

    def views_per_side(self, config: Config) -> tuple[int, ...]:
        """For each shallow photo as many views as the model's largest disparity needs (METHOD: Aperture renderer).

        Raises UserError where the focus is out of the model's range of disparity.
        """
        far_px, near_px = -config.d_max_px, config.optics.front_share * config.d_max_px
        require(far_px <= self.focus_px <= near_px, "focus_px", self.focus_px, f"from {far_px:g} to {near_px:g}")
        reach_px = max(self.focus_px - far_px, near_px - self.focus_px)
        return tuple(
            views_needed(aperture * reach_px) for aperture in (*self.apertures, *[1.0] * self.random_apertures)
        )


@dataclass(frozen=True, kw_only=True)
class Terms:
    """All that decides a set's bytes: other terms, another set."""

    recipe: Recipe
    checkpoint_sha256: str
    config_sha256: str
    versions: Mapping[str, str]
    platform: Mapping[str, Any]

    @property
    def sha256(self) -> str:
        """By which every shard names the terms it was made on."""
        return seal_of(_values(self))


def encode_terms(terms: Terms) -> bytes:
    """Sealed; equal terms give equal bytes."""
    return seal(_values(terms), indent=1)


def decode_terms(data: bytes) -> Terms:
    """Raises DataError where it is not what `encode_terms` wrote."""
    values = unseal(data, TERMS_SCHEMA, indent=1)
    try:
        recipe = values.pop("recipe")
        quality = Quality(**recipe.pop("quality"))
        apertures = tuple(recipe.pop("apertures"))
        return Terms(recipe=Recipe(quality=quality, apertures=apertures, **recipe), **values)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"the terms lack something: {error}") from error


def _values(terms: Terms) -> dict[str, Any]:
    return {"schema": TERMS_SCHEMA, **dataclasses.asdict(terms)}


def config_sha256(config: Config) -> str:
    return sha256(json.dumps(to_dict(config), sort_keys=True).encode())
