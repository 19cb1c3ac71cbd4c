"""What the server of `learn` saves of a notebook that was only opened; the browser's test does it whole."""

import json
from copy import deepcopy
from pathlib import Path

from traitlets.utils.importstring import import_item

from mlm_mini import course
from mlm_mini.course.notebook import METADATA


def test_the_configuration_names_the_hook_and_it_drops_the_version_alone():
    configuration = json.loads((Path(course.__file__).parent / "jupyter" / "jupyter_server_config.json").read_text())
    hook = import_item(configuration["ContentsManager"]["pre_save_hook"])
    opened = deepcopy(METADATA)
    opened["language_info"]["version"] = "3.11.7"
    model = {"type": "notebook", "content": {"metadata": opened, "cells": []}}
    hook(model=model, path="a.ipynb", contents_manager=None)
    assert model["content"]["metadata"] == METADATA


def test_other_files_and_bare_notebooks_are_left_alone():
    hook = import_item("mlm_mini.course.saving.drop_python_version")
    for model in ({"type": "file", "content": "text"}, {"type": "notebook", "content": {"metadata": {}}}):
        before = deepcopy(model)
        hook(model=model, path="a", contents_manager=None)
        assert model == before
