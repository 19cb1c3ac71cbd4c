"""From the lexicon to the scene language: every situation told by every template that it can fill."""

import difflib
import math
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mlm_mini.languages import scene_lexicon as lexicon
from mlm_mini.languages.scene_lexicon import Kind, Situation
from mlm_mini.languages.scenes import ROLES, SceneLanguage
from mlm_mini.languages.vocabulary import CLS, PAD, SEP, SPECIAL_TOKENS, Vocabulary

VOWELS = tuple("aeiou")
Words = frozenset[str]  # what may stand in one place


class Scene(NamedTuple):
    """One scene before it is numbered; lists run over the words of the sentence."""

    prior: float
    frame: str
    choices: list[Words]
    roles: list[str]
    referent: int  # an index into `choices`, -1 where there is no pronoun


@cache
def scene_language() -> SceneLanguage:
    """The scene language of the course, built from `scene_lexicon` once."""
    lexis = Lexis()
    return _numbered(list(_scenes([*lexicon.SITUATIONS, *_coreference(lexis)], lexis)), lexis)


class Lexis:
    """The words of the lexicon, each with its class, its frequency and, for a verb, its participle and auxiliary."""

    def __init__(self):
        self.word_class: dict[str, str] = {}
        self.frequency: dict[str, float] = {}
        self.participle: dict[str, str] = {}
        self.auxiliary: dict[str, str] = {}
        self.groups: dict[str, list[str]] = {}  # what a name in capitals stands for
        for name, words in lexicon.FUNCTION_WORDS.items():
            for word in words.split():
                self._add(word, name, 1.0)
        for name, words in lexicon.CONTENT_WORDS.items():
            self.groups[name] = words.split()
            for rank, word in enumerate(self.groups[name]):
                self._add(word, name, _zipf(rank))
        self._add_verbs(lexicon.PRESENT_VERBS, "PRESENT_VERBS", "is")
        self._add_verbs(lexicon.PAST_VERBS, "PAST_VERBS", "was")

    def _add(self, word: str, name: str, frequency: float) -> None:
        if word in self.word_class:
            raise ValueError(f"{word!r} is in {self.word_class[word]} and in {name}: a word has one class")
        self.word_class[word], self.frequency[word] = name, frequency

    def _add_verbs(self, verbs: dict[str, str], name: str, auxiliary: str) -> None:
        for group, entries in verbs.items():
            pairs = [entry.partition(":")[::2] for entry in entries.split()]
            self.groups[group] = [form for form, _ in pairs]
            for rank, (form, participle) in enumerate(pairs):
                self._add(form, name, _zipf(rank))
                if not participle:
                    continue
                self.participle[form], self.auxiliary[form] = participle, auxiliary
                if participle not in self.word_class:  # "chased" is both, "eaten" has two present forms
                    self._add(participle, "PARTICIPLES", _zipf(rank))

    def words(self, filler: str) -> Words:
        """The words that a filler such as "COOKS mother father" stands for."""
        words: list[str] = []
        for name in filler.split():
            if name in self.groups:
                words += self.groups[name]
            elif name in self.word_class:
                words.append(name)
            else:
                near = difflib.get_close_matches(name, [*self.groups, *self.word_class])
                raise ValueError(f"{name!r} in filler {filler!r} is no word or class of the lexicon; near it: {near}")
        return frozenset(words)

    def choices(self, situation: Situation) -> dict[str, Words]:
        """What may stand in each slot, the passive of the verb included if every verb of the situation has one."""
        choices = {slot: self.words(filler) for slot, filler in situation.fillers.items()}
        verbs = choices.get("verb", frozenset())
        if verbs and verbs <= self.participle.keys():
            choices["participle"] = frozenset(self.participle[verb] for verb in verbs)
            choices["be"] = frozenset(self.auxiliary[verb] for verb in verbs)
        return choices

    def mass(self, words: Words) -> float:
        return math.fsum(self.frequency[word] for word in words)  # exact, so that the order of a set cannot matter


def _zipf(rank: int) -> float:
    return 1 / (rank + 2)


def _coreference(lexis: Lexis) -> Iterator[Situation]:
    """Two people of different kinds, either of whom is the one that the clause is about."""
    for circle_weight, kinds in lexicon.CIRCLES:
        people = [lexis.words(kind.people) for kind in kinds]
        everybody = frozenset().union(*people)
        # Given the kind that is meant, a and b are named with probability f(a) / mass(own) * f(b) / mass(others). Times
        # this weight that is f(a) * f(b), whichever is meant: the words before the pronoun do not give it away.
        weights = [lexis.mass(own) * lexis.mass(everybody - own) for own in people]
        for kind, own, weight in zip(kinds, people, weights, strict=True):
            yield from _meetings(kind, own, everybody - own, circle_weight * weight / math.fsum(weights))


def _meetings(kind: Kind, own: Words, others: Words, weight: float) -> Iterator[Situation]:
    about = {"striving": kind.verb, "preposition": kind.preposition, "cause": kind.cause, "pronoun": kind.pronoun}
    meant, partner = " ".join(sorted(own)), " ".join(sorted(others))
    first = {"agent": meant, "recipient": partner, "patient": partner}
    second = {"agent": partner, "recipient": meant, "patient": meant}
    yield Situation("coreference", lexicon.EVERYBODY | about | first, weight, ("agent",))
    yield Situation("coreference", lexicon.EVERYBODY | about | second, weight, ("recipient", "patient"))


def _scenes(situations: list[Situation], lexis: Lexis) -> Iterator[Scene]:
    """Each situation in each of its templates, with a prior that shares out family, situation and template weights."""
    family_total = sum(lexicon.FAMILY_WEIGHTS.values())
    situation_total = Counter()
    for situation in situations:
        # pyrefly: ignore[unsupported-operation] a Counter of weights, which may be fractions
        situation_total[situation.family] += situation.weight
    for situation in situations:
        choices = lexis.choices(situation)
        templates = [
            template for template in lexicon.TEMPLATES[situation.family] if _slots(template[2]) <= set(choices)
        ]
        if not templates:
            raise ValueError(f"no template of family {situation.family!r} can tell {situation.fillers}")
        share = lexicon.FAMILY_WEIGHTS[situation.family] / family_total
        share *= situation.weight / situation_total[situation.family] / sum(weight for weight, _, _ in templates)
        for weight, frame, text in templates:
            yield _scene(share * weight, frame, text.split(), choices, situation.referents)


def _scene(prior: float, frame: str, words: list[str], choices: dict[str, Words], referents: tuple[str, ...]) -> Scene:
    names = [word.strip("{}") if word.startswith("{") else "" for word in words]
    spoken = [choices.get(name, frozenset([word])) for name, word in zip(names, words, strict=True)]
    for word, following in pairwise(spoken):
        if word == {"a"} and any(noun.startswith(VOWELS) for noun in following):
            raise ValueError(f"'a' stands before one of {sorted(following)}: use 'the', or words that fit 'a'")
    roles = [lexicon.ROLES_OF_SLOTS.get(name, "none") for name in names]
    referent = [i for i, name in enumerate(names) if name in referents]
    return Scene(prior, frame, spoken, roles, referent[0] if referent else -1)


def _slots(template: str) -> set[str]:
    return {word.strip("{}") for word in template.split() if word.startswith("{")}


def _numbered(scenes: list[Scene], lexis: Lexis) -> SceneLanguage:
    """The scenes as arrays. A distribution that several scenes share, whatever the slot, is stored once."""
    vocabulary = Vocabulary([*SPECIAL_TOKENS, *lexis.word_class])
    T = max(len(scene.choices) for scene in scenes) + 2
    row_of: dict[Words, int] = {}
    slots = np.empty((len(scenes), T), dtype=np.int64)
    roles = np.zeros((len(scenes), T), dtype=np.int8)
    for s, scene in enumerate(scenes):
        choices = [frozenset([CLS]), *scene.choices, frozenset([SEP])]
        choices += [frozenset([PAD])] * (T - len(choices))
        slots[s] = [row_of.setdefault(words, len(row_of)) for words in choices]
        roles[s, 1 : len(scene.roles) + 1] = [ROLES.index(role) for role in scene.roles]
    distributions = np.zeros((len(row_of), len(vocabulary)))
    for words, d in row_of.items():
        missing = sorted(word for word in words if word not in vocabulary)
        if missing:
            raise ValueError(f"{missing[0]!r} is in a template but not in the lexicon: add it to FUNCTION_WORDS")
        distributions[d, vocabulary.ids(words)] = [lexis.frequency.get(word, 1.0) for word in words]
    distributions /= distributions.sum(axis=1, keepdims=True)
    frames = tuple(dict.fromkeys(scene.frame for scene in scenes))
    return SceneLanguage(
        vocabulary,
        np.array([scene.prior for scene in scenes]),
        slots,
        distributions,
        roles=roles,
        referent=np.array([scene.referent + 1 if scene.referent >= 0 else -1 for scene in scenes]),
        frame=np.array([frames.index(scene.frame) for scene in scenes]),
        frames=frames,
        word_class=lexis.word_class,
    )
