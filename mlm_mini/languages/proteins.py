"""Proteins: the sequences of one family, of many animals, a letter for each amino acid.

S sequences, L residues of one.
"""

import csv
import functools
import io
from collections import defaultdict

from mlm_mini.languages.corpus import Corpus, Document
from mlm_mini.languages.package_files import read_package_files
from mlm_mini.storage import fingerprint

PROTEIN_PACKAGE, PROTEIN_RELEASE = "mhcseqs", "2.6.13"
PROTEIN_FILE = "mhcseqs/diverse_mhc_sequences.csv"
PROTEIN_SHA256 = "713ba6d578c9b9e02c966209ba92c37a1425ffe747ad3a27ad67ac6d9a98ea55"
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
KIND = ("I", "alpha")
FEWEST_RESIDUES, MOST_RESIDUES = 100, 500
MOST_OF_A_SPECIES = 40  # a few birds have thousands of sequences that hardly differ
# Whole branches of the tree of animals are held out, not species one by one: a chimpanzee's protein is nearly a
# human's. What is left of the training side is mammals with a placenta, birds and bony fish.
HELD_OUT_BRANCHES = {
    "validation": ("marsupial", "monotreme"),
    "test": ("amphibian", "reptile_crocodylia", "reptile_lepidosauria", "reptile_testudines", "shark_ray"),
}
RUN = 8  # residues
RELATED = 0.5  # the share of its runs that a held-out sequence may have in common with the training side


@functools.cache
def protein_corpus() -> Corpus:
    """MHC class I proteins, which show pieces of others to the immune system: a document for each species.

    A document has the sequences of its species, one on each line. Sequences are left out that hold anything but the 20
    usual amino acids, have less than 100 or more than 500, or occur twice; of one species 40 are kept, chosen by a hash
    of their letters. Whole branches of animals are held out, and of these each sequence of which half the runs of 8
    residues occur on the training side too.

    The file is read without importing its package. Raises as `read_package_files`.
    """
    species = _by_species()
    side = {group: split for split, groups in HELD_OUT_BRANCHES.items() for group in groups}
    training = (s for (group, _), found in species.items() if group not in side for s in found)
    seen = {run for sequence in training for run in runs(sequence)}
    documents = []
    for (group, name), sequences in species.items():
        split = side.get(group, "train")
        if split != "train":
            sequences = [s for s in sequences if shared_runs(s, seen) < RELATED]
        if sequences:
            documents.append(Document(name, "\n".join(sequences), split))
    return Corpus(
        documents=tuple(documents),
        source=f"MHC class I proteins (their alpha chains) of many animals, from UniProt, "
        f"in the package {PROTEIN_PACKAGE} {PROTEIN_RELEASE}",
        license="package: Apache-2.0; sequences: UniProt Consortium, CC BY 4.0",
        note="One family, so that all sequences are relatives, however distant. Split by branch of the tree of "
        "animals: placental mammals, birds and bony fish to train on, marsupials and monotremes for validation, "
        "amphibians, reptiles and sharks for the test.",
    )


def _by_species() -> dict[tuple[str, str], list[str]]:
    """(branch, species) -> its sequences, of those that are kept."""
    (content,) = read_package_files(
        PROTEIN_PACKAGE, PROTEIN_RELEASE, [PROTEIN_FILE], PROTEIN_SHA256, "the text of proteins"
    )
    species = defaultdict(list)
    seen = set()
    for row in csv.DictReader(io.StringIO(content.decode("utf-8"))):
        sequence = row["sequence"]
        if (row["mhc_class"], row["chain"]) != KIND:
            continue
        if (
            FEWEST_RESIDUES <= len(sequence) <= MOST_RESIDUES
            and sequence not in seen
            and not set(sequence) - set(AMINO_ACIDS)
        ):
            seen.add(sequence)
            species[row["source_group"], row["organism"]].append(sequence)
    return {name: sorted(found, key=fingerprint)[:MOST_OF_A_SPECIES] for name, found in sorted(species.items())}


def runs(sequence: str) -> set[str]:
    """The different runs of RUN neighboring residues."""
    return {sequence[i : i + RUN] for i in range(len(sequence) - RUN + 1)}


def shared_runs(sequence: str, seen: set[str]) -> float:
    """The share of a sequence's runs that are among those seen."""
    own = runs(sequence)
    return len(own & seen) / len(own)
