"""Who reads the blanks of a language, a masked model or one that counts, and what it pays for them.

Shape letters: N blanks, C candidates.
"""

from dataclasses import asdict, dataclass
from functools import cache

import numpy as np
import torch

from mlm_mini.experiments.beyond.blanks import (
    DocumentBlanks,
    as_numbers,
    document_ids,
    draw_document_blanks,
    model_posterior,
    surprisal_of,
    top_k,
)
from mlm_mini.experiments.beyond.ngrams import (
    Ngram,
    both_sides_posterior,
    left_posterior,
    product_posterior,
    token_shares,
)
from mlm_mini.experiments.beyond.tuning import Tuning, tune
from mlm_mini.experiments.lab.recipe import DECIMALS
from mlm_mini.languages.token_store import VOCABULARY_SIZE
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM
from mlm_mini.training import LANGUAGES, find_material, recipe
from mlm_mini.training.run import Run

MASKED_MODEL, UNIGRAM, LEFT, PRODUCT, BOTH = (
    "masked model",
    "unigram",
    "n-gram, left",
    "n-grams, product",
    "n-gram, both sides",
)
COUNTING = (UNIGRAM, LEFT, PRODUCT, BOTH)
BLANKS_SEED, TUNING_BLANKS_SEED = 1500, 1501
PER_DOCUMENT = {"proteins": 20, "python": 20, "greek": 20}
ORDERS = {"proteins": (2, 3, 4, 5, 6, 7), "python": (2, 3, 4, 5), "greek": (3, 4, 5, 6, 7, 8)}
LINE_ENDS = {"proteins": "\n", "python": "", "greek": ""}  # tokens that are no question
TOP = (1, 5, 20)


@dataclass(frozen=True)
class BeyondCell:
    """One reader of one language. arm: MASKED_MODEL, or one of COUNTING, which have neither steps nor seeds."""

    language: str
    arm: str
    steps: int = 0
    seed: int = 0

    @property
    def name(self) -> str:
        arm = self.arm.replace(" ", "_").replace(",", "")
        return f"{self.language}-{arm}-{self.steps}-seed{self.seed}"


def run_beyond_cell(cell: BeyondCell) -> dict:
    """What one reader pays once it is tuned, and what it paid before, fit for JSON."""
    blanks = held_out_blanks(cell.language)
    if cell.arm == MASKED_MODEL:
        order, model = 0, train_model(cell)
        tuning, raw = model_tuning(cell.language, model), model_posterior(model, blanks)
    else:
        order, tuning = chosen(cell.language, cell.arm)
        raw = posterior_of_order(cell.language, cell.arm, order, blanks)
    tuned = scores_of(blanks, tuning.applied(raw, shares_of(cell.language)))
    settings = {name: round(value, DECIMALS) for name, value in asdict(tuning).items()}
    untuned = scores_of(blanks, raw)["nats"]
    return {"order": order, **settings, "documents": list(blanks.names), **tuned, "untuned": untuned}


def scores_of(blanks: DocumentBlanks, posterior: np.ndarray) -> dict[str, list[float]]:
    """The figures of a `BeyondScore`: from (N, C) probabilities to means over each document."""
    found = {"nats": surprisal_of(posterior, blanks.answers)}
    found |= {f"top{k}": top_k(posterior, blanks.answers, k) for k in TOP}
    return {unit: [round(x, DECIMALS) for x in blanks.per_document(values).tolist()] for unit, values in found.items()}


@cache
def training_numbers(language: str) -> tuple[FileTokenizer, tuple[np.ndarray, ...]]:
    """The tokenizer of a language, and its training documents as n-grams have them."""
    tokenizer, train, _ = LANGUAGES[language].tokenized(VOCABULARY_SIZE)
    numbers = (as_numbers(ids, tokenizer.vocabulary) for ids in document_ids(train))
    return tokenizer, tuple(document[document > 0] for document in numbers)


def held_out_blanks(language: str, split: str = "test", seed: int = BLANKS_SEED) -> DocumentBlanks:
    """The blanks at which all readers of a language are compared."""
    entry, (tokenizer, _) = LANGUAGES[language], training_numbers(language)
    rng = np.random.default_rng(seed)
    return draw_document_blanks(
        entry.corpus(), split, tokenizer, PER_DOCUMENT[language], entry.row_length, rng, LINE_ENDS[language]
    )


def shares_of(language: str) -> np.ndarray:
    """How frequent each candidate is in the training text: (C,)."""
    tokenizer, texts = training_numbers(language)
    return token_shares(texts, len(tokenizer.vocabulary.regular_ids))


def counting_posterior(language: str, arm: str, blanks: DocumentBlanks) -> tuple[int, np.ndarray]:
    """The order of the n-gram that was best on validation text, tuned there, and what it says at the blanks: (N, C)."""
    order, _ = chosen(language, arm)
    return order, tuned_of_order(language, arm, order, blanks)


@cache
def chosen(language: str, arm: str) -> tuple[int, Tuning]:
    """The order of a reader that counts and its two numbers: those that pay least on the validation blanks."""
    orders = (1,) if arm == UNIGRAM else ORDERS[language]
    return min(((n, tuning_of_order(language, arm, n)) for n in orders), key=lambda pair: pair[1].validation)


@cache
def tuning_of_order(language: str, arm: str, order: int) -> Tuning:
    """The two numbers of a reader that counts, from the validation blanks. A unigram stays as it is."""
    tuning = held_out_blanks(language, "validation", TUNING_BLANKS_SEED)
    raw = posterior_of_order(language, arm, order, tuning)
    if arm == UNIGRAM:
        return Tuning(validation=float(surprisal_of(raw, tuning.answers).mean()))
    return tune(raw, tuning.answers, shares_of(language))


def tuned_of_order(language: str, arm: str, order: int, blanks: DocumentBlanks) -> np.ndarray:
    """What a reader that counts says at the blanks once it is tuned: (N, C)."""
    raw = posterior_of_order(language, arm, order, blanks)
    return tuning_of_order(language, arm, order).applied(raw, shares_of(language))


def model_tuning(language: str, model: MaskedLM) -> Tuning:
    """The two numbers of a masked model, from the same validation blanks."""
    tuning = held_out_blanks(language, "validation", TUNING_BLANKS_SEED)
    return tune(model_posterior(model, tuning), tuning.answers, shares_of(language))


def tuned_model_posterior(language: str, model: MaskedLM, blanks: DocumentBlanks) -> np.ndarray:
    """What a masked model says at the blanks once it is tuned: (N, C)."""
    return model_tuning(language, model).applied(model_posterior(model, blanks), shares_of(language))


def posterior_of_order(language: str, arm: str, order: int, blanks: DocumentBlanks) -> np.ndarray:
    """What a reader that counts says at the blanks, untuned: (N, C)."""
    tokenizer, texts = training_numbers(language)
    C, rows = len(tokenizer.vocabulary.regular_ids), (blanks.numbers, blanks.places)
    if arm == UNIGRAM:
        return np.tile(token_shares(texts, C), (len(blanks.ids), 1))
    if arm == LEFT:
        return left_posterior(fitted(language, order), *rows)
    if arm == BOTH:
        return both_sides_posterior(fitted(language, order), *rows)
    return product_posterior(fitted(language, order), fitted(language, order, True), token_shares(texts, C), *rows)


@cache
def fitted(language: str, order: int, backwards: bool = False) -> Ngram:
    """The n-gram of a language, or of its text read backwards."""
    tokenizer, texts = training_numbers(language)
    return Ngram.fit([t[::-1] if backwards else t for t in texts], order, len(tokenizer.vocabulary.regular_ids))


def train_model(cell: BeyondCell) -> MaskedLM:
    """The model of a cell, trained on the CPU by the recipe of its language."""
    entry = LANGUAGES[cell.language]
    kept = dict(entry.kept["tiny"]) | {"steps": cell.steps, "seed": cell.seed}
    config = recipe(cell.language, device="cpu", **kept)
    material = find_material(cell.language, config, entry.row_length)
    shape = entry.shape("tiny", len(material.source.vocabulary), entry.row_length)
    with torch.random.fork_rng([]):
        run = Run.start(
            shape, material.source, config, torch.device("cpu"), start=entry.first_model(shape, config.seed)
        )
        for _ in range(cell.steps):
            run.one_step()
    return run.model.eval()
