"""LlamaIndex: OpenAILike, chat, stream and a structured answer."""

import json
import os
from importlib.metadata import version

from llama_index.core.llms import ChatMessage
from llama_index.llms.openai_like import OpenAILike

llm = OpenAILike(
    model="auto",
    api_base=os.environ["OPENAI_BASE_URL"],
    api_key=os.environ["OPENAI_API_KEY"],
    is_chat_model=True,
    is_function_calling_model=True,
)
assert llm.complete("Say hello.").text
assert llm.chat([ChatMessage(role="user", content="Say hello.")]).message.content
assert "".join(
    piece.delta or "" for piece in llm.stream_chat([ChatMessage(role="user", content="Say hello.")])
)
print(json.dumps({"llama-index-llms-openai-like": version("llama-index-llms-openai-like")}))
