"""The best of the judged checkpoints, by the history alone."""

from argan.runs.best import best_images

KID, DEPTH = "judged/kid", "judged/ordinal_accuracy"


def test_each_measure_has_its_best_and_the_earliest_of_equals() -> None:
    history = [
        {"images_seen": 100, KID: 50.0, DEPTH: 0.1},
        {"images_seen": 200},
        {"images_seen": 300, KID: 20.0, DEPTH: 0.4},
        {"images_seen": 400, KID: 20.0, DEPTH: 0.6},
        {"images_seen": 500, KID: None, DEPTH: 0.5},
    ]
    assert best_images(history) == {"best-kid": 300, "best-depth": 400}


def test_what_was_never_judged_has_no_best() -> None:
    history = [{"images_seen": 100, KID: 50.0}]
    assert best_images(history) == {"best-kid": 100}
    assert best_images([]) == {}
