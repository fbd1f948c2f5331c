from x25.training.near import topics


def test_no_list_names_a_thing_twice():
    for name in ("BASES", "COUNTRIES", "CITIES", "PEOPLE", "LANGUAGES", "ACTIONS", "THINGS", "FOODS"):
        found = getattr(topics, name)
        assert len(found) == len(set(found)) >= 10
