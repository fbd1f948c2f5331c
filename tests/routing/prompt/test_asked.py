from x25.routing.prompt.asked import asked_text, conversation_of


def test_instructions_and_the_newest_three_user_messages_are_what_was_asked():
    said = [("system", "Be brief."), ("developer", "In German."), ("user", "one"), ("user", "two"),
            ("assistant", "answer"), ("user", "three"), ("tool", "22 °C"), ("user", "four")]  # fmt: skip
    messages = [{"role": role, "content": text} for role, text in said]
    assert asked_text(messages) == "Be brief.\nIn German.\ntwo\nthree\nfour"
    assert asked_text([]) == "\n"


def test_long_texts_are_bounded():
    messages = [{"role": role, "content": role * 90_000} for role in ("system", "user")]
    assert len(asked_text(messages)) == 2 * 8_000 + 1


def test_a_conversation_is_what_others_than_the_operator_said():
    system, developer = {"role": "system", "content": "s"}, {"role": "developer", "content": "d"}
    said = [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "b"},
        {"role": "tool", "content": "c"},
    ]
    assert conversation_of([system, developer, *said]) == said
    assert conversation_of([system]) == [system]
    assert conversation_of([]) == []
