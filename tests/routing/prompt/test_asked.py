from x25.routing.prompt.asked import asked_text


def test_instructions_and_the_newest_three_user_messages_are_what_was_asked():
    said = [("system", "Be brief."), ("developer", "In German."), ("user", "one"), ("user", "two"),
            ("assistant", "answer"), ("user", "three"), ("tool", "22 °C"), ("user", "four")]  # fmt: skip
    messages = [{"role": role, "content": text} for role, text in said]
    assert asked_text(messages) == "Be brief.\nIn German.\ntwo\nthree\nfour"
    assert asked_text([]) == "\n"


def test_long_texts_are_bounded():
    messages = [{"role": role, "content": role * 90_000} for role in ("system", "user")]
    assert len(asked_text(messages)) == 2 * 8_000 + 1
