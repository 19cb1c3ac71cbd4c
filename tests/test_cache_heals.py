"""What is cached is used as long as it is whole, and made again when it is not."""

import errno
import json
import os
import shutil
import threading
import time
import warnings
from dataclasses import replace

import filelock
import numpy as np
import pytest
import torch

from mlm_mini import storage
from mlm_mini.experiments.lab import study
from mlm_mini.languages import markov_language, token_store
from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.tokenizer import BERT_SLOTS
from mlm_mini.storage import CHECKSUMS, cached, waiting_lock
from mlm_mini.training import Reporter, cached_model, datasets, languages, model_folder, text_entries
from mlm_mini.training import cached as cached_module

SENTENCES = [f"The chef number {i} cuts the bread." for i in range(20)]
SIZE = 215  # tokens
EVALUATION_SENTENCES = datasets.EVALUATION_SENTENCES  # which most tests make smaller
CORPUS = Corpus(tuple(Document(str(i), text) for i, text in enumerate(SENTENCES)), "", "", "")


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    """A cache with a model in it."""
    folder = tmp_path_factory.mktemp("kept") / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLM_MINI_CACHE", str(folder))
        patch.setattr(datasets, "EVALUATION_SENTENCES", 64)
        a_model()
    return folder


@pytest.fixture
def cache(kept, tmp_path, monkeypatch):
    """A copy of it, for this test alone."""
    folder = tmp_path / "cache"
    shutil.copytree(kept, folder)
    monkeypatch.setenv("MLM_MINI_CACHE", str(folder))
    monkeypatch.setattr(datasets, "EVALUATION_SENTENCES", 64)
    return folder


def a_model(**fields):
    return cached_model("markov", "tiny", Reporter, **{"steps": 2, "batch_size": 4} | fields)


def model_folder_in(cache):
    (folder,) = (path for path in cache.glob("markov-tiny-*") if path.is_dir() and path.suffix != ".damaged")
    return folder


def refuse_to_train(monkeypatch):
    monkeypatch.setattr(cached_module, "train_folder", lambda *_, **__: pytest.fail("it was trained again"))


def read_only(monkeypatch, cache):
    """No file can be made there, whoever asks: the user of these tests may be allowed everything."""
    real = storage.tempfile.TemporaryFile

    def refuse(dir=None, **options):
        if str(dir).startswith(str(cache)):
            raise OSError(errno.EROFS, "Read-only file system")
        return real(dir=dir, **options)

    monkeypatch.setattr(storage.tempfile, "TemporaryFile", refuse)
    monkeypatch.setattr(storage.filelock, "FileLock", lambda path: pytest.fail(f"{path} is to be made"))
    monkeypatch.setattr(storage, "write_atomically", lambda path, _: pytest.fail(f"{path} is to be made"))


# ---------------------------------------------------------------- models

FILES = ("model.safetensors", "config.json", "tokenizer.json", "training.json")


def spoil(file, how):
    content = file.read_bytes()
    if how == "missing":
        file.unlink()
    elif how == "a folder":
        file.unlink()
        file.mkdir()
    elif how == "a byte flipped":
        middle = len(content) // 2
        file.write_bytes(content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :])
    else:
        file.write_bytes({"empty": b"", "cut": content[: len(content) // 2], "not ours": b"[1, 2]"}[how])


@pytest.mark.parametrize("how", ["missing", "a folder", "a byte flipped", "empty", "cut", "not ours"])
@pytest.mark.parametrize("name", FILES)
def test_a_damaged_model_is_set_aside_and_made_again(name, how, cache, kept):
    folder = model_folder_in(cache)
    whole = a_model()
    spoil(folder / name, how)
    with pytest.warns(
        UserWarning, match=rf"cached model .*{folder.name} is damaged \(.*kept as .*damaged and made again"
    ):
        again = a_model()
    assert all(map(torch.equal, whole.model.parameters(), again.model.parameters()))
    assert (folder / "model.safetensors").read_bytes() == (model_folder_in(kept) / "model.safetensors").read_bytes()
    assert (cache / f"{folder.name}.damaged").is_dir()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        a_model()


def test_weights_beside_which_nothing_else_is_left_are_set_aside(cache):
    for name in ("training.json", CHECKSUMS):
        (model_folder_in(cache) / name).unlink()
    with pytest.warns(UserWarning, match=r"is damaged \(training.json is missing\)") as warned:
        a_model()
    assert warned[0].filename.endswith("test_cache_heals.py"), "it is the caller who is warned"


def test_a_training_that_ended_and_was_cut_short_at_writing_trains_nothing_again(cache, monkeypatch):
    class NoStep(Reporter):
        def stepped(self, step, *_):
            pytest.fail("it was trained again")

    def cut(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(model_folder, "_compare", cut)
        with pytest.raises(KeyboardInterrupt):
            a_model(steps=3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cached_model("markov", "tiny", NoStep, steps=3, batch_size=4).curve[-1].step == 3
    assert not list(cache.glob("*.damaged"))
    assert not list(cache.glob("*/checkpoints")), "they are three times the size of the model, and of no more use"


def test_whatever_makes_a_model_is_in_its_name(monkeypatch):
    entry = languages.find_language("markov")

    def name(entry=entry, size="tiny", **fields):
        return cached_module._made_of(entry, size, entry.recipe("tiny", device="cpu", **fields))

    modules, fingerprint = [], cached_module.code_fingerprint
    monkeypatch.setattr(
        cached_module, "code_fingerprint", lambda *names: modules.append(names) or fingerprint("mlm_mini.seeds")
    )
    names = [name(), name(seed=1), name(learning_rate=1e-3), name(size="mini"), name(replace(entry, row_length=33))]
    names.append(name(replace(entry, make=lambda: markov_language(5))))
    for place, attribute, value in (
        (cached_module, "EVALUATED_BY", (1,)),
        (cached_module, "code_fingerprint", lambda *_: "other code"),
        (torch, "__version__", "0.1"),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, attribute, value)
            names.append(name())
    assert len(set(names)) == len(names) == 9
    assert name() == names[0]
    run_and_questions = {"mlm_mini.training.run", "mlm_mini.training.datasets"}
    assert set(modules[0]) == {*run_and_questions, "mlm_mini.languages.markov"}
    asked = (datasets.EVALUATION_RATIO, EVALUATION_SENTENCES, datasets.EVALUATION_BLOCKS, datasets.BLOCK_LENGTH)
    assert datasets.EVALUATED_BY == (2026, *asked) == (2026, 0.15, 4096, 512, 64)


def test_a_list_of_checksums_that_cannot_be_read_is_damage_too(cache):
    (model_folder_in(cache) / CHECKSUMS).write_text("{")
    with pytest.warns(UserWarning, match=rf"is damaged \({CHECKSUMS} is not as it was written"):
        a_model()


def test_a_model_that_is_damaged_twice_is_set_aside_twice(cache):
    for _ in range(2):
        spoil(model_folder_in(cache) / "config.json", "cut")
        with pytest.warns(UserWarning, match="is damaged"):
            a_model()
    assert len(list(cache.glob("*.damaged"))) == 1


def test_a_training_that_was_cut_short_and_then_damaged_begins_anew(cache):
    class Stop(Reporter):
        def stepped(self, step, *_):
            raise KeyboardInterrupt

    steps = {"steps": 60}
    with pytest.raises(KeyboardInterrupt):
        cached_model("markov", "tiny", Stop, batch_size=4, **steps)
    (begun,) = (path for path in cache.glob("markov-tiny-*") if path.is_dir() and not (path / "training.json").exists())
    (begun / "checkpoints" / "step-00000050").mkdir(parents=True)
    (begun / "checkpoints" / "step-00000050" / "state.json").write_text("{}")
    with pytest.warns(UserWarning, match=r"is damaged \(.*no checkpoint is left"):
        assert a_model(**steps).curve[-1].step == 60


def test_an_older_model_without_checksums_is_used(cache, monkeypatch):
    (model_folder_in(cache) / CHECKSUMS).unlink()
    refuse_to_train(monkeypatch)
    a_model()


def test_a_read_only_cache_with_the_model_is_used_as_it_is(cache, monkeypatch):
    refuse_to_train(monkeypatch)
    read_only(monkeypatch, cache)
    assert a_model().config.steps == 2


def test_a_read_only_cache_without_it_says_what_to_set(cache, monkeypatch):
    read_only(monkeypatch, cache)
    with pytest.raises(OSError, match=r"cannot be written \(Read-only file system\): set MLM_MINI_CACHE"):
        a_model(steps=1)
    spoil(model_folder_in(cache) / "config.json", "cut")
    with pytest.raises(OSError, match="set MLM_MINI_CACHE"):
        a_model()


# ---------------------------------------------------------------- tokens and tokenizers


def tokens():
    tokenizer = token_store.text_tokenizer(CORPUS, SIZE)
    return token_store.text_tokens(CORPUS, "train", tokenizer)


@pytest.mark.parametrize("pattern", ["*.npy", "text-*/tokenizer.json"])
def test_ids_that_changed_are_found_and_made_again(pattern, cache):
    before = np.array(tokens().ids)
    (file,) = cache.glob(pattern)
    content = file.read_bytes()
    if pattern == "*.npy":  # another word in the middle
        file.write_bytes(content[:-40] + np.array([150], "<u2").tobytes() + content[-38:])
    else:  # two pieces change places
        text = json.loads(content)
        vocabulary = text["model"]["vocab"]
        vocabulary["the"], vocabulary["##a"] = vocabulary["##a"], vocabulary["the"]
        file.write_text(json.dumps(text))
    with pytest.warns(UserWarning, match=r"is damaged \(its checksum is not the one written down\) and is made again"):
        np.testing.assert_array_equal(tokens().ids, before)
    assert file.read_bytes() == content


@pytest.mark.parametrize(("kind", "size"), [("wordpiece", SIZE), ("characters", len(BERT_SLOTS) + 8)])
def test_tokenizers_of_two_sizes_and_their_tokens_are_kept_apart(kind, size, cache):
    small, large, again = (token_store.text_tokenizer(CORPUS, n, kind) for n in (size, size + 5, size))
    assert [len(tokenizer.vocabulary) for tokenizer in (small, large, again)] == [size, size + 5, size]
    for tokenizer in (small, large, small):
        kept = token_store.text_tokens(CORPUS, "train", tokenizer)
        np.testing.assert_array_equal(kept.ids, np.concatenate(list(tokenizer.encode_documents(SENTENCES))))


@pytest.mark.parametrize("kind", ["wordpiece", "characters"])
def test_whatever_makes_a_tokenizer_is_in_its_name(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))

    def names(corpus=CORPUS, size=SIZE, **changes):
        with monkeypatch.context() as patch:
            for name, value in changes.items():
                place = token_store.tokenizers if name == "__version__" else token_store
                patch.setattr(place, name, value)
            token_store.text_tokenizer(corpus, size, kind)
        return {path.parent.name for path in tmp_path.glob("*/tokenizer.json")}

    other = Corpus((*CORPUS.documents, Document("20", "a word more")), "", "", "")
    made = [names(), names(), names(other), names(size=SIZE - 1), names(__version__="0.0.1")]
    made.append(names(BERT_SLOTS=BERT_SLOTS[::-1]))
    if kind == "wordpiece":
        made.append(names(MIN_FREQUENCY=3))
    assert [len(found) for found in made] == [1, *range(1, len(made))]


def test_whatever_makes_tokens_is_in_their_name(tmp_path, monkeypatch):
    monkeypatch.setenv("MLM_MINI_CACHE", str(tmp_path))
    held_out = tuple(Document(d.name, d.text, "validation") for d in CORPUS.documents)
    both = Corpus((*CORPUS.documents, *held_out[:-1]), "", "", "")
    for corpus, split, size, count in (
        (CORPUS, "train", SIZE, 1),
        (both, "train", SIZE, 1),
        (both, "validation", SIZE, 2),
        (CORPUS, "train", SIZE - 1, 3),
    ):
        token_store.text_tokens(corpus, split, token_store.text_tokenizer(CORPUS, size))
        assert len(list(tmp_path.glob("text-*.npy"))) == count
    assert len(list(tmp_path.glob("text-validation-*.npy"))) == 1


def test_models_of_two_vocabularies_have_two_names(monkeypatch):
    entry = languages.find_language("english")
    config = entry.recipe("tiny", "cpu")
    before = cached_module._made_of(entry, "tiny", config)
    monkeypatch.setattr(text_entries, "VOCABULARY_SIZE", text_entries.VOCABULARY_SIZE - 1)
    assert cached_module._made_of(entry, "tiny", config) != before


def test_older_tokens_without_a_checksum_are_used(cache, monkeypatch):
    before = np.array(tokens().ids)
    for file in cache.rglob("*.sha256"):
        file.unlink()
    for name in ("train_wordpiece", "write_tokens"):
        monkeypatch.setattr(token_store, name, lambda *_: pytest.fail("it was made again"))
    np.testing.assert_array_equal(tokens().ids, before)


def test_a_read_only_cache_with_the_tokens_is_used_as_it_is(cache, monkeypatch):
    before = np.array(tokens().ids)
    read_only(monkeypatch, cache)
    np.testing.assert_array_equal(tokens().ids, before)


def test_a_checksum_of_an_older_content_is_not_taken_for_that_of_the_new(tmp_path, monkeypatch):
    """The file is written anew, and the process dies before its checksum is."""
    file = tmp_path / "n"
    cached(file, lambda path: path.read_text(), lambda path: path.write_text("old"))
    file.unlink()
    monkeypatch.setattr(storage, "sha256", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cached(file, lambda path: path.read_text(), lambda path: path.write_text("new"))
    monkeypatch.undo()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cached(file, lambda path: path.read_text(), None) == "new"


def test_a_study_that_is_done_is_read_from_a_read_only_cache(cache, monkeypatch):
    cells = [Cell("a"), Cell("b")]
    place = storage.cache_path("study")
    found = study.run_study(cells, run_cell, place, workers=1)
    read_only(monkeypatch, cache)
    assert study.run_study(cells, run_cell, place, workers=1) == found


class Cell:
    def __init__(self, name):
        self.name = name


def run_cell(cell):
    return {"found": cell.name}


# ---------------------------------------------------------------- locks


def test_waiting_for_another_process_is_said(tmp_path, capsys):
    order, held = [], threading.Event()

    def other():
        with filelock.FileLock(tmp_path / "lock"):
            held.set()
            while "waiting" not in capsys.readouterr().err:
                time.sleep(0.01)
            order.append("let go")

    thread = threading.Thread(target=other)
    thread.start()
    held.wait()
    with waiting_lock(tmp_path / "lock", "the tiny model of markov"):
        order.append("held")
    thread.join()
    assert order == ["let go", "held"]


def test_the_sentence_names_what_is_made_and_where_nobody_holds_it_there_is_none(tmp_path, capsys):
    with waiting_lock(tmp_path / "lock", "the model"):
        pass
    assert capsys.readouterr().err == ""
    with filelock.FileLock(tmp_path / "lock"):
        thread = threading.Thread(target=lambda: waiting_lock(tmp_path / "lock", "the model").__enter__(), daemon=True)
        thread.start()
        shown = ""
        while "\n" not in shown:
            time.sleep(0.01)
            shown += capsys.readouterr().err
    assert shown == "another process is making the model: waiting until it is done\n"
    assert os.path.exists(tmp_path / "lock")
