"""AntiBERTy, a BERT that learned 558 million antibodies (Ruffolo et al. 2021): its weights converted, and asked.

The package `antiberty` 0.1.3 brings the weights as a pickled PyTorch file. Pickles can run code when they are opened;
`weights_only=True` lets nothing but numbers through. What comes out is kept as a safetensors file, in a folder that
`mlm_mini.model.load_pretrained` and `course.py fill` open like any other.
"""

import json
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import numpy as np
import torch

from mlm_mini.experiments.beyond.blanks import candidate_probabilities, surprisal_of
from mlm_mini.languages.characters import Characters, _pipeline
from mlm_mini.languages.tokenizer import FileTokenizer
from mlm_mini.model import MaskedLM, load_pretrained, load_tokenizer
from mlm_mini.model.files import WEIGHTS
from mlm_mini.shipped import provenance, results_folder
from mlm_mini.storage import cache_path, write_atomically
from mlm_mini.training import LANGUAGES, Reporter, cached_model

ANTIBODY_PACKAGE, ANTIBODY_RELEASE = "antiberty", "0.1.3"
WEIGHTS_FOLDER = "antiberty/trained_models/AntiBERTy_md_smooth"
TOKENS = "antiberty/trained_models/vocab.txt"
OTHER_HEADS = ("cls.species.", "cls.chain.", "cls.graft.")  # of tasks that fill in nothing
CONFIG_FIELDS = [
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
    "type_vocab_size",
    "vocab_size",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "layer_norm_eps",
    "initializer_range",
    "hidden_act",
    "model_type",
]
# Variable regions of antibodies that are used as medicines, as their makers published them; V_H heavy, V_L light.
CHAINS = {
    "trastuzumab, heavy": (
        "EVQLVESGGGLVQPGGSLRLSCAASGFNIKDTYIHWVRQAPGKGLEWVARIYPTNGYTRYADSVKGRFTISADTSKNTAYLQMNSLRAED"
        "TAVYYCSRWGGDGFYAMDYWGQGTLVTVSS"
    ),
    "trastuzumab, light": (
        "DIQMTQSPSSLSASVGDRVTITCRASQDVNTAVAWYQQKPGKAPKLLIYSASFLYSGVPSRFSGSRSGTDFTLTISSLQPEDFATYYCQQHYTTPPTFGQGTKVEIK"
    ),
    "adalimumab, heavy": (
        "EVQLVESGGGLVQPGRSLRLSCAASGFTFDDYAMHWVRQAPGKGLEWVSAITWNSGHIDYADSVEGRFTISRDNAKNSLYLQMNSLRAED"
        "TAVYYCAKVSYLSTASSLDYWGQGTLVTVSS"
    ),
    "adalimumab, light": (
        "DIQMTQSPSSLSASVGDRVTITCRASQGIRNYLAWYQQKPGKAPKLLIYAASTLQSGVPSRFSGSGSGTDFTLTISSLQPEDVATYYCQRYNRAPYTFGQGTKVEIK"
    ),
    "bevacizumab, heavy": (
        "EVQLVESGGGLVQPGGSLRLSCAASGYTFTNYGMNWVRQAPGKGLEWVGWINTYTGEPTYAADFKRRFTFSLDTSKSTAYLQMNSLRAED"
        "TAVYYCAKYPHYYGSSHWYFDVWGQGTLVTVSS"
    ),
}


def antibody_folder() -> Path:
    """The folder of the converted model, made at the first call.

    Raises FileNotFoundError, with the command that installs it, where the package is missing or another release.
    """
    remedy = f"install it with: python -m pip install --no-deps {ANTIBODY_PACKAGE}=={ANTIBODY_RELEASE} (97 MB)"
    try:
        found = distribution(ANTIBODY_PACKAGE)
    except PackageNotFoundError:
        raise FileNotFoundError(
            f"the antibody model is in the package {ANTIBODY_PACKAGE}, which is missing: {remedy}"
        ) from None
    if found.version != ANTIBODY_RELEASE:
        raise FileNotFoundError(
            f"{ANTIBODY_PACKAGE} {found.version} is not {ANTIBODY_RELEASE}, which brings its weights along: {remedy}"
        )
    folder = cache_path(f"{ANTIBODY_PACKAGE}-{ANTIBODY_RELEASE}")
    if not (folder / WEIGHTS).is_file():
        convert(Path(str(found.locate_file(WEIGHTS_FOLDER))), Path(str(found.locate_file(TOKENS))), folder)
    return folder


def convert(source: Path, tokens: Path, folder: Path) -> None:
    """From `pytorch_model.bin`, a pickle, with its config.json and a list of letters, to a folder without pickle."""
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    kept = {name: config[name] for name in CONFIG_FIELDS}
    (folder / "config.json").write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    Characters(_pipeline(tokens.read_text(encoding="utf-8").split())).save(folder / "tokenizer.json")
    weights = torch.load(source / "pytorch_model.bin", map_location="cpu", weights_only=True)
    needed = {name: w.clone() for name, w in weights.items() if not name.startswith(OTHER_HEADS)}
    write_atomically(folder / WEIGHTS, lambda file: save_file(needed, file, metadata={"format": "pt"}))


def open_antibody_model() -> tuple[MaskedLM, FileTokenizer]:
    """The model and its letters. Raises as `antibody_folder`."""
    folder = antibody_folder()
    model, _ = load_pretrained(folder)
    return model.eval(), load_tokenizer(folder)


def chain_posteriors(model: MaskedLM, tokenizer: FileTokenizer, chain: str, reach: int | None = None) -> np.ndarray:
    """The model's probability of each candidate at each residue of a chain of L, hidden alone: (L, C).

    reach: residues on either side of the blank that the model is shown, where it cannot read a whole chain.
    """
    vocabulary, found = tokenizer.vocabulary, []
    letters = tokenizer.encode(chain)[1:-1]
    for place in range(len(letters)):
        first = 0 if reach is None else max(0, place - reach)
        row = letters[first : None if reach is None else place + reach + 1].copy()
        row[place - first] = vocabulary.mask_id
        seen = np.concatenate([[vocabulary.cls_id], row, [vocabulary.sep_id]])[None]
        found.append(candidate_probabilities(model, seen, np.array([[place - first + 1]]), vocabulary)[0, 0])
    return np.array(found)


def measure_chains() -> dict:
    """How often AntiBERTy and the course's protein model are right at each chain of CHAINS, and what they pay, nats."""
    model, letters = open_antibody_model()
    ours = cached_model("proteins", report=Reporter, **LANGUAGES["proteins"].kept["tiny"])
    readers = {
        "AntiBERTy": (model, letters, None),
        "the protein model made here": (ours.model, ours.tokenizer, (LANGUAGES["proteins"].row_length - 3) // 2),
    }
    return {"chains": list(CHAINS), "readers": {name: _asked(*reader) for name, reader in readers.items()}}


def _asked(model: MaskedLM, tokenizer: FileTokenizer, reach: int | None) -> dict[str, list[float]]:
    right, nats = [], []
    for chain in CHAINS.values():
        p = chain_posteriors(model, tokenizer, chain, reach)
        answers = np.searchsorted(tokenizer.vocabulary.regular_ids, tokenizer.encode(chain)[1:-1])
        right.append(round(float((p.argmax(axis=1) == answers).mean()), 4))
        nats.append(round(float(surprisal_of(p, answers).mean()), 4))
    return {"right": right, "nats": nats}


def write_antibody_result() -> None:
    """Writes the shipped result."""
    command = "python -m mlm_mini.experiments.beyond.antibody"
    record = {"experiment": "antibody", **provenance(command), "seed": 0, "result": measure_chains()}
    path = results_folder("experiments") / "antibody.json"
    write_atomically(path, lambda file: file.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8"))


if __name__ == "__main__":
    write_antibody_result()
