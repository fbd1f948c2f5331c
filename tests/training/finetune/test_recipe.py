import ast

import pytest

from x25.training.finetune import recipe as module
from x25.training.finetune.recipe import Recipe, script

RECIPE = Recipe(base_model="unsloth/Llama-3.2-3B-Instruct", name="acme-1")


@pytest.mark.parametrize("backend", ["unsloth", "peft"])
def test_a_script_is_python_that_names_base_model_settings_memory_and_time(backend):
    text = script(RECIPE, backend)
    compile(text, "train.py", "exec")
    assert f'BACKEND = "{backend}"' in text
    settings = ("'lora_rank': 16", "'learning_rate': 0.0002", "'max_seq_length': 2048")
    for said in (
        "unsloth/Llama-3.2-3B-Instruct",
        "about 8 GB of GPU memory",
        "about 45 minutes on a T4",
        *settings,
    ):
        assert said in text, said


@pytest.mark.parametrize("backend", ["unsloth", "peft"])
def test_the_settings_in_a_script_are_those_of_the_recipe(backend):
    tree = ast.parse(script(RECIPE, backend))
    (found,) = [
        node
        for node in tree.body
        if isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "SETTINGS"
    ]
    assert ast.literal_eval(found.value) == RECIPE.to_dict()


def test_both_scripts_differ_in_the_back_end_alone():
    assert script(RECIPE, "unsloth").replace('"unsloth"\nSETTINGS', '"peft"\nSETTINGS') == script(
        RECIPE, "peft"
    )


def test_a_name_that_could_end_a_text_stays_a_name():
    hostile = Recipe(base_model="x", name="\"'''\"\"\"\\\n__import__('os')")
    tree = ast.parse(script(hostile, "peft"))
    assert not [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "__import__"
    ]


def test_a_template_without_its_places_is_refused(monkeypatch, tmp_path):
    (tmp_path / "train.py").write_text("print()")
    monkeypatch.setattr(module, "TEMPLATE", tmp_path / "train.py")
    with pytest.raises(ValueError, match="the template must hold"):
        script(RECIPE, "peft")
