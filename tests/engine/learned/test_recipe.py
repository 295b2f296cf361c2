"""Recipes as people write them."""

from __future__ import annotations

import pytest

import resources
from engine.errors import EngineError
from engine.learned.recipe import read_recipe, recipe_of


def test_the_recipe_that_comes_with_us_is_valid():
    from importlib.resources import as_file, files

    with as_file(files(resources) / "recipes" / "hyperprior.toml") as path:
        recipe = read_recipe(path)
    assert recipe_of(recipe.to_dict()) == recipe


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[model", "not valid TOML"),
        ("[modle]\n", "modle"),
        ("[training]\nbtach = 8\n", "btach"),
        ("[training]\nbatch = 'many'\n", "training.batch"),
        ("[model]\nslices = [16, 40]\n", "288"),
        ("[model]\nsynthesis_widths = [64]\n", "three"),
        ("[rate]\nlambda_low = 1.0\n", "lambda_low"),
    ],
)
def test_a_wrong_recipe_is_named_with_the_reason(tmp_path, text, says):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(EngineError, match=says) as caught:
        read_recipe(path)
    assert caught.value.path == path


def test_a_missing_recipe_is_a_plain_error(tmp_path):
    with pytest.raises(EngineError, match="cannot be read"):
        read_recipe(tmp_path / "none.toml")
