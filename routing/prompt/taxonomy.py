"""Kinds of work, and where each stands among the seven task types and the eight request types.

| kind           | task type      | request type          | is asked to                                          |
|----------------|----------------|-----------------------|------------------------------------------------------|
| summary        | summary        | general               | tell a given text again, shorter                     |
| translation    | summary        | general               | tell a given text again in another language          |
| creative       | creative       | creative              | make something up                                    |
| classification | classification | general               | choose a label for a given text                      |
| extraction     | extraction     | structured_extraction | take what a given text says and put it into a form   |
| tool_calling   | extraction     | tool_calling          | take arguments out of words and call something       |
| code           | code           | code                  | write, read or repair a program                      |
| sql            | code           | sql                   | write, read or repair a query of a relational table  |
| qa             | qa             | factual_qa            | answer from knowledge or from a given text           |
| general_chat   | qa             | general               | chat                                                 |
| reasoning      | reasoning      | reasoning             | work something out                                   |
"""

from typing import Literal, get_args

from ...state.types import TaskType

Kind = Literal[
    "summary", "creative", "classification", "extraction", "sql", "translation", "tool_calling", "code", "qa",
    "reasoning", "general_chat",
]  # fmt: skip
EightType = Literal[
    "code", "factual_qa", "creative", "structured_extraction", "tool_calling", "sql", "reasoning", "general"
]

KINDS: tuple[Kind, ...] = get_args(Kind)
EIGHT_TYPES: tuple[EightType, ...] = get_args(EightType)
KIND_TO_TASK: dict[Kind, TaskType] = {
    "summary": "summary",
    "creative": "creative",
    "classification": "classification",
    "extraction": "extraction",
    "sql": "code",
    "translation": "summary",  # a given text is told again, its meaning kept
    "tool_calling": "extraction",  # arguments are taken out of words and put into a schema
    "code": "code",
    "qa": "qa",
    "reasoning": "reasoning",
    "general_chat": "qa",  # a short answer from general knowledge
}
"""Each kind's place among x25's seven task types."""
SEVEN_TO_EIGHT: dict[TaskType, EightType] = {
    "summary": "general",
    "code": "code",
    "classification": "general",
    "extraction": "structured_extraction",
    "qa": "factual_qa",
    "reasoning": "reasoning",
    "creative": "creative",
}
"""The nearest of the eight request types when only the task type is known."""
KIND_TO_EIGHT: dict[Kind, EightType] = {
    **{kind: SEVEN_TO_EIGHT[task_type] for kind, task_type in KIND_TO_TASK.items()},
    "sql": "sql",
    "tool_calling": "tool_calling",
    "general_chat": "general",
}
"""Each kind's place among the eight request types, three of which the seven do not tell apart."""
