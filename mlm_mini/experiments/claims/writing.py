"""The claim on the sweet spot once more, for models that write, from the shipped study of writers."""

from mlm_mini.experiments.catalog import find_experiment
from mlm_mini.experiments.claims.claim import SHIPPED, Claim, Effort, Finding, holds_below
from mlm_mini.experiments.lab.verdicts import Sampled
from mlm_mini.experiments.writing.study import AT_15, AT_40, AT_ALL, LEFT_TO_RIGHT


def sweet_spot_for_writers(effort: Effort) -> Finding:
    """What a model masked at 15% pays for a sentence beside one of all ratios, and the other arms as facts."""
    study = find_experiment("writing").shipped()
    facts = {
        f"nats per sentence, {arm}, less {AT_ALL}": study.difference("price", arm, AT_ALL).rounded(3)
        for arm in (AT_40, LEFT_TO_RIGHT)
    }
    facts["KL at 15% hidden, 15% less all ratios, nats"] = study.difference("kl", AT_15, AT_ALL).rounded(4)
    figure = Sampled.mean(study.values("price", AT_15) - study.values("price", AT_ALL))
    return Finding({"nats": figure}, facts, SHIPPED)


WRITING_CLAIMS = (
    Claim(
        id="sweet-spot-writing",
        chapter="16",
        says="The 15% ratio is an empirically derived sweet spot: put to models that write by unmasking.",
        figure="what a model masked at 15% pays for a sentence, one word a step, less what one of all ratios pays",
        unit="nats per sentence",
        rule="holds if it is below 0, each arm at the learning rate at which it writes best",
        measure=sweet_spot_for_writers,
        judge=holds_below(0.0),
    ),
)
