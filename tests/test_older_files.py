"""What older code wrote is still read: a run of the course before November 28, 2026, in tests/data/older_run.

It is a Markov model of width 16, trained for 60 steps by that code. Of its checkpoints the one of step 50 is kept, so
that a run can go on from there and must end with the very weights that stand in the folder.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from mlm_mini.languages import markov_language, train_wordpiece
from mlm_mini.model import MaskedLM, ModelConfig, WordLevel, load_tokenizer, save_pretrained, trained_length
from mlm_mini.training import TrainingConfig, fill, load_folder, measured, train_folder
from mlm_mini.training.cached import read_trained
from mlm_mini.training.checkpoint import load_checkpoint

OLDER_RUN = Path(__file__).parent / "data" / "older_run"
SUMMARY = json.loads((OLDER_RUN / "training.json").read_text())
CONFIG = TrainingConfig.of(**SUMMARY["training"])


@pytest.fixture
def older_run(tmp_path):
    return Path(shutil.copytree(OLDER_RUN, tmp_path / "older_run"))


def test_an_older_folder_is_read(older_run):
    trained = read_trained(older_run, CONFIG)
    assert (trained.floor, trained.curve[-1].step) == (SUMMARY["floor"], 60)
    assert (
        trained.config.to_dict() == {"precision": "float32", "optimizer": "adamw"} | SUMMARY["training"]
    )  # older folders do not say
    masking = trained.config.masking
    assert (masking.mask_ratio, masking.method, masking.split) == (0.3, "fixed", (0.8, 0.1, 0.1))
    assert (masking.heavy_share, masking.heavy_ratio, masking.prediction_ratio) == (0.2, 0.85, None)
    assert trained_length(trained.model) == markov_language().length, "which the folder does not say"
    assert trained_length(load_folder(older_run)[0]) is None
    ((best, *_),) = fill(*load_folder(older_run), "wake [MASK] wash", top=3)
    assert best.token in trained.tokenizer.vocabulary


def test_an_older_model_of_text_was_trained_on_rows_of_64_tokens(tmp_path):
    tokenizer = train_wordpiece(["the bread"], 300)
    shape = ModelConfig.tiny(len(tokenizer.vocabulary))
    save_pretrained(MaskedLM(shape, torch.Generator().manual_seed(0)), tmp_path, tokenizer)
    (tmp_path / "training.json").write_text('{"language": "english", "curve": [], "floor": null}')
    trained = read_trained(tmp_path, CONFIG)
    assert (trained_length(trained.model), trained.floor, trained.curve) == (64, None, [])


def test_an_older_tokenizer_cuts_words_as_todays_does(older_run):
    older, now = load_tokenizer(older_run), WordLevel(markov_language().vocabulary)
    assert older.to_json() != now.to_json(), "or this test is about nothing"
    for text in ("wake stretch wash dress", "Wake, [MASK]; dress!", "[CLS] eat [SEP]"):
        assert older.encode(text).tolist() == now.encode(text).tolist()


def test_an_older_checkpoint_is_gone_on_with(older_run, monkeypatch):
    shape = ModelConfig(**SUMMARY["model"])
    assert load_checkpoint(older_run / "checkpoints").state["step"] == 50
    monkeypatch.setattr(ModelConfig, "of_size", lambda *_: shape)
    ended = read_trained(OLDER_RUN, CONFIG).model
    result = train_folder(SUMMARY["language"], "tiny", CONFIG, older_run, resume=True, device="cpu")
    for weight, older in zip(result.model.parameters(), ended.parameters(), strict=True):
        torch.testing.assert_close(weight, older, rtol=1e-4, atol=1e-5)
    before, after = SUMMARY["curve"], [point._asdict() for point in result.curve]
    for name in ("step", "tokens", "predictions"):
        assert [point[name] for point in after] == [point[name] for point in before]
    assert after[0] == before[0], "what was measured before the stop is kept as it was"
    np.testing.assert_allclose(after[1]["train_loss"], before[1]["train_loss"], rtol=1e-4)


def test_what_is_shipped_is_read():
    from mlm_mini.experiments import EXPERIMENTS

    assert measured("english")["nats"]["trigram"]
    for name in ("mask_ratio", "mask_strategy"):
        assert EXPERIMENTS[name].shipped().table()
