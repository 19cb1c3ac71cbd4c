"""Claims on both directions: what comes after a word, what masked training costs, and what attention costs."""

from collections.abc import Mapping

import numpy as np

from mlm_mini.experiments.claims.claim import CLAIM_SEEDS, EXACT_ROUNDING, Claim, Effort, Finding, holds_above
from mlm_mini.experiments.context.attention_cost import measure_attention_cost
from mlm_mini.experiments.context.objectives import measure_objectives
from mlm_mini.experiments.context.right_side import referent_nats, side_nats
from mlm_mini.experiments.lab.verdicts import FAILS, HOLDS, Decision, Sampled, decide
from mlm_mini.languages import scene_language


def bidirectional(effort: Effort) -> Finding:
    nats = side_nats(scene_language(), effort.of(2_000, 20_000), effort.rng)
    means = {f"{side}, nats": round(float(values.mean()), 3) for side, values in nats.items()}
    return Finding({"saved": Sampled.mean(nats["left"] - nats["both"])}, means)


def pronoun_clue(effort: Effort) -> Finding:
    before, after = referent_nats(scene_language(), effort.of(10_000, 100_000), effort.rng)
    right = float((after < np.log(2) - EXACT_ROUNDING).mean())  # where it leaves them even, nobody is likelier
    return Finding({"saved": Sampled.mean(before - after)}, {"the likelier person is right in": round(right, 3)})


def clm_efficiency(effort: Effort) -> Finding:
    found = measure_objectives(effort.of(120, 900), CLAIM_SEEDS, effort.workers)
    facts = {name: getattr(found, name).estimate.rounded(3) for name in ("predictions", "flops")}
    return Finding({"steps": found.steps}, facts | {"learning rates": dict(found.rates)})


def attention_crossing(effort: Effort) -> Finding:
    lengths = 2 ** np.arange(6, effort.of(13, 14))  # twice as far as where the parts are usually even
    cost = measure_attention_cost(lengths, effort.of(5, 9), effort.rng)
    facts = {"shortest": int(lengths[0]), "longest": int(lengths[-1]), "counted": cost.counted}
    return Finding({"crossing": cost.crossing}, facts)


def judge_cost(finding: Finding) -> Decision:
    shortest, longest = finding.facts["shortest"], finding.facts["longest"]
    beyond = f"holds when a text has more than about {round(finding.figure.value, -1):.0f} tokens"

    def say(figures: Mapping[str, float]) -> str:
        if figures["crossing"] <= shortest:
            return HOLDS
        return beyond if figures["crossing"] <= longest else FAILS

    return decide(say, finding.figures)


CONTEXT_CLAIMS = (
    Claim(
        id="bidirectional",
        chapter="08",
        says="The meaning of a word often depends on what comes after it.",
        figure="what the right side saves per word when the left side is known, exact",
        unit="nats",
        rule="holds if it is above 0",
        measure=bidirectional,
        judge=holds_above(0),
    ),
    Claim(
        id="coreference",
        chapter="08",
        says='The clause after "he" provides a strong clue to whom it means.',
        figure="what the clause saves about the referent where the pronoun leaves an even choice, exact",
        unit="nats",
        rule="holds if it is above half of ln 2, the even choice",
        measure=pronoun_clue,
        judge=holds_above(np.log(2) / 2),
    ),
    Claim(
        id="clm-efficiency",
        chapter="08",
        says="With fewer predictions in a batch, masked models can need more steps than causal ones.",
        figure="steps that a masked model needs for one step of a causal one, to the same distance from its own floor",
        unit="times",
        rule="holds if it is above 1",
        measure=clm_efficiency,
        judge=holds_above(1),
    ),
    Claim(
        id="attention-cost",
        chapter="08",
        says="The cost of self-attention scales quadratically with the length.",
        figure="length at which the quadratic part of a pass overtakes the linear one, by the clock of this machine",
        unit="tokens",
        rule="holds beyond that length, if it lies within the measured ones; holds if it is shorter than all of them",
        measure=attention_crossing,
        judge=judge_cost,
    ),
)
