"""Claims on several blanks at once: what one pass knows, whose losses are independent, and which joint fits."""

from collections.abc import Mapping

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import SHIPPED, Claim, Effort, Finding, by_words
from mlm_mini.experiments.joint.chains import FIRST_ORDER, SECOND_ORDER, information_by_distance, small_languages
from mlm_mini.experiments.joint.filling import ONE_PASS
from mlm_mini.experiments.joint.one_pass import hide_words, in_turn_nats, one_pass_nats
from mlm_mini.experiments.joint.readers import reader_of_language, reader_of_model
from mlm_mini.experiments.joint.study import Agreement
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, Sampled
from mlm_mini.languages import scene_language
from mlm_mini.training import cached_model

CLAIM_BLANKS = 3
IN_TURN = "in turn"
EXACT_GAP, GAP, NEARER = "gap of exact conditionals", "gap of trained models", "KL by Gibbs in terms of one pass"
EXACT_ROUNDING = 1e-9  # nats, of what is computed
NO_GAP = 1e-3  # nats: above it, float32 cannot be the reason


def saved_by_model(effort: Effort) -> Finding:
    """Nats per sentence that a trained model saves beside the exact marginals, which are the best of what predicts each
    blank by itself: at the same true words, asked in one pass, and from left to right."""
    language = scene_language()
    blanks = hide_words(language, effort.of(3_000, 20_000), CLAIM_BLANKS, effort.rng)
    apart = one_pass_nats(reader_of_language(language), blanks)
    model = reader_of_model(cached_model("scenes").model, language.vocabulary)
    saved = {ONE_PASS: apart - one_pass_nats(model, blanks), IN_TURN: apart - in_turn_nats(model, blanks)}
    return Finding({name: Sampled.mean(nats) for name, nats in saved.items()}, {"blanks": CLAIM_BLANKS})


def say_joint(figures: Mapping[str, float]) -> str:
    if figures[ONE_PASS] > 0:
        return HOLDS
    return "holds when the blanks are filled one after the other" if figures[IN_TURN] > 0 else FAILS


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
        NEARER: Sampled.factor(study.of("gibbs")[:, -1] / study.of("one_pass")[:, -1]),
    }
    by_step = dict(zip(study.config.looks, study.of("gap").mean(axis=0).round(4).tolist(), strict=True))
    facts = {"gap by step, nats": by_step, "seeds": study.config.seeds, "log odds ratios": study.at_end("size").value}
    return Finding(figures, facts, SHIPPED)


def say_field(figures: Mapping[str, float]) -> str:
    if figures[EXACT_GAP] > EXACT_ROUNDING or figures[NEARER] >= 1:
        return FAILS
    return HOLDS if figures[GAP] < NO_GAP else "holds when the conditionals are exact; those of a model fit no joint"


JOINT_CLAIMS = (
    Claim(
        id="joint",
        chapter="14",
        says="When multiple words are masked, the model does not predict them independently.",
        figure=f"what a trained model saves at {CLAIM_BLANKS} blanks beside the best that independent guesses can do",
        unit="nats",
        rule="holds if it is above 0 in one pass; if only with the blanks filled one after the other, then",
        measure=saved_by_model,
        judge=by_words(say_joint),
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
