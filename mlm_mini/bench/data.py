"""From text to masked batches, beside the data collator of `transformers` and the map of `datasets`."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch

from mlm_mini.bench.row import BenchRow, Side, in_turns
from mlm_mini.bench.steps import BATCH, LENGTH, STEP_WORDS
from mlm_mini.bench.whole_steps import RATIO, collator_of, random_vocabulary
from mlm_mini.experiments.lab.timing import one_thread
from mlm_mini.languages import english_corpus
from mlm_mini.languages.batches import TextBlocks
from mlm_mini.languages.corpus import text_lines
from mlm_mini.languages.token_store import english_tokenizer, read_tokens, write_tokens
from mlm_mini.training.masking import Masking
from mlm_mini.training.objectives import masked_batch

BIBLE_TEXTS = 400  # documents of the Bible
MASKING_LIMIT, TEXT_LIMIT = 1.0, 1.0


def masking_rows(rounds: int) -> Iterator[BenchRow]:
    """A batch hidden and asked for, beside the collator given tensors."""
    vocabulary, rng = random_vocabulary(STEP_WORDS), np.random.default_rng(0)
    ids = rng.integers(5, STEP_WORDS, (BATCH, LENGTH))
    masking, rows = Masking(mask_ratio=RATIO, split=(0.8, 0.1, 0.1)), list(torch.from_numpy(ids))
    collate = collator_of(vocabulary)
    with one_thread():
        own, theirs = in_turns(
            [
                Side("ours", {"": lambda: masked_batch(ids, vocabulary, masking, rng)}),
                Side("transformers.DataCollatorForLanguageModeling", {"": lambda: collate(rows)}),
            ],
            10 * rounds,
        )
    yield own.beside(theirs, f"masking of {BATCH} x {LENGTH} tokens", MASKING_LIMIT)


def text_rows(rounds: int) -> Iterator[BenchRow]:
    """Text of the Bible tokenized, written down, mapped and cut into rows, beside the same by `datasets`.

    Both have the same tokenizer and one process, and write what they make to disk.
    """
    texts = english_corpus().split("train").texts()[:BIBLE_TEXTS]
    tokenizer = english_tokenizer()
    with tempfile.TemporaryDirectory() as folder, one_thread():
        sides = [
            Side("ours", {"": lambda: _our_rows(texts, tokenizer, Path(folder))}),
            Side("datasets.map", {"": lambda: _their_rows(texts, tokenizer, Path(folder))}),
        ]
        own, theirs = in_turns(sides, max(1, rounds // 3))
    yield own.beside(theirs, f"text to rows of {LENGTH}, {sum(map(len, texts)):,} characters", TEXT_LIMIT)


def _our_rows(texts: list[str], tokenizer, folder: Path) -> np.ndarray:
    path = folder / "ours.npy"
    write_tokens(path, tokenizer, (text_lines(text) for text in texts))
    blocks = TextBlocks(read_tokens(path, tokenizer.vocabulary), tokenizer.vocabulary, LENGTH, seed=0)
    return blocks.next_batch(BATCH)


def _their_rows(texts: list[str], tokenizer, folder: Path) -> torch.Tensor:
    """As the example script of `transformers` for masked language models does it: tokenize, join, cut."""
    import datasets  # pyrefly: ignore[missing-import] an extra
    import tokenizers

    datasets.disable_progress_bars()
    hf = tokenizers.Tokenizer.from_str(tokenizer.to_json())
    lines = {"text": [line for text in texts for line in text_lines(text)]}
    # Names are given: it would else hash the table and the functions, tokenizer and all.
    made = datasets.Dataset(datasets.table.InMemoryTable.from_pydict(lines), fingerprint="text")

    def tokenize(batch: dict) -> dict:
        return {"ids": [encoding.ids for encoding in hf.encode_batch(batch["text"])]}

    def group(batch: dict) -> dict:
        joined = [i for ids in batch["ids"] for i in ids]
        return {"ids": [joined[i : i + LENGTH] for i in range(0, len(joined) // LENGTH * LENGTH, LENGTH)]}

    for name, function, gone in (("tokens", tokenize, ["text"]), ("rows", group, [])):
        made = made.map(
            function,
            batched=True,
            remove_columns=gone,
            cache_file_name=str(folder / f"{name}.arrow"),
            load_from_cache_file=False,
            new_fingerprint=name,
        )
    return made.with_format("torch")[:BATCH]["ids"]
