"""Conversations before vendors that charge a tenth for what they have read: two alike, each with a cache of its own."""

import json
from itertools import pairwise

import pytest

from x25.graph.run import open_cascade
from x25.graph.settings import Settings
from x25.nodes.org.prompt_caches import PromptCacheBook

pytestmark = pytest.mark.slow

MODELS = {"acme/one": 1.0, "bravo/two": 1.0}
BACKGROUND = "Some background that every turn of the conversation is about. " * 400
CONVERSATIONS, TURNS = 12, 8
PRICES = {"output_usd_per_mtok": 4.0, "cached_input_usd_per_mtok": 0.1}


class Cache:
    """Answers any model, and counts what it has read of the beginning of a prompt before."""

    def __init__(self):
        self.read = set()

    def __call__(self, body):
        words = [message["content"] for message in body["messages"]]
        known = max((n for n in range(len(words)) if (body["model"], *words[:n]) in self.read), default=0)
        self.read |= {(body["model"], *words[: n + 1]) for n in range(len(words))}
        prompt, cached = (sum(len(text) // 4 for text in some) for some in (words, words[:known]))
        usage = {
            "prompt_tokens": prompt,
            "completion_tokens": 20,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        said = {"role": "assistant", "content": f"Answer number {len(words)}, by {body['model']}."}
        choice = {"message": said, "finish_reason": "stop"}
        return 200, {}, json.dumps({"choices": [choice], "usage": usage}).encode()


@pytest.fixture
def settings(vendor, tmp_path):
    vendor.answer = Cache()
    folder = tmp_path / "models"
    folder.mkdir()
    for name, dollars in MODELS.items():
        prices = PRICES | {"input_usd_per_mtok": dollars}
        file = {"model_id": name, "tier": "mid", "prices": prices, "base_url": vendor.url}
        (folder / f"{name.replace('/', '-')}.yaml").write_text(json.dumps(file))
    return Settings(
        data_dir=tmp_path / "data",
        upstream="real",
        models_dir=str(folder),
        judge="none",
        seed=3,
        auto_train=False,
    )


async def talk(settings):
    """Return what all conversations cost, and how often a turn went to another model than the one before."""
    cost, switches = 0.0, 0
    async with open_cascade(settings) as cascade:
        for number in range(CONVERSATIONS):
            messages, authors = [{"role": "system", "content": f"{number}. {BACKGROUND}"}], []
            for turn in range(TURNS):
                messages.append({"role": "user", "content": f"Question {turn} of conversation {number}?"})
                reply = await cascade.route({"messages": messages})
                messages.append(reply["message"])
                authors.append(reply["model_used"])
                cost += reply["cost_usd"]
            switches += sum(one != other for one, other in pairwise(authors))
    return cost, switches


async def test_whoever_has_read_the_conversation_goes_on_with_it(settings, vendor, monkeypatch, tmp_path):
    cost, switches = await talk(settings)
    vendor.answer = Cache()
    monkeypatch.setattr(PromptCacheBook, "share", lambda *_: 0.0)
    blind_cost, blind_switches = await talk(settings.model_copy(update={"data_dir": tmp_path / "blind"}))
    told = f"switches {switches} against {blind_switches}, dollars {cost:.4f} against {blind_cost:.4f}"
    assert switches < blind_switches / 2, told
    assert cost < 0.8 * blind_cost, told
