import pytest

from x25.routing.classifier import LEAST_CONFIDENCE, classify
from x25.routing.features import extract
from x25.state.errors import InvalidRequest
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


@pytest.mark.parametrize("task_type", TASK_TYPES)
def test_obvious_prompts_of_each_type_are_recognised(task_type):
    wrong = {
        prompt[:60]: got
        for prompt in PROMPTS[task_type]
        if (got := classify(features_of(prompt), None).task_type) != task_type
    }
    assert len(wrong) <= 0.15 * len(PROMPTS[task_type]), wrong


def test_probabilities_sum_to_one_and_confidence_is_the_largest():
    estimate = classify(features_of("Compose a haiku about autumn."), None)
    assert sum(estimate.probs.values()) == pytest.approx(1.0)
    assert set(estimate.probs) == set(TASK_TYPES)
    assert estimate.confidence == max(estimate.probs.values())
    assert estimate.source == "classifier"


def test_an_unsure_prompt_keeps_its_likeliest_type_and_goes_to_the_general_cell():
    estimate = classify(features_of("blue"), None)
    assert estimate.confidence < LEAST_CONFIDENCE
    assert estimate.task_type in TASK_TYPES
    assert estimate.task_cell == "general"


def test_a_hint_wins_over_the_text():
    estimate = classify(features_of("Compose a haiku about autumn."), "code")
    assert (estimate.task_type, estimate.task_cell, estimate.confidence) == ("code", "code", 1.0)
    assert estimate.source == "hint"
    assert max(estimate.probs, key=estimate.probs.get) == "creative"


def test_the_hint_general_is_echoed():
    estimate = classify(features_of("What is 2+2?"), "general")
    assert (estimate.task_type, estimate.task_cell) == ("general", "general")


def test_an_unknown_hint_is_refused_and_the_allowed_ones_are_named():
    with pytest.raises(InvalidRequest, match=r"summary, code, .* general, got 'maths'") as caught:
        classify(features_of("x"), "maths")
    assert caught.value.field == "hint"
