"""The evaluation page sets each measure between its best trivial guess and its ceiling, and survives missing ones."""

from typing import Any

import numpy as np
from page_reading import read

from argan.viewing.evaluation_report import evaluation_report
from argan.viewing.pictures import png_bytes

PNG = png_bytes(np.zeros((4, 12, 3), dtype=np.uint8))


def result() -> dict[str, Any]:
    return {
        "foreground_auc": 0.861,
        "spearman": 0.5,
        "ceiling": {"foreground_auc": 0.953, "spearman": 0.6},
        "trivial": {
            "foreground_auc": {"name": "center <prior>", "value": 0.781},
            "spearman": {"name": "height", "value": 0.625},
        },
        "gap_closed": {"foreground_auc": 0.465, "spearman": float("nan")},
        "trivial_all": {"center <prior>": {"foreground_auc": 0.781, "spearman": 0.3}, "height": {"spearman": 0.625}},
        "fixed": {"mean of truth": {"foreground_auc": 0.717, "spearman": 0.381}},
        "protocol": {"scenes": 1000, "estimator": {"channels": [32, 64]}},
    }


def test_each_measure_stands_with_its_guess_its_ceiling_and_its_gap() -> None:
    html = evaluation_report(result(), [])
    text = read(html).text
    assert "foreground_auc 0.861 0.47 0.7810.953 0.781 (center <prior>) 0.953" in text
    assert "width:46.5%" in html
    assert "spearman 0.5 not finite (nan) 0.625 (height) 0.6" in text


def test_every_trivial_guess_and_the_whole_protocol_are_there() -> None:
    text = read(evaluation_report(result(), [])).text
    assert "center <prior> 0.781 0.3" in text
    assert "height - 0.625" in text
    assert "mean of truth 0.717 0.381" in text
    assert "scenes 1,000 estimator.channels 32, 64" in text


def test_a_measure_without_a_ceiling_is_shown_as_it_is() -> None:
    text = read(evaluation_report({**result(), "kid": 0.0123}, [])).text
    assert "kid 0.0123 - - -" in text


def test_pictures_keep_their_order_and_captions() -> None:
    reading = read(evaluation_report(result(), [("best: 0.99", PNG), ("worst: 0.2 <", PNG)], d_max_px=1.5))
    assert reading.text.index("best: 0.99") < reading.text.index("worst: 0.2 <")
    assert len(reading.images) == 3
    assert all(image["alt"] for image in reading.images)
    assert all(load.startswith(("data:", "#")) for load in reading.loads)


def test_smooth_subjects_have_a_table_of_their_own() -> None:
    smooth = {name: value for name, value in result().items() if name != "protocol"} | {"foreground_auc": 0.799}
    text = read(evaluation_report({**result(), "smooth_subjects": smooth}, [])).text
    assert "foreground_auc 0.799" in text[text.index("Smooth subjects only") :]
    assert "Smooth subjects only" not in read(evaluation_report(result(), [])).text


def test_an_empty_result_has_a_page() -> None:
    text = read(evaluation_report({}, [])).text
    assert "Evaluation" in text
    assert "trivial guess needs no learning" not in text


def test_equal_results_give_equal_bytes() -> None:
    assert evaluation_report(result(), [("a", PNG)]) == evaluation_report(result(), [("a", PNG)])
