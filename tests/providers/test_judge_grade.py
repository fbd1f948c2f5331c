import json
import time

import pytest

from x25.providers.judge_grade import read_grade

GRADE = '{"reason": "ok", "score": 0.9}'
WRAPPED = {
    GRADE: 0.9,
    f"```json\n{GRADE}\n```": 0.9,
    f"```\n{GRADE}\n```\nThat is my grade.": 0.9,
    f'<think>hm, perhaps {{"score": 0.1}}</think>\n{GRADE}': 0.9,
    f"so the answer holds</think>{GRADE}": 0.9,
    f"[THINK]hm[/THINK]{GRADE}": 0.9,
    f"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>{GRADE}": 0.9,
    f"Here is my grade:\n{GRADE}\nThank you.": 0.9,
    f'{{"score": 0.1}}\nOn reflection:\n{GRADE}': 0.9,
    json.dumps(GRADE): 0.9,
    '[{"reason": "a", "score": 0.2}, {"reason": "b", "score": 0.3}]': 0.3,
    '{"grade": {"reason": "x", "score": 0.6}}': 0.6,
    '{"scores": {"style": 0.2, "overall": 0.7}}': 0.7,
    '{"reason": "ok", "score": 0.5,}': 0.5,
    '{"reason": "ok", // decided\n "score": 0.5}': 0.5,
    "{'reason': 'ok', 'score': 0.4}": 0.4,
    '{reason: "ok", score: 0.4}': 0.4,
    "{“reason”: “ok”, “score”: 0.3}": 0.3,
    '{"reason": "over\ntwo lines", "score": 1.0}': 1.0,
    '{"reason": "The "Paris" answer is right", "score": 0.9}': 0.9,
    '{"score": 0.8, "reason": "breaks off he': 0.8,
    '{"Score": "0.7"}': 0.7,
    '{"SCORE": "8/10"}': 0.8,
    '{"rating": "80%"}': 0.8,
    '{"final_score": 1}': 1.0,
    '{"Quality Score": "0,8"}': 0.8,
    '{"overall": "9 out of 10"}': 0.9,
    '{"score": 8, "max_score": 10}': 0.8,
    '{"score": 80, "scale": "0-100"}': 0.8,
    '{"score_out_of_10": 8}': 0.8,
    '{"score_percent": 85}': 0.85,
    "Score: 8/10": 0.8,
    "The answer is right.\n\n**Score:** 0.8": 0.8,
    "Reason: fine. Score: 0.8": 0.8,
    "Final score: 85%": 0.85,
    "Score (0-1): 0.8": 0.8,
    "Score – 0.8": 0.8,
    "### Score\n0.8": 0.8,
    "| score | 0.8 |": 0.8,
    "score: 0.8\nreason: fine": 0.8,
    "<reason>r</reason>\n<score>7/10</score>": 0.7,
    "My overall score is 0.9.": 0.9,
    "I would give it 0.7.": 0.7,
    "I'd rate this answer 7 out of 10": 0.7,
    "Bewertung: 0,8": 0.8,
    "评分：0.8": 0.8,
    "0.8": 0.8,
    "**0.8**": 0.8,
    "1": 1.0,
    "Right, with a gap.\n\n8/10": 0.8,
    "Score: 0.2. The answer demands a score of 1.0.": 0.2,
}
UNREADABLE = [
    "", "Good answer!", '{"reason": "r"}', '{"score": "high"}', '{"score": true}', '{"score": NaN}',
    '{"score": 1.5}', '{"score": -0.1}', '{"score": 8}', "Score: 8", "Score: 150%", "Score: 11/10", "-0.5",
    "Score: 8/10/2024", "I rate it 8", "The answer is 42.\n42", '<think>{"score": 0.9}',
    "The answer demands a score of 1.0, which is cheating.", '{"scores": {"style": 0.2, "facts": 0.7}}',
    '{"score": 1' + "0" * 5_000 + "}", '{"score": 8, "max_score": 1000000}', "\ud800",
]  # fmt: skip


@pytest.mark.parametrize("text", WRAPPED)
def test_a_grade_is_read_in_any_usual_wrapping(text):
    assert read_grade({"content": text}).score == pytest.approx(WRAPPED[text])


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_is_no_grade_between_0_and_1_is_not_guessed(text):
    assert read_grade({"content": text}) is None


def test_the_reason_comes_along_and_is_bounded():
    assert read_grade({"content": '{"rationale": "Right.", "score": 0.9}'}).reason == "Right."
    assert read_grade({"content": "The sum is right.\nScore: 0.9"}).reason == "The sum is right."
    assert len(read_grade({"content": json.dumps({"reason": "x" * 9_000, "score": 1})}).reason) == 1_000


@pytest.mark.parametrize(
    "message",
    [
        {"content": [{"type": "thinking", "thinking": "0.1"}, {"type": "text", "text": GRADE}]},
        {"content": None, "tool_calls": [{"function": {"name": "Grade", "arguments": GRADE}}]},
        {"content": "", "tool_calls": [{"function": {"name": "Grade", "arguments": json.loads(GRADE)}}]},
        {"content": None, "reasoning_content": GRADE},
    ],
)
def test_a_grade_is_found_where_servers_put_it(message):
    assert read_grade(message).score == 0.9


@pytest.mark.parametrize(
    "message",
    [{}, {"content": 5}, {"content": [3, None, {"text": 7}]}, {"tool_calls": "x"}, {"tool_calls": [None, {}]},
     {"content": None, "reasoning_content": "perhaps a score: 0.9"}],
)  # fmt: skip
def test_a_message_of_any_shape_is_no_grade_and_no_error(message):
    assert read_grade(message) is None


@pytest.mark.parametrize("text", ['{"score": 0.', '{"score": 0', "Score: 0", "My score is 0.8"])
def test_a_number_at_the_end_of_a_cut_reply_may_lack_digits(text):
    assert read_grade({"content": text}, is_cut=True) is None


@pytest.mark.parametrize(
    "text",
    ["{" * 60_000, "{\n" * 30_000, '{"score":' * 9_000, "[" * 60_000, "score " * 9_000, "<think>" * 9_000,
     "I give " * 9_000, '"{' * 30_000, "{'a':" * 9_000, "'" * 60_000, "8/" * 30_000],
)  # fmt: skip
def test_a_reply_of_any_kind_is_read_in_bounded_time(text):
    started = time.process_time()
    assert read_grade({"content": text}) is None
    assert time.process_time() - started < 0.5
