from x25.training.report import method


def test_every_finding_and_every_word_is_explained(report):
    page = method.method(report)
    for written in (*method.FINDINGS.values(), *method.words.GLOSSARY, *method.words.POINT_NAMES.values()):
        assert f"<dt>{written}</dt>" in page, written
    assert method.MEANINGS.keys() == method.FINDINGS.keys()


def test_protocol_and_limits_are_told(report):
    page = method.method(report)
    for written in (
        "Held-out prompts.",
        "Frozen on train.",
        "Bootstrap.",
        "simulated judge",
        "How long calls take",
    ):
        assert written in page, written


def test_the_origin_of_the_figures_is_listed(report):
    page = method.method(report)
    assert "encoder.fingerprint" in page
    assert "abc123" in page
    assert "Where the figures come from" not in method.method(report["panels"])


def test_nested_figures_are_flattened_to_their_leaves():
    assert list(method.flattened({"a": {"b": 1.5, "c": [1, 2]}, "d": "x", "e": None})) == [
        ("a.b", "1.5"), ("a.c", "[1, 2]"), ("d", "x"), ("e", "null"),
    ]  # fmt: skip


def test_a_verifier_is_shown_whatever_was_measured():
    assert "<td" in method.verifier({"sums": {"auc": 0.71}})
    assert "0.71" in method.verifier({"sums": {"auc": 0.71}})
    assert method.verifier(None) is None
    assert method.verifier({}) is None


def test_everything_is_folded_away_part_by_part():
    page = method.everything({"a": {"x": 0.123456789}, "b": {}})
    assert page.count("<details>") == 2
    assert "0.123456789" in page
    assert method.everything({}) is None
