import json
from pathlib import Path

import numpy as np
import pytest

import x25
from x25.providers.embeddings import BUNDLED_FOLDER, StaticEncoder
from x25.routing.prompt.classifier import LEAST_CONFIDENCE, TaskClassifier
from x25.routing.prompt.cues import CUES
from x25.routing.prompt.features import FEATURE_NAMES, extract
from x25.routing.prompt.taxonomy import EIGHT_TYPES, KIND_TO_EIGHT, KINDS
from x25.state.errors import ConfigError, InvalidRequest
from x25.state.types import TASK_TYPES

ARTICLE = (
    "The city council met on Tuesday to discuss the new tram line. Residents worried about noise, while shop "
    "owners hoped for more visitors. After three hours the council voted nine to four in favour of the plan. "
) * 3

PROMPTS = {
    "summary": (
        f"Summarize the following article:\n\n{ARTICLE}",
        f"Give me a short summary of this text.\n{ARTICLE}",
        f"TL;DR please:\n{ARTICLE}",
        f"{ARTICLE}\n\nCondense the above into three bullet points.",
        f"What are the key points of this meeting?\n{ARTICLE}",
        f"Boil this report down to one paragraph: {ARTICLE}",
        f"Summarise in under 50 words: {ARTICLE}",
        f"Provide a recap of the news item below.\n\n{ARTICLE}",
        f"Shorten this text to two sentences. {ARTICLE}",
        f"I need the gist of this story: {ARTICLE}",
        f"Write an executive summary of the report.\n{ARTICLE}",
    ),
    "code": (
        "Write a Python function that reverses a linked list.",
        "Fix the bug in this code:\n```python\ndef add(a, b):\n    return a - b\n```",
        "Implement a debounce function in TypeScript.",
        "Write a SQL query that returns the ten customers with the highest revenue.",
        "Why do I get a TypeError here?\n```js\nconst x = null; x.foo();\n```",
        "Refactor this class to use dependency injection:\nclass A { void run() { new B().go(); } }",
        "Write unit tests for a function that parses dates in Java.",
        "Give me a regex that matches IPv4 addresses.",
        "Create a bash script that deletes log files older than 7 days.",
        "What does this function return?\ndef f(n):\n    return [i for i in range(n) if i % 2]\nassert f(4)",
        "Optimize this loop in Rust: for i in 0..v.len() { s += v[i]; }",
    ),
    "classification": (
        "Classify the sentiment of this review as positive, negative or neutral: 'The food was cold.'",
        "Is this email spam or not spam? 'You won a prize, click here!'",
        "Categorize this support ticket: billing, technical or account. 'I was charged twice.'",
        "Which category does this headline belong to: sports, politics, tech? 'Parliament votes on budget'",
        "Label each sentence as fact or opinion.\n1. Water boils at 100 C.\n2. Cats are better than dogs.",
        "What is the intent of this message: refund, complaint or question? 'Where is my parcel?'",
        "Determine whether the following comment is toxic: 'You are a fool.'",
        "Decide if the statement is true or false: 'Whales are fish.' Answer with the label only.",
        "Sentiment of: 'I absolutely love this phone'",
        "Assign one of these labels (urgent, normal, low) to the ticket: 'The server room is on fire.'",
        "Classify this animal: mammal, bird or reptile? Platypus",
    ),
    "extraction": (
        "Extract all email addresses from this text: 'Write to ann@example.org or bob@example.org.'",
        "Pull out the names of people mentioned in: 'Ada met Charles in London.'",
        "Extract the invoice number, date and total as JSON:\nInvoice 4711, 3 May 2024, total 99 EUR",
        "List all dates mentioned in the passage: 'From 1914 to 1918 and again in 1939 …'",
        "Find all named entities in the sentence: 'Apple hired Tim in Cupertino.'",
        "Parse this address into fields: '221B Baker Street, London NW1'",
        "Identify all product names in this text: 'We sell the X100 and the Z9.'",
        "From the email below, extract the order id and the phone number.\nOrder A12, call 555-0100.",
        "Return the key-value pairs in this form as JSON.\nName: Eve\nAge: 33",
        "Pull the ingredients from this recipe: 'Mix flour, two eggs and milk.'",
        "Get the names and dates from this contract: 'Signed by J. Doe on 1 June.'",
    ),
    "qa": (
        "What is the capital of France?",
        "Who wrote Pride and Prejudice?",
        "When did the Berlin Wall fall?",
        "Why is the sky blue?",
        "Which planet is the largest in the solar system?",
        "What is the difference between TCP and UDP?",
        "Where is the Great Barrier Reef?",
        "How does photosynthesis work?",
        "Who was the first person on the moon?",
        "What are the symptoms of the flu?",
        "Which gas do plants absorb?\nA) Oxygen\nB) Carbon dioxide\nC) Helium\nD) Neon",
    ),
    "reasoning": (
        "Solve for x: 3x + 7 = 22.",
        "A train travels 120 km in 1.5 hours. How fast does it go? Think step by step.",
        "Prove that the square root of 2 is irrational.",
        "What is 17 * 23 + 4?",
        "If all bloops are razzies and all razzies are lazzies, are all bloops lazzies? Explain your logic.",
        "Compute the integral $\\int_0^1 x^2 dx$.",
        "Tom has 3 times as many apples as Jane. Together they have 48. How many does each have?",
        "Find the smallest positive integer divisible by all numbers from 1 to 10.",
        "What is the probability of rolling two sixes with two fair dice?",
        "Three boxes are all labelled wrongly. Deduce the contents by drawing one ball.",
        "Calculate the compound interest on $1000 at 5% for 3 years.",
    ),
    "creative": (
        "Write a short story about a lighthouse keeper who befriends a whale.",
        "Compose a haiku about autumn.",
        "Come up with ten slogans for a bakery.",
        "Write a poem in the style of Emily Dickinson.",
        "Brainstorm names for a fantasy kingdom.",
        "Tell me a joke about penguins.",
        "Write the lyrics of a love song about the sea.",
        "Imagine a dialogue between a cat and the moon.",
        "Draft a blog post about the joy of slow travel.",
        "Invent a character for a detective novel.",
        "Write a limerick about a programmer.",
    ),
}


def features_of(prompt, **options):
    return extract([{"role": "user", "content": prompt}], options)


def test_there_are_ten_or_more_prompts_of_each_type():
    assert set(PROMPTS) == set(TASK_TYPES)
    assert min(map(len, PROMPTS.values())) >= 10


DIMENSION = 3
INPUTS = DIMENSION + len(FEATURE_NAMES) + len(CUES)
BUNDLED = Path(x25.__file__).parent / "artifacts" / "classifier.json"


def artifact(**changes):
    """Return a classifier that knows the word "query" for SQL and the first entry of an embedding for chat."""
    coef = np.zeros((INPUTS, len(KINDS)))
    coef[0, KINDS.index("general_chat")] = 1.0
    query = np.zeros(len(KINDS))
    query[KINDS.index("sql")] = 6.0
    return {
        "kinds": list(KINDS),
        "encoder": {"fingerprint": "abc", "dimension": DIMENSION},
        "feature_names": list(FEATURE_NAMES),
        "cues": list(CUES),
        "mean": [0.0] * INPUTS,
        "scale": [1.0] * INPUTS,
        "coef": coef.tolist(),
        "intercept": [0.0] * len(KINDS),
        "temperature": 1.0,
        "wordings": {"query": query.tolist()},
        **changes,
    }


def estimate_of(prompt, embedding=(0.0, 0.0, 0.0), hint=None, **changes):
    return TaskClassifier.from_dict(artifact(**changes)).classify(features_of(prompt), embedding, hint)


def test_a_wording_decides_the_kind_and_the_kind_both_types():
    estimate = estimate_of("Fix this query")
    assert (estimate.task_type, estimate.task_cell, estimate.eight_type) == ("code", "code", "sql")
    assert estimate.eight_probs["sql"] == pytest.approx(np.exp(6) / (np.exp(6) + len(KINDS) - 1))


def test_the_embedding_is_read_and_clipped_at_four_deviations():
    chat = estimate_of("blue", (50.0, 0.0, 0.0))
    assert (chat.task_type, chat.eight_type) == ("qa", "general")
    assert chat.probs == estimate_of("blue", (4.0, 0.0, 0.0)).probs


def test_both_readings_of_the_kinds_sum_to_one():
    estimate = estimate_of("blue")
    assert set(estimate.probs) == set(TASK_TYPES)
    assert set(estimate.eight_probs) == set(EIGHT_TYPES)
    assert sum(estimate.probs.values()) == pytest.approx(1.0)
    assert sum(estimate.eight_probs.values()) == pytest.approx(1.0)


def test_evenly_split_kinds_are_filed_in_the_general_cell():
    estimate = estimate_of("blue")
    assert estimate.confidence < LEAST_CONFIDENCE
    assert estimate.task_cell == "general"


def test_a_higher_temperature_lowers_the_confidence():
    assert estimate_of("a query", temperature=3.0).confidence < estimate_of("a query").confidence


def test_a_hint_wins_and_the_request_type_agrees_with_it():
    said = estimate_of("Fix this query", hint="creative")
    assert (said.task_type, said.task_cell, said.confidence, said.source) == (
        "creative",
        "creative",
        1.0,
        "hint",
    )
    assert said.eight_type == "creative"
    assert max(said.probs, key=said.probs.get) == "code"
    assert estimate_of("Fix this query", hint="code").eight_type == "sql"
    assert estimate_of("Fix this query", hint="general").eight_type == "general"


def test_an_unknown_hint_is_refused_and_the_allowed_ones_are_named():
    with pytest.raises(InvalidRequest, match=r"summary, code, .* general, got 'maths'") as caught:
        estimate_of("x", hint="maths")
    assert caught.value.field == "hint"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kinds": ["sql"]}, "other kinds"),
        ({"feature_names": ["turns"]}, "other feature_names"),
        ({"cues": []}, "other cues"),
        ({"mean": [0.0]}, "shape or range"),
        ({"scale": [0.0] * INPUTS}, "shape or range"),
        ({"temperature": 0.0}, "shape or range"),
        ({"intercept": [float("nan")] * len(KINDS)}, "shape or range"),
        ({"wordings": {"query": [1.0]}}, "shape or range"),
    ],
)
def test_an_artifact_of_another_version_or_shape_is_refused(changes, message):
    with pytest.raises(ConfigError, match=message):
        TaskClassifier.from_dict(artifact(**changes))


def test_a_missing_parameter_is_named():
    broken = artifact()
    del broken["temperature"]
    with pytest.raises(ConfigError, match="lacks temperature"):
        TaskClassifier.from_dict(broken)


def test_another_encoder_is_refused_and_both_dimensions_are_named():
    classifier = TaskClassifier.from_dict(artifact())
    classifier.require_encoder("abc", DIMENSION)
    with pytest.raises(ConfigError, match=r"'abc' of dimension 3, this one is 'xyz' of dimension 384"):
        classifier.require_encoder("xyz", 384)


def test_an_embedding_of_another_dimension_is_refused():
    with pytest.raises(ConfigError, match=r"dimension 3, got \(2,\)"):
        estimate_of("x", (0.0, 0.0))


@pytest.fixture(scope="module")
def bundled():
    return TaskClassifier.from_dict(json.loads(BUNDLED.read_text(encoding="utf-8"))), StaticEncoder(
        BUNDLED_FOLDER
    )


def test_the_bundled_classifier_was_fitted_with_the_bundled_encoder(bundled):
    classifier, encoder = bundled
    classifier.require_encoder(encoder.fingerprint, encoder.dimension)


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_the_bundled_classifier_recognises_obvious_prompts_of_each_type(bundled, task_type):
    classifier, encoder = bundled
    features = list(map(features_of, PROMPTS[task_type]))
    vectors = encoder.embed_many([one.text for one in features])
    said = [classifier.classify(*row, None).task_type for row in zip(features, vectors, strict=True)]
    assert sum(one == task_type for one in said) >= 0.85 * len(said), said


def test_the_bundled_classifier_tells_a_query_and_a_tool_call_from_their_neighbours(bundled):
    classifier, encoder = bundled
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
    asked = {
        "sql": features_of(
            "Write a SQL query for the ten best customers. Table: orders(id, customer_id, total)"
        ),
        "tool_calling": features_of("Will it rain in Ghent tomorrow?", tools=[tool]),
        "code": features_of("Write a Go function that reverses a slice."),
    }
    said = {
        name: classifier.classify(one, encoder.embed_many([one.text])[0], None).eight_type
        for name, one in asked.items()
    }
    assert said == {name: name for name in asked}
    assert set(KIND_TO_EIGHT.values()) >= set(said)
