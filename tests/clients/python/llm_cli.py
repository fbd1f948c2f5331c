"""`llm`, the command line, with a model of extra-openai-models.yaml."""

import json
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

with tempfile.TemporaryDirectory() as folder:
    entry = f"- model_id: x25\n  model_name: auto\n  api_base: {os.environ['OPENAI_BASE_URL']}\n"
    (Path(folder) / "extra-openai-models.yaml").write_text(entry, encoding="utf-8")
    for more in ([], ["--no-stream"]):
        command = [
            sys.executable,
            "-m",
            "llm",
            "-m",
            "x25",
            "--key",
            os.environ["OPENAI_API_KEY"],
            *more,
            "Say hello.",
        ]
        said = subprocess.run(
            command, env={**os.environ, "LLM_USER_PATH": folder}, capture_output=True, text=True, check=True
        )
        assert "Hello" in said.stdout, said
print(json.dumps({"llm": version("llm")}))
