"""What an earlier sweep has found, as far as it is of use to this one."""

import json
from typing import Any

from argan.differences import differences
from argan.errors import MissingError, UserError
from argan.search.ledger import Known, Ledger
from argan.search.sweep import Sweep
from argan.search.table import TABLE
from argan.storage import Storage


def learn_from(earlier: Storage, ledger: Ledger) -> None:
    """Writes the finished trials of an earlier sweep's folder down, as far as they lie in this one's space.

    Raises UserError where there are none, where they were trained or judged otherwise, and where nobody would ask.
    """
    sweep = ledger.sweep
    if sweep.search != "optuna":
        raise UserError(f"--known is for optuna: the search {sweep.search} does not learn")
    if ledger.trials:
        raise UserError("--known comes before the first trial: this sweep has begun without")
    try:
        table = json.loads(earlier.read_bytes(TABLE))
        require_comparable(table["sweep"], sweep, earlier.uri)
        found = known_trials(table["trials"], sweep)
    except MissingError:
        raise UserError(f"there is no sweep at {earlier.uri}: {TABLE} is missing") from None
    except UserError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise UserError(f"{earlier.uri}/{TABLE} is no sweep's table: {error!r}") from error
    if not found:
        raise UserError(f"{earlier.uri} has no finished trial in this sweep's space")
    ledger.know(found, earlier.uri)


def require_comparable(theirs: dict[str, Any], sweep: Sweep, uri: str) -> None:
    """Raises UserError where a sweep's trials were trained or judged otherwise than this one's."""
    ours = sweep.definition()
    for key in ("config", "judging", "judged_by"):
        if theirs.get(key) != ours[key]:
            how = differences({key: theirs.get(key)}, {key: ours[key]})
            raise UserError(f"{uri} is of trials that were trained or judged otherwise: {how}")
    if theirs["rungs_images"][-1] != sweep.rungs_images[-1]:
        raise UserError(f"{uri} is of trials of {theirs['rungs_images'][-1]:,} images, not {sweep.rungs_images[-1]:,}")


def known_trials(rows: list[dict[str, Any]], sweep: Sweep) -> list[Known]:
    """Those of a table that were finished, measured in all of this sweep's objectives, and lie in its space."""
    found = []
    for row in rows:
        changes = row["changes"]
        if row["status"] != "finished" or changes.keys() != sweep.space.keys():
            continue
        values = [row["rungs"][-1]["values"].get(objective.name) for objective in sweep.objectives]
        if None in values or not all(sweep.space[key].holds(value) for key, value in changes.items()):
            continue
        costs = tuple(objective.cost(value) for objective, value in zip(sweep.objectives, values, strict=True))
        found.append(Known(changes, costs))
    return found
