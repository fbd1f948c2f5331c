from x25.routing.prompt.cues import CUES, cue_hits


def test_there_is_one_hit_or_miss_a_cue():
    assert len(cue_hits("")) == len(CUES)
    assert not any(cue_hits(""))


def test_a_cue_is_found_at_both_ends_of_a_text_and_not_in_its_middle():
    passage = "The tram line was discussed for hours. " * 40
    cue = "Summarize the article."
    plain = cue_hits(passage)
    assert cue_hits(f"{cue}\n{passage}") == cue_hits(f"{passage}\n{cue}") != plain
    assert cue_hits(f"{passage}\n{cue}\n{passage}") == plain


def test_capitals_make_no_difference():
    assert cue_hits("SUMMARIZE THIS") == cue_hits("summarize this")
