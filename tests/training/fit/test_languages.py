import numpy as np

from x25.training.fit.languages import MULTILINGUAL, TARGET, advice, compare, main, read_pairs
from x25.training.fit.predictor import load_predictor


class Graded:
    """A predictor that knows the order of the list, in the languages it reads."""

    def __init__(self, reads_chinese):
        self._order = {}
        for place, pair in enumerate(read_pairs()):
            self._order[pair.en] = place
            self._order[pair.zh] = place if reads_chinese else (place * 7) % 11
        self.asked = []

    def difficulty(self, prompt):
        self.asked.append(prompt)
        return float(self._order[prompt])


def test_every_prompt_has_a_translation():
    pairs = read_pairs()
    assert len(pairs) == 30
    assert len({pair.en for pair in pairs}) == len({pair.zh for pair in pairs}) == 30
    assert all(pair.en.isascii() for pair in pairs)
    assert all(any("\u4e00" <= char <= "\u9fff" for char in pair.zh) for pair in pairs)


def test_a_model_that_reads_both_languages_reaches_the_target():
    predictor = Graded(reads_chinese=True)
    report = compare(predictor)
    assert len(predictor.asked) == 60
    assert (report["rank_correlation"], report["gap"], report["advice"]) == (1.0, 0.0, None)
    assert report["graded"] == {"en": 1.0, "zh": 1.0}


def test_a_model_that_does_not_is_told_what_to_set_and_to_fit_again():
    report = compare(Graded(reads_chinese=False))
    assert report["rank_correlation"] < TARGET
    assert report["gap"] == np.round(TARGET - report["rank_correlation"], 4)
    assert f"X25_ENCODER={MULTILINGUAL}" in report["advice"]
    assert "embeddings API" in report["advice"]
    assert "x25 train --dataset KIND:PATH --encoder" in report["advice"]


def test_the_bundled_encoder_is_compared_and_its_gap_stated(capsys):
    report = compare(load_predictor())
    assert report["pairs"] == 30
    assert report["graded"]["en"] > 0.4
    assert (report["advice"] is None) == (report["gap"] == 0.0)
    main([])
    printed = capsys.readouterr().out
    assert "30 prompts, rank correlation English to Chinese" in printed
    assert ("X25_ENCODER" in printed) == (report["gap"] > 0.0)


def test_the_advice_says_how_far_it_falls_short():
    assert "rank correlation 0.25, 0.45 short of 0.7" in advice(0.25)
