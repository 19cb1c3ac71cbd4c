"""What the longer trainings are good for: substitutions and mutations of proteins, gaps in Greek. Shipped as JSON.

`python -m mlm_mini.experiments.beyond.uses` makes it anew, with the models of seed 0 that the study trains.
"""

import json

import numpy as np
from scipy.stats import spearmanr

from mlm_mini.experiments.beyond.blanks import DocumentBlanks, document_ids
from mlm_mini.experiments.beyond.lacunae import draw_lacunae, restore_all
from mlm_mini.experiments.beyond.mutations import masked_log_p, natural_substitutions, preferred
from mlm_mini.experiments.beyond.readers import (
    BOTH,
    MASKED_MODEL,
    PRODUCT,
    UNIGRAM,
    counting_posterior,
    fitted,
    held_out_blanks,
    tuned_model_posterior,
)
from mlm_mini.experiments.beyond.study import BeyondConfig
from mlm_mini.experiments.beyond.substitution import (
    blosum62,
    pairs_below,
    permutation_test,
    residue_posterior,
    substitution_scores,
)
from mlm_mini.experiments.lab.permutations import permutation_share
from mlm_mini.languages.proteins import AMINO_ACIDS
from mlm_mini.languages.token_store import text_tokens
from mlm_mini.shipped import provenance, results_folder
from mlm_mini.storage import write_atomically
from mlm_mini.training import LANGUAGES, Reporter, TrainedModel, cached_model

GAP_SIZES = (1, 2, 3, 5, 7, 10)  # letters of a gap
COUNTING_CONTROLS = (PRODUCT, BOTH, UNIGRAM)
VARIANTS, VARIANTS_SEED, GAPS_SEED, SHUFFLING_SEED, SHUFFLINGS = 40, 1503, 1504, 1502, 500
DOCUMENT_DRAWS, DOCUMENT_DRAWS_SEED = 300, 1505


def longer_model(language: str) -> TrainedModel:
    """The model of seed 0 that the full study trains: about a minute and a half of one core, the first time."""
    steps = dict(zip(("proteins", "python", "greek"), BeyondConfig().steps, strict=True))[language]
    return cached_model(language, report=Reporter, **dict(LANGUAGES[language].kept["tiny"]) | {"steps": steps})


def compare_substitutions(trained: TrainedModel) -> dict[str, dict]:
    """For the model and the readers that count, each tuned: rho with BLOSUM62, p, the matrix, and rho after shufflings.

    resampled: rho of each of DOCUMENT_DRAWS draws of documents with replacement, the same draws for every reader.
    """
    blanks, other = held_out_blanks("proteins"), blosum62()
    posteriors = {MASKED_MODEL: tuned_model_posterior("proteins", trained.model, blanks)}
    posteriors |= {arm: counting_posterior("proteins", arm, blanks)[1] for arm in COUNTING_CONTROLS}
    found = {}
    for arm, posterior in posteriors.items():
        q, answers = residue_posterior(posterior, blanks)
        matrix = substitution_scores(q, answers)
        rho, drawn = permutation_test(matrix, other, np.random.default_rng(SHUFFLING_SEED), SHUFFLINGS)
        rng = np.random.default_rng(DOCUMENT_DRAWS_SEED)
        resampled = [
            spearmanr(pairs_below(substitution_scores(q[some], answers[some])), pairs_below(other)).statistic
            for some in (resampled_blanks(blanks, rng) for _ in range(DOCUMENT_DRAWS))
        ]
        found[arm] = {
            "rho": round(rho, 4),
            "p": round(permutation_share(rho, drawn), 4),
            "matrix": matrix.round(3).tolist(),
            "shuffled": drawn.round(3).tolist(),
            "resampled": np.round(resampled, 4).tolist(),
        }
    return found


def resampled_blanks(blanks: DocumentBlanks, rng: np.random.Generator) -> np.ndarray:
    """The numbers of the blanks of D documents drawn with replacement."""
    D = len(blanks.names)
    return np.concatenate([np.flatnonzero(blanks.documents == d) for d in rng.integers(0, D, D)])


def compare_mutations(trained: TrainedModel) -> dict[str, list[float]]:
    """How often nature's letter is preferred, for each species: by the model, by BLOSUM62 and by those that count."""
    entry = LANGUAGES["proteins"]
    rng = np.random.default_rng(VARIANTS_SEED)
    variants = natural_substitutions(entry.corpus().split("test"), trained.tokenizer, VARIANTS, entry.row_length, rng)
    letters = trained.tokenizer.vocabulary.words(trained.tokenizer.vocabulary.regular_ids)
    columns = [letters.index(a) for a in AMINO_ACIDS]
    scores = {
        MASKED_MODEL: masked_log_p(trained.model, variants, trained.tokenizer),
        "BLOSUM62": blosum62()[variants.wild],
    }
    asked = DocumentBlanks(variants.rows, variants.places, variants.species, (), trained.tokenizer.vocabulary)
    scores |= {arm: np.log(counting_posterior("proteins", arm, asked)[1][:, columns]) for arm in COUNTING_CONTROLS}
    return {name: preferred(of, variants).round(4).tolist() for name, of in scores.items()}


def restore_gaps(trained: TrainedModel, per_document: int = 1) -> dict[str, dict[str, list[int]]]:
    """Place of the truth in the list, 0 where it is in none: for each number of letters and each of RESTORING_WAYS."""
    corpus, vocabulary = LANGUAGES["greek"].corpus(), trained.tokenizer.vocabulary
    tokens = document_ids(text_tokens(corpus, "test", trained.tokenizer))
    documents = {d.name: ids for d, ids in zip(corpus.split("test").documents, tokens, strict=True)}
    order, _ = counting_posterior("greek", BOTH, held_out_blanks("greek"))
    ngram, length = fitted("greek", order), LANGUAGES["greek"].row_length
    found = {}
    for size in GAP_SIZES:
        rng = np.random.default_rng(GAPS_SEED)
        gaps = draw_lacunae(documents, vocabulary, size, per_document, length, rng)
        found[str(size)] = {
            way: r.tolist() for way, r in restore_all(trained.model, ngram, gaps, trained.tokenizer).items()
        }
    return found


def write_uses() -> None:
    """Writes the shipped result."""
    proteins, greek = longer_model("proteins"), longer_model("greek")
    result = {
        "substitutions": compare_substitutions(proteins),
        "mutations": compare_mutations(proteins),
        "gaps": restore_gaps(greek),
    }
    command = "python -m mlm_mini.experiments.beyond.uses"
    record = {"experiment": "beyond_uses", **provenance(command), "seed": 0, "result": result}
    path = results_folder("experiments") / "beyond_uses.json"
    write_atomically(path, lambda file: file.write_text(json.dumps(record) + "\n", encoding="utf-8"))


if __name__ == "__main__":
    write_uses()
