"""Configuration: what is saved comes back, what does not fit is refused with the offending value."""

import dataclasses
from collections.abc import Iterator
from typing import Any

import pytest

from argan.config import Config, PriorConfig
from argan.errors import UserError
from argan.presets import preset, presets
from argan.settings import from_dict, learned_keys, naming_keys, override, run_name, to_dict


@pytest.mark.parametrize("name", presets())
def test_presets_survive_json(name: str) -> None:
    config = preset(name)
    assert from_dict(to_dict(config)) == config
    assert config.preset == name


def test_what_was_saved_without_a_key_is_as_it_was_then() -> None:
    """Light was averaged by nobody before there was a choice; today it is the default."""
    saved = to_dict(Config())
    del saved["optics"]["linear_light"], saved["prior"]["reach"]
    assert Config().optics.linear_light
    assert from_dict(saved) == override(Config(), {"optics.linear_light": False, "prior.reach": 0})
    assert "optics.linear_light" not in naming_keys(from_dict(saved))


@pytest.mark.parametrize("name", presets())
def test_presets_say_their_command(name: str) -> None:
    text = presets()[name].__doc__ or ""
    assert f"jobs/train.py --preset {name}" in text


def test_text_and_values_mean_the_same() -> None:
    typed = override(Config(), {"prior.weight": "0.3", "generator.channels": "8,8,8,8", "data.mirror": "false"})
    given = override(Config(), {"prior.weight": 0.3, "generator.channels": [8, 8, 8, 8], "data.mirror": False})
    assert typed == given
    assert typed.prior.weight == 0.3
    assert typed.generator.channels == (8, 8, 8, 8)
    assert typed.data.mirror is False
    assert override(Config(), {"schedule.total_images": "2e5"}).schedule.total_images == 200_000


def test_keys_that_must_agree_change_together() -> None:
    changes = {"resolution": 64, "generator.channels": "8,8,8,8,8"}
    assert override(Config(), changes).d_max_px == 2 * override(Config(), {}).d_max_px


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("prior.wieght", "1", "prior.wieght"),
        ("prior", "1", "'prior'"),
        ("nothing.at_all", "1", "nothing.at_all"),
        ("prior.weight", "much", "much"),
        ("prior.weight", "-1", "-1"),
        ("prior.radius", "0.71", "0.71"),
        ("schedule.total_images", "1.5", "1.5"),
        ("resolution", "48", "48"),
        ("generator.channels", "8,8", "(8, 8)"),
        ("method", "vae", "vae"),
        ("data.batch_images", "20", "20"),
        ("dof.shallow_share", "1.01", "1.01"),
        ("optics.views_per_side", "4", "4"),
        ("optics.views_per_side", "1", "at least 3: one shows no disparity, got 1"),
        ("data.mirror", "perhaps", "perhaps"),
        ("guard.most_inverted", "40", "40"),
        ("guard.most_prior_correlation", "-1.5", "-1.5"),
        ("guard.least_spread", "-0.1", "-0.1"),
    ],
)
def test_what_does_not_fit_is_named(key: str, value: str, said: str) -> None:
    with pytest.raises(UserError) as error:
        override(Config(), {key: value})
    assert said in str(error.value)


def all_fields() -> Iterator[tuple[str, "dataclasses.Field[Any]"]]:
    """Every dotted key of a configuration, with its field."""
    for section in dataclasses.fields(Config):
        if not dataclasses.is_dataclass(section.default):
            yield section.name, section
            continue
        for item in dataclasses.fields(section.default):
            yield f"{section.name}.{item.name}", item


@pytest.mark.parametrize("value", [8, None])
def test_a_list_that_is_none_is_named(value: object) -> None:
    """As it may stand in a damaged config.json."""
    with pytest.raises(UserError, match=f"generator.channels must be a list, got {value}"):
        override(Config(), {"generator.channels": value})


def test_a_run_is_named_by_what_changes_its_result() -> None:
    """Every key is on one side or the other: changing it changes the name, or it is marked as one that does not."""
    base = preset("debug")
    quiet = {"schedule.total_images": 4800, "schedule.tick_images": 96, "compute.compile": True}
    assert run_name(override(base, quiet)) == run_name(base)
    for key, value in {"seed": 1, "prior.weight": 0.9, "data.fingerprint": "x", "compute.precision": "fp64"}.items():
        assert run_name(override(base, {key: value})) != run_name(base), key
    assert not any(key.startswith("schedule.") for key in naming_keys(base))
    marked = {key for key, item in all_fields() if not item.metadata["names_run"]}
    assert {"schedule.total_images", "compute.compile"} <= marked
    assert learned_keys(base).keys() == {key for key, _ in all_fields()} - marked


def test_an_option_that_came_later_names_a_run_only_where_it_differs_from_before() -> None:
    """Or the runs there are would be begun anew by the command that prolonged them."""
    base = preset("small-32")
    before = {key: item.metadata["unnamed_at"] for key, item in all_fields() if item.metadata["unnamed_at"] is not None}
    assert {"augment.shift", "optics.occlusion_steps", "optics.linear_light"} <= before.keys()
    old = override(base, before)
    assert learned_keys(old).keys() - naming_keys(old).keys() == before.keys()
    for key in before:
        value = learned_keys(old)[key]
        on = True if isinstance(value, bool) else 8 if isinstance(value, int) else 0.25
        assert run_name(override(old, {key: on})) != run_name(old), key


def test_every_field_has_help() -> None:
    for key, item in all_fields():
        assert item.metadata["help"], key


def test_equal_configurations_have_one_name() -> None:
    """However their numbers were written, and whether they were saved in between."""
    whole, real = Config(prior=PriorConfig(weight=1)), Config(prior=PriorConfig(weight=1.0))
    assert whole == real
    assert run_name(whole) == run_name(real) == run_name(from_dict(to_dict(whole)))


@pytest.mark.parametrize("lost", ["prior", "prior.weight", "resolution", "optimizer.generator_lr"])
def test_what_a_saved_configuration_lost_is_not_todays_default(lost: str) -> None:
    saved = to_dict(preset("small-64"))
    section, _, name = lost.partition(".")
    del (saved[section] if name else saved)[name or section]
    with pytest.raises(UserError, match=rf"the configuration lacks (.*, )?{lost}"):
        from_dict(saved)
