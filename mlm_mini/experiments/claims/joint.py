"""Claims on several blanks at once: what one pass knows, whose losses are independent, and which joint fits."""

from collections.abc import Mapping

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import EXACT_ROUNDING, SHIPPED, Claim, Effort, Finding, by_words
from mlm_mini.experiments.joint.chains import FIRST_ORDER, SECOND_ORDER, information_by_distance, small_languages
from mlm_mini.experiments.joint.filling import ONE_PASS
from mlm_mini.experiments.joint.one_pass import hide_words, in_turn_nats, one_pass_nats
from mlm_mini.experiments.joint.readers import reader_of_language, reader_of_model
from mlm_mini.experiments.joint.study import Agreement
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, UNDECIDED, Decision, Sampled, decide, decide_together
from mlm_mini.languages import scene_language
from mlm_mini.training import cached_model

CLAIM_BLANKS = (2, 3)
IN_TURN, BY_TURNS = "in turn", "in turn beside its own one pass"
IN_WORDS = {2: "two", 3: "three"}
EXACT_GAP, GAP, NEARER_BY_GIBBS = (
    "gap of exact conditionals",
    "gap of trained models",
    "KL by Gibbs in terms of one pass",
)
NO_GAP = 1e-3  # nats: above it, float32 cannot be the reason
ONE_BY_ONE = f"{HOLDS} when the blanks are filled one after the other"


def with_blanks(name: str, m: int) -> str:
    """The name of a figure that is measured with m blanks."""
    return f"{name}, {IN_WORDS[m]} blanks"


def saved_by_model(effort: Effort) -> Finding:
    """Nats per sentence, of any length, that a trained model saves beside the exact marginals, which are the best of
    what predicts each blank by itself: at the same true words, asked in one pass, and from left to right. And what it
    saves in turn beside its own one pass, where its own mistakes are on both sides."""
    language = scene_language()
    rng, figures = effort.rng, {}
    exact = reader_of_language(language)
    model = reader_of_model(cached_model("scenes").model, language.vocabulary)
    for m in CLAIM_BLANKS:
        blanks = hide_words(language, effort.of(3_000, 20_000), m, rng)
        apart, once, turns = one_pass_nats(exact, blanks), one_pass_nats(model, blanks), in_turn_nats(model, blanks)
        for name, nats in ((ONE_PASS, apart - once), (IN_TURN, apart - turns), (BY_TURNS, once - turns)):
            figures[with_blanks(name, m)] = Sampled.mean(nats)
    facts = {name: figure.estimate.rounded(4) for name, figure in figures.items()}
    return Finding(figures, facts, headline=with_blanks(IN_TURN, 2), verdicts=by_blanks(figures))


def say_joint(figures: Mapping[str, float]) -> str:
    """Of one number of blanks."""
    if figures[ONE_PASS] > 0:
        return HOLDS
    return ONE_BY_ONE if figures[IN_TURN] > 0 else FAILS


def by_blanks(figures: Mapping[str, Sampled]) -> dict[str, Decision]:
    """The verdict for two blanks and that for three, each by itself."""
    return {
        IN_WORDS[m]: decide(say_joint, {name: figures[with_blanks(name, m)] for name in (ONE_PASS, IN_TURN)})
        for m in CLAIM_BLANKS
    }


def judge_joint(finding: Finding) -> Decision:
    """Both numbers of blanks together: their word if it is the same; else where it holds, and what the other is.

    The sentences of one number are drawn anew for the other.
    """
    return decide_together(by_blanks(finding.figures), _of_both)


def _of_both(words: Mapping[str, str]) -> str:
    if len(set(words.values())) == 1:
        return next(iter(words.values()))
    held = [name for name, word in words.items() if word.startswith(HOLDS)]
    if not held:
        return UNDECIDED
    parts = [words[name].replace("the blanks", f"{name} blanks") for name in held if words[name] != HOLDS]
    parts = [f"{HOLDS} when there are {name} blanks" for name in held if words[name] == HOLDS] + parts
    parts += [f"{word} for {name}" for name, word in words.items() if name not in held]
    return "; ".join(parts)


def distant_information(effort: Effort) -> Finding:
    """The largest conditional information of two blanks that are not adjacent, in three languages; exact."""
    reach = {name: information_by_distance(table) for name, table in small_languages(n=effort.of(8, 9)).items()}
    figures = {name: Sampled.exact(nats[1:].max()) for name, nats in reach.items()}
    facts = {f"{name}, nats by distance": nats.round(6).tolist() for name, nats in reach.items()}
    return Finding(figures, facts, headline=SECOND_ORDER)


def say_adjacency(figures: Mapping[str, float]) -> str:
    cut = [name for name, nats in figures.items() if nats < EXACT_ROUNDING]
    if len(cut) == len(figures):
        return HOLDS
    return f"holds when the language is a {' or a '.join(cut)}" if cut else FAILS


def agreement_study() -> Agreement:
    return find_experiment("joint_agreement").shipped()


def consistency(effort: Effort) -> Finding:
    study = agreement_study()
    figures = {
        GAP: study.at_end("gap"),
        EXACT_GAP: Sampled.exact(study.exact_of("gap")),
        NEARER_BY_GIBBS: Sampled.factor(study.of("gibbs")[:, -1] / study.of("one_pass")[:, -1]),
    }
    by_step = dict(zip(study.config.looks, study.of("gap").mean(axis=0).round(4).tolist(), strict=True))
    facts = {"gap by step, nats": by_step, "seeds": study.config.seeds, "log odds ratios": study.at_end("size").value}
    return Finding(figures, facts, SHIPPED)


def say_field(figures: Mapping[str, float]) -> str:
    if figures[EXACT_GAP] > EXACT_ROUNDING or figures[NEARER_BY_GIBBS] >= 1:
        return FAILS
    return HOLDS if figures[GAP] < NO_GAP else "holds when the conditionals are exact; those of a model fit no joint"


JOINT_CLAIMS = (
    Claim(
        id="joint",
        chapter="14",
        says="When multiple words are masked, the model does not predict them independently.",
        figure="what a trained model saves beside the best that independent guesses can do, printed for two blanks in "
        "sentences of any length, asked in turn",
        unit="nats",
        rule="holds if it is above 0 in one pass, with two blanks and with three; if only with the blanks filled one "
        "after the other, then; each number of blanks is decided by itself",
        measure=saved_by_model,
        judge=judge_joint,
    ),
    Claim(
        id="adjacency",
        chapter="14",
        says="The losses are only truly independent if no two masked tokens are adjacent.",
        figure="the most that two blanks which are not adjacent tell about each other, all other words visible; exact, "
        f"printed for the {SECOND_ORDER}",
        unit="nats",
        rule=f"holds if it is 0 in a {FIRST_ORDER}, in a {SECOND_ORDER} and in a hidden Markov model; if only in some, "
        "these are named",
        measure=distant_information,
        judge=by_words(say_adjacency),
    ),
    Claim(
        id="mrf",
        chapter="14",
        says="Masked language models have a deep connection with Markov random fields.",
        figure="difference between the log odds ratios that p(a | b) and p(b | a) of trained models give",
        unit="nats",
        rule="holds if exact conditionals have a joint, Gibbs sampling from a model's comes nearer to it than one "
        f"pass, and the difference is below {NO_GAP}; if only the latter is not so, when the conditionals are exact",
        measure=consistency,
        judge=by_words(say_field),
    ),
)
