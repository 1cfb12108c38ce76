"""Configurations in and out: JSON, dotted keys as people type them, and the name that a configuration gives its run."""

import dataclasses
import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any, Literal, get_args, get_origin, get_type_hints

from argan.config import Config, require
from argan.errors import UserError


def to_dict(config: Any) -> dict[str, Any]:
    """Plain JSON values, nested by section."""
    return json.loads(json.dumps(dataclasses.asdict(config)))


def from_dict(values: Mapping[str, Any]) -> Config:
    """The configuration saved by `to_dict`; what it was saved without is as it was then, whatever the default is now:
    only options that came later, and those that change nothing of what is learned, may be missing.

    Raises UserError for an unknown key, a missing one, or a value that does not fit.
    """
    learned = _learned(Config())
    flat = {key: before for key, (_, before) in learned.items() if before is not None}
    for key, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{key}.{name}": item for name, item in value.items()}
        else:
            flat[key] = value
    if missing := sorted(learned.keys() - flat.keys()):
        raise UserError(f"the configuration lacks {', '.join(missing)}")
    return _apply({}, flat)


def override(config: Config, changes: Mapping[str, Any]) -> Config:
    """`config` with dotted keys replaced: one function for the command line, JSON and searches alike.

    Values may be text, as typed: {"prior.weight": "0.3", "generator.channels": "96,64,48,32"}.
    Raises UserError for an unknown key or a value that does not fit.
    """
    return _apply({name: getattr(config, name) for name in _types(Config)}, changes)


def _apply(base: dict[str, Any], changes: Mapping[str, Any]) -> Config:
    """Sections first, then the whole in one construction, so that keys that must agree may change together."""
    kinds = _types(Config)
    top: dict[str, Any] = {}
    sections: dict[str, dict[str, Any]] = {}
    for key, value in changes.items():
        section, _, name = key.partition(".")
        kind = kinds.get(section)
        if kind is None or dataclasses.is_dataclass(kind) != bool(name):
            raise UserError(f"unknown configuration key {key!r}")
        if not name:
            top[section] = _parse(key, value, kind)
            continue
        inner = _types(kind)
        if name not in inner:
            raise UserError(f"unknown configuration key {key!r}")
        sections.setdefault(section, {})[name] = _parse(key, value, inner[name])
    for section, values in sections.items():
        start = base.get(section) or kinds[section]()
        top[section] = dataclasses.replace(start, **values)
    return Config(**{**base, **top})


def _types(cls: type) -> dict[str, Any]:
    return get_type_hints(cls)


def _parse(key: str, value: Any, kind: Any) -> Any:
    """A value of the field's type, from text or JSON."""
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        require(value in choices, key, value, "one of " + ", ".join(choices))
        return value
    if get_origin(kind) is tuple:
        parts = [part for part in value.split(",") if part] if isinstance(value, str) else value
        require(isinstance(parts, list | tuple), key, value, "a list")
        return tuple(_parse(key, part, get_args(kind)[0]) for part in parts)
    try:
        if kind is bool:
            return {"true": True, "false": False}[str(value).lower()]
        if kind is int:
            number = float(value) if isinstance(value, str) and "e" in value.lower() else value
            whole = int(number)
            if isinstance(number, float) and number != whole:
                raise ValueError
            return whole
        number = kind(value)
        require(kind is not float or math.isfinite(number), key, value, "a finite number")
        return number
    except UserError:
        raise
    except (ValueError, TypeError, KeyError, OverflowError):
        raise UserError(f"{key} must be of type {kind.__name__}, got {value!r}") from None


def as_typed(value: Any) -> str:
    """The text that `override` reads as this value."""
    text = ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
    return text.lower() if isinstance(value, bool) else text


def choices(section: Any, name: str) -> tuple[str, ...]:
    """What a field of a section may be, where those are words: else none."""
    kind = _types(type(section))[name]
    return get_args(kind) if get_origin(kind) is Literal else ()


def learned_keys(config: Config) -> dict[str, Any]:
    """The dotted keys that change what is learned, with their values."""
    return {key: value for key, (value, _) in _learned(config).items()}


def naming_keys(config: Config) -> dict[str, Any]:
    """Those of them that name the run: an option that came later names it only where it is on."""
    return {key: value for key, (value, unnamed_at) in _learned(config).items() if value != unnamed_at}


def _learned(config: Config) -> dict[str, tuple[Any, Any]]:
    """Each key's value, and that of runs older than the key: None where there are none."""
    keys: dict[str, tuple[Any, Any]] = {}
    for item in dataclasses.fields(config):
        value = getattr(config, item.name)
        if not dataclasses.is_dataclass(value):
            keys[item.name] = value, None
            continue
        for inner in dataclasses.fields(value):
            if inner.metadata["names_run"]:
                keys[f"{item.name}.{inner.name}"] = getattr(value, inner.name), inner.metadata["unnamed_at"]
    return keys


def run_name(config: Config) -> str:
    """PRESET-HASH: the same configuration on the same data is the same run, however many workers, however long."""
    as_saved = from_dict(to_dict(config))  # where 1 for a float is 1.0
    text = json.dumps(naming_keys(as_saved), sort_keys=True)
    return f"{config.preset}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
