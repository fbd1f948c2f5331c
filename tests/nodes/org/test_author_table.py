import hashlib

from x25.nodes.org import author_table
from x25.nodes.org.author_table import AuthorTable
from x25.routing.plan.affinity import Author

GIANT, TINY = Author("acme/giant", "frontier"), Author("acme/tiny", "slm")


def test_the_newest_author_of_a_digest_is_the_one_that_counts():
    table = AuthorTable(64)
    table.put(b"one digest", GIANT)
    table.put(b"one digest", TINY)
    table.put(b"another digest", GIANT)
    assert table.get(b"one digest") == TINY
    assert table.get(b"another digest") == GIANT
    assert table.get(b"a third digest") is None
    assert table.get(bytes(16)) is None


def test_of_the_newest_half_nearly_all_are_known_and_the_table_does_not_grow():
    table = AuthorTable(4096)
    digests = [hashlib.sha256(bytes([0, *divmod(number, 256)])).digest() for number in range(20_000)]
    for number, digest in enumerate(digests):
        table.put(digest, GIANT if number % 2 else TINY)
    newest = range(len(digests) - 2048, len(digests))
    known = [table.get(digests[number]) == (GIANT if number % 2 else TINY) for number in newest]
    assert sum(known) / len(known) > 0.8
    assert not any(table.get(digest) for digest in digests[:5000])


def test_more_models_than_there_are_numbers_for_begin_a_new_table(monkeypatch):
    monkeypatch.setattr(author_table, "_MOST_AUTHORS", 2)
    table = AuthorTable(64)
    for number in range(3):
        table.put(bytes([number + 1] * 16), Author(f"acme/{number}", "mid"))
    assert table.get(bytes([1] * 16)) is None
    assert table.get(bytes([3] * 16)) == Author("acme/2", "mid")
