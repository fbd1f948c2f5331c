from collections import Counter
from pathlib import Path

import pytest
import yaml

from x25.state.errors import ConfigError
from x25.training.finetune import personal_data
from x25.training.finetune.personal_data import KINDS, missing_libraries, redacted, require_libraries

HERE = Path(__file__).parent


def measured(name: str) -> tuple[Counter, Counter, list[str]]:
    """Return how many pieces of each kind were found and there are, and the clean texts that were changed."""
    found, there, changed = Counter(), Counter(), []
    for case in yaml.safe_load((HERE / name).read_text()):
        text, counted = redacted(case["text"])
        for kind, pieces in case.get("holds", {}).items():
            there[kind] += len(pieces)
            found[kind] += sum(piece not in text for piece in pieces)
        if "holds" not in case and counted:
            changed.append(case["text"])
    return found, there, changed


def shown(found: Counter, there: Counter) -> str:
    return ", ".join(f"{kind} {found[kind]}/{there[kind]}" for kind in there)


def test_on_the_texts_it_was_mended_on_every_piece_is_found_and_nothing_else_touched():
    found, there, changed = measured("personal_data.yaml")
    print(f"\n{shown(found, there)}; clean texts changed: {changed}")  # noqa: T201 - the figures, for -s
    pieces = [kind for kind in there if kind in KINDS]
    assert sum(found[kind] for kind in pieces) >= 0.95 * sum(there[kind] for kind in pieces)
    assert changed == []


def test_on_texts_it_was_not_written_for_four_pieces_of_five_are_found_and_nothing_else_touched():
    found, there, changed = measured("unseen_data.yaml")
    print(f"\n{shown(found, there)}; clean texts changed: {changed}")  # noqa: T201 - as above
    assert found.total() >= 0.8 * there.total()
    assert changed == []


def test_names_and_addresses_are_not_found_and_the_module_says_so():
    found, there, _ = measured("personal_data.yaml")
    assert (found["name"], found["address"]) == (0, 0)
    assert min(there["name"], there["address"]) > 0
    assert "postal addresses are not found" in " ".join(personal_data.__doc__.split())


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Card 4111 1111 1111 1112", "Card 4111 1111 1111 1112"),  # its check digit is wrong
        ("DE89 3704 0044 0532 0130 01", "DE89 3704 0044 0532 0130 01"),
        ("0000 0000 0000 0000", "0000 0000 0000 0000"),
        ("", ""),
        ("a" * 20_000, "a" * 20_000),
        ("\ud800 \x00 joe@example.com", "\ud800 \x00 [email]"),
    ],
)
def test_what_is_no_number_of_its_kind_stays(text, kept):
    assert redacted(text)[0] == kept


def test_pieces_are_counted_by_kind_and_what_one_kind_took_no_other_sees():
    text, counted = redacted(
        "sk-proj-abcdefghijklmnopqrstuvwxyz, a@example.com, a@example.com, +1 415-555-0134"
    )
    assert text == "[secret], [email], [email], [phone]"
    assert counted == {"secret": 1, "email": 2, "phone": 1}


def test_without_the_libraries_it_says_what_to_install(monkeypatch):
    assert missing_libraries() == []
    monkeypatch.setattr(personal_data, "LIBRARIES", ("stdnum", "no_such_library"))
    with pytest.raises(ConfigError, match=r"no_such_library not installed; pip install 'x25\[finetune\]'"):
        require_libraries()
