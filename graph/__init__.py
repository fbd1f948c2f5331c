"""The picture of the cascade, and the one place where things are constructed."""

import os

# Read by the serializer when langgraph is first imported: with it a stored row can never name a class to rebuild.
os.environ.setdefault("LANGGRAPH_STRICT_MSGPACK", "true")
