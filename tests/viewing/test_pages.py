"""Pages: one file that loads nothing, escapes everything, and says the same in the same bytes."""

import numpy as np
import pytest
from page_reading import read

from argan.viewing.charts import line_chart
from argan.viewing.numbers import duration, number, percent
from argan.viewing.pages import (
    Bar,
    Chart,
    Command,
    Details,
    Entry,
    Explorer,
    Facts,
    Gallery,
    Panel,
    Picture,
    Prose,
    Section,
    Table,
    page,
    settings_table,
)
from argan.viewing.pictures import png_bytes

PNG = png_bytes(np.zeros((3, 5, 3), dtype=np.uint8))
EVIL = "\"><script>alert('x')</script>&amp;"


def everything(text: str) -> str:
    """A page with a block of each kind, and `text` wherever text may stand."""
    figures = (
        Picture(PNG, text, text),
        Chart(line_chart(text, text, {text: ([0, 1], [1, 2])}, y_label=text), text, text),
    )
    cells = ((text, Bar(0.4, text, text, text)), (Entry(text, 1.0, "there"), Entry(text, None)))
    table = Table((text, "bar"), cells, sortable=True)
    panel = Panel("there", text, text, (Prose(text),), figures[0])
    blocks = (
        Prose(text),
        Command(text),
        Facts(((text, text),)),
        table,
        Gallery(figures),
        Details(text, (Prose(text), table)),
        Explorer(Chart("<svg></svg>", text, text, marks_are_links=True), (panel,), "there"),
    )
    return page(text, text, [Section(text, (*blocks, *figures)), Section("", (Prose(text),))])


def test_a_page_is_well_formed_and_asks_the_network_for_nothing() -> None:
    reading = read(everything("plain"))
    assert all(load.startswith(("data:", "#")) for load in reading.loads), reading.loads
    assert not {"script", "iframe", "object", "embed"} & set(reading.tags)
    assert {"table", "figure", "svg", "img", "details", "pre", "dl"} <= set(reading.tags)


def test_the_page_forbids_what_it_does_not_need() -> None:
    assert "default-src 'none'; img-src data:; style-src 'unsafe-inline'" in everything("plain")


def test_text_is_text_wherever_it_stands() -> None:
    plain, evil = read(everything("plain")), read(everything(EVIL))
    assert evil.tags == plain.tags
    assert evil.text.count(EVIL) == plain.text.count("plain")
    assert evil.images[0]["alt"] == EVIL


def test_a_picture_keeps_its_place_while_it_loads() -> None:
    image = read(page("t", "", [Section("", (Picture(PNG, "alt"),))])).images[0]
    assert (image["width"], image["height"], image["alt"]) == ("5", "3", "alt")


def test_equal_blocks_give_equal_bytes() -> None:
    assert everything("plain") == everything("plain")


def test_a_command_can_be_copied_as_it_is() -> None:
    command = "python jobs/train.py --data s3://a/b  --out 'x y'"
    html = page("t", "", [Section("", (Command(command),))])
    code = html[html.index("<code>") : html.index("</code>")]
    assert (
        "".join(code.replace("<span>", "").replace("</span>", "").removeprefix("<code>")).replace("&#39;", "'")
        == command
    )


@pytest.mark.parametrize(
    ("share", "filled"), [(0.25, 25), (0.0, 0), (-0.5, 0), (1.5, 100), (float("nan"), 0), (float("inf"), 100)]
)
def test_a_bar_stays_between_its_ends(share: float, filled: float) -> None:
    assert Bar(share, "").filled_percent == filled


def test_nested_settings_become_dotted_keys() -> None:
    table = settings_table({"resolution": 32, "generator": {"channels": [64, 32], "deep": {"on": True}}, "off": None})
    assert table.rows == (
        ("resolution", "32"),
        ("generator.channels", "64, 32"),
        ("generator.deep.on", "True"),
        ("off", "-"),
    )


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "-"),
        (3, "3"),
        (200_000, "200,000"),
        (200_000.0, "200,000"),
        (0.000123456, "0.0001235"),
        (999.96, "1,000"),
        (1_234.5, "1,234"),
        (9_999.6, "10,000"),
        (-2_345.6, "-2,346"),
        (12_345.6, "12,346"),
        (float("nan"), "not finite (nan)"),
        (float("-inf"), "not finite (-inf)"),
        ("s3://a", "s3://a"),
        (False, "False"),
    ],
)
def test_numbers_as_people_read_them(value: object, words: str) -> None:
    assert number(value) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.6, "1 min 00 s"),
        (750, "12 min 30 s"),
        (3599.7, "1 h 00 min"),
        (7500, "2 h 05 min"),
        (273_600, "3 d 4 h"),
        (float("inf"), "not finite (inf)"),
    ],
)
def test_durations_as_people_say_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_percent() -> None:
    assert percent(0.4213).split() == ["42.1", "%"]
    assert percent(float("nan")) == "not finite (nan)"
