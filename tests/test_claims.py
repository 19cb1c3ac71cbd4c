"""The claims: another finding has another verdict, and a planted wrong experiment changes it."""

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mlm_mini.__main__ import main
from mlm_mini.course import notebook as nb
from mlm_mini.experiments.claims import context, foundations, ratio, softmax_checks, variance
from mlm_mini.experiments.claims.all_claims import CLAIMS, MeasuredClaim, find_claims, measure_claims
from mlm_mini.experiments.claims.claim import FAILS, HOLDS, Effort, Finding
from mlm_mini.experiments.context.right_side import referent_nats, side_nats
from mlm_mini.experiments.lab.intervals import Estimate
from mlm_mini.experiments.ratio.config import MaskRatioConfig
from mlm_mini.experiments.ratio.result import MaskRatio, RatioScore
from mlm_mini.experiments.variance import measure
from mlm_mini.languages import leak as leaks
from mlm_mini.languages import scene_language
from mlm_mini.model import MaskedLM, ModelConfig
from mlm_mini.reference import softmax
from mlm_mini.reference.masking import BERT_SPLIT

SOLUTIONS = Path(__file__).resolve().parents[1] / "solutions"
QUICK = Effort(quick=True, workers=1)


def finding(value, low=None, high=None, **facts):
    return Finding(Estimate(value, value if low is None else low, value if high is None else high), facts)


def leak(back):
    return {"share with KL(correct, buggy) infinite": back}


def stable(share):
    return {"agreeing with the largest logit subtracted": share}


def columns(*figures):
    return {f"model {i}, 9 steps": list(figure) for i, figure in enumerate(figures)}


def split(low):
    return {"80/10/10 less 100% [MASK], at 0.15": [low + 1, low, low + 2]}


def final(**arms):
    return {"final KL less that of uniform masks, nats": arms}


def ends(new, trained):
    return {"holds up to": {"new model": new, "trained model": trained}, "measured up to": 0.9}


MIXED = "holds when the model is model 1, 9 steps"
LENGTHS = {"shortest": 64, "longest": 2048, "counted": 384}
PLANTED = [
    ("self-supervision", finding(0.4, 0.3, 0.5), HOLDS),
    ("self-supervision", finding(0.1, -0.1, 0.3), FAILS),
    ("softmax", finding(1.0, **stable(1.0)), HOLDS),
    ("softmax", finding(0.7, **stable(1.0)), "holds when the largest logit is subtracted first"),
    ("softmax", finding(0.7, **stable(0.7)), FAILS),
    ("surprisal", finding(1e-15), HOLDS),
    ("surprisal", finding(1e-3), FAILS),
    ("logit-mask", finding(0.0), HOLDS),
    ("logit-mask", finding(1e-300), FAILS),
    ("kl-leak", finding(1.0, **leak(1.0)), HOLDS),
    ("kl-leak", finding(1.0, **leak(0.0)), "holds when the mean is taken over the buggy prediction"),
    ("kl-leak", finding(0.9, **leak(0.0)), FAILS),
    ("bidirectional", finding(0.7, 0.6, 0.8), HOLDS),
    ("bidirectional", finding(0.0, -0.1, 0.1), FAILS),
    ("coreference", finding(0.5, 0.45, 0.55), HOLDS),
    ("coreference", finding(0.1, 0.05, 0.15), FAILS),
    ("clm-efficiency", finding(3.0, 2.0, 4.0), HOLDS),
    ("clm-efficiency", finding(0.9, 0.8, 1.1), FAILS),
    ("attention-cost", finding(50.0, **LENGTHS), HOLDS),
    ("attention-cost", finding(512.3, **LENGTHS), "holds when a text has more than about 510 tokens"),
    ("attention-cost", finding(np.inf, **LENGTHS), FAILS),
    ("variance", finding(-1.0, -1.1, -0.9, **ends(0.9, 0.9)), HOLDS),
    ("variance", finding(-1.0, -1.1, -0.9, **ends(0.5, 0.02)), "holds when new model: up to 0.5"),
    ("variance", finding(-0.5, -0.6, -0.4, **ends(0.02, 0.0)), FAILS),
    ("too-few", finding(2, **columns((2, 1.5, 3), (3, 2, 4))), HOLDS),
    ("too-few", finding(2, **columns((1, 0.5, 2), (3, 2, 4))), MIXED),
    ("too-few", finding(1, **columns((1, 0.5, 2), (1, 0.9, 1.1))), FAILS),
    ("too-many", finding(0.1, **columns((0.1, 0.05, 0.2), (0.1, 0.05, 0.2))), HOLDS),
    ("too-many", finding(0.1, **columns((-0.1, -0.2, -0.05), (0.1, 0.05, 0.2))), MIXED),
    ("too-many", finding(-0.1, **columns((-0.1, -0.2, -0.05), (0, -0.1, 0.2))), FAILS),
    ("sweet-spot", finding(0.15, **columns((0.15, 0.1, 0.2), (0.2, 0.15, 0.3))), HOLDS),
    ("sweet-spot", finding(0.15, **columns((0.4, 0.3, 0.5), (0.2, 0.15, 0.3))), MIXED),
    ("sweet-spot", finding(0.4, **columns((0.4, 0.3, 0.5), (0.4, 0.3, 0.5))), FAILS),
    ("mismatch", finding(-2, -3, -1, **split(0.5)), HOLDS),
    (
        "mismatch",
        finding(-2, -3, -1, **split(-0.5)),
        "holds when half of the words are masked; 80/10/10 does not repair it",
    ),
    (
        "mismatch",
        finding(0, -1, 1, **split(0.5)),
        "holds for 100% [MASK], which 80/10/10 improves on; not for more masks",
    ),
    ("mismatch", finding(0, -1, 1, **split(-0.5)), FAILS),
    ("entropy-masking", finding(1.5, 1.2, 1.8, **final(surprisal=[-0.2, -0.3, -0.1])), HOLDS),
    (
        "entropy-masking",
        finding(1.5, 1.2, 1.8, **final(surprisal=[0.2, 0.1, 0.3], kept=[-0.2, -0.3, -0.1])),
        "holds for the length of the gradient; the final model is better only with kept",
    ),
    (
        "entropy-masking",
        finding(1.5, 1.2, 1.8, **final(surprisal=[0.2, 0.1, 0.3])),
        "holds for the length of the gradient; the final model is no better with any strategy",
    ),
    ("entropy-masking", finding(1.0, 0.9, 1.1, **final(surprisal=[-0.2, -0.3, -0.1])), FAILS),
]


@pytest.mark.parametrize(("name", "planted", "verdict"), PLANTED)
def test_a_verdict_follows_from_the_finding(name, planted, verdict):
    (claim,) = find_claims([name])
    assert claim.judge(planted) == verdict


def test_no_verdict_is_a_constant():
    verdicts = {claim.id: {v for name, _, v in PLANTED if name == claim.id} for claim in CLAIMS}
    assert [name for name, found in verdicts.items() if not {HOLDS, FAILS} <= found] == []


def test_each_claim_says_what_it_measures_and_belongs_to_a_chapter():
    assert len({claim.id for claim in CLAIMS}) == len(CLAIMS)
    chapters = [chapter.number for chapter in nb.read_chapters(SOLUTIONS)]
    for claim in CLAIMS:
        assert claim.chapter in chapters, claim.id
        assert claim.rule.startswith("holds"), claim.id
        assert claim.says.endswith("."), claim.id
        assert claim.figure, claim.id
        assert claim.unit, claim.id


# ---- planted wrong experiments


def verdict_of(name):
    (row,) = measure_claims(QUICK, [name])
    return row.verdict


def test_a_softmax_that_overflows_is_seen(monkeypatch):
    assert verdict_of("softmax") == "holds when the largest logit is subtracted first"
    monkeypatch.setattr(foundations, "softmax", softmax_checks.softmax_as_worded)
    assert verdict_of("softmax") == FAILS


def test_a_loss_in_bits_is_no_surprisal_in_nats(monkeypatch):
    assert verdict_of("surprisal") == HOLDS
    monkeypatch.setattr(softmax_checks, "cross_entropy", lambda z, y: np.log2(np.e) * -np.log(softmax(z))[0, y[0]])
    assert verdict_of("surprisal") == FAILS


def test_masking_after_the_softmax_is_seen(monkeypatch):
    assert verdict_of("logit-mask") == HOLDS
    monkeypatch.setattr(softmax_checks, "exclude_tokens", lambda logits, excluded: logits)
    assert verdict_of("logit-mask") == FAILS


def test_without_a_leak_nothing_is_infinite(monkeypatch):
    assert verdict_of("kl-leak") == "holds when the mean is taken over the buggy prediction"
    monkeypatch.setattr(leaks, "LEAKED_LOGITS", (-np.inf,))
    assert verdict_of("kl-leak") == FAILS


def test_a_reader_of_the_left_side_alone_finds_no_value_in_the_right(monkeypatch):
    assert verdict_of("bidirectional") == HOLDS

    def deaf(*args):
        nats = side_nats(*args)
        return nats | {"both": nats["left"]}

    monkeypatch.setattr(context, "side_nats", deaf)
    assert verdict_of("bidirectional") == FAILS


def test_a_clause_that_is_not_read_settles_nothing(monkeypatch):
    assert verdict_of("coreference") == HOLDS
    monkeypatch.setattr(context, "referent_nats", lambda *args: (referent_nats(*args)[0],) * 2)
    assert verdict_of("coreference") == FAILS


def test_gradients_that_agree_do_not_shrink_with_their_number(monkeypatch):
    """All tokens of a draw have one gradient, which differs from draw to draw: a mean of many is as noisy as one."""
    tiny = MaskedLM(ModelConfig.tiny(len(scene_language().vocabulary)), torch.Generator().manual_seed(0))
    monkeypatch.setattr(variance, "cached_model", lambda *args, **fields: SimpleNamespace(model=tiny))
    monkeypatch.setattr(variance, "QUICK_RATIOS", (0.05, 0.1, 0.3))
    assert verdict_of("variance").startswith(HOLDS)
    rng = torch.Generator().manual_seed(1)
    monkeypatch.setattr(measure, "draw_gradients", lambda model, draws: torch.randn(len(draws), 1, generator=rng))
    assert verdict_of("variance") == FAILS


@pytest.fixture
def planted_study(monkeypatch):
    """planted_study(kl, probe): `claims` sees a study with KL kl(ratio) and probe accuracy probe(ratio, split)."""
    config = MaskRatioConfig(seeds=3)

    def wobble(cell):  # seeds differ, evenly to both sides of what is planted
        return 0.01 * (cell.seed - 1) * np.sin(50 * cell.mask_ratio)

    def plant(kl, probe=lambda ratio, split: 0.9):
        scores = [
            RatioScore(
                cell,
                (kl(cell.mask_ratio) * np.exp(wobble(cell)),) * 2,
                (0.01, 0.01),
                probe(cell.mask_ratio, cell.split) + 0.1 * wobble(cell),
                1.0,
                1e9,
                1000,
                100,
                ((1.0, 1.0),),
                1.0,
            )
            for cell in config.cells()
        ]
        floor = np.column_stack([config.ratios, np.zeros(len(config.ratios))])
        monkeypatch.setattr(ratio, "ratio_study", lambda: MaskRatio(config, tuple(scores), floor))

    return plant


def test_verdicts_on_the_ratio_follow_the_study(planted_study):
    planted_study(lambda ratio: np.exp(np.log(ratio / 0.15) ** 2))  # 15% is best
    assert [verdict_of(name) for name in ("too-few", "too-many", "sweet-spot")] == [HOLDS] * 3
    planted_study(lambda ratio: np.exp(np.log(ratio / 0.8) ** 2))  # the more the better
    assert verdict_of("too-few") == HOLDS
    assert [verdict_of(name) for name in ("too-many", "sweet-spot")] == [FAILS] * 2
    planted_study(lambda ratio: 1.0)
    assert verdict_of("too-few") == FAILS


def test_the_verdict_on_the_mismatch_follows_the_probe(planted_study):
    planted_study(lambda ratio: 1.0, lambda ratio, split: 0.9 - 0.1 * ratio + 0.1 * (split == BERT_SPLIT))
    assert verdict_of("mismatch") == HOLDS
    planted_study(lambda ratio: 1.0, lambda ratio, split: 0.9 + 0.1 * ratio)
    assert verdict_of("mismatch") == FAILS


# ---- the measurements behind them


def test_both_sides_are_never_worse_than_one_in_the_mean():
    nats = side_nats(scene_language(), 1500, np.random.default_rng(3))
    assert nats["both"].mean() < min(nats["left"].mean(), nats["right"].mean())
    assert all((values > -1e-12).all() for values in nats.values())


def test_before_the_clause_the_choice_is_even():
    before, after = referent_nats(scene_language(), 3000, np.random.default_rng(3))
    np.testing.assert_allclose(before, np.log(2))
    assert len(before) == len(after) > 100
    with pytest.raises(ValueError, match="none of 1 sentences"):
        referent_nats(scene_language(), 1, np.random.default_rng(0))


# ---- what programs and people get


def test_a_row_for_programs_has_the_documented_keys():
    (claim,) = find_claims(["attention-cost"])
    row = MeasuredClaim(claim, finding(np.inf, 100.0, np.inf, **LENGTHS), FAILS).to_dict()
    keys = {"id", "chapter", "claim", "figure", "low", "high", "unit", "verdict", "source"}
    assert keys <= row.keys()
    assert (row["figure"], row["low"], row["high"]) == (None, 100.0, None)
    json.dumps(row, allow_nan=False)


def test_the_command_prints_verdicts_and_writes_json(capsys, tmp_path):
    assert main(["claims", "--quick", "softmax", "logit-mask"]) == 0
    shown = capsys.readouterr().out
    assert "01  softmax: holds when the largest logit is subtracted first" in shown
    assert "04  logit-mask: holds" in shown
    assert main(["claims", "--quick", "surprisal", "--json", str(tmp_path / "claims.json")]) == 0
    (row,) = json.loads((tmp_path / "claims.json").read_text())["claims"]
    assert (row["id"], row["verdict"], row["source"]) == ("surprisal", HOLDS, "this run")


def test_an_unknown_claim_names_those_there_are(capsys):
    assert main(["claims", "sweetspot"]) == 1
    assert "expected one of self-supervision, softmax" in capsys.readouterr().err


def test_a_claim_measured_alone_has_the_same_figure():
    (alone,) = measure_claims(QUICK, ["coreference"])
    among = {row.claim.id: row for row in measure_claims(QUICK, ["bidirectional", "coreference"])}
    assert alone.finding == among["coreference"].finding
    (other,) = measure_claims(replace(QUICK, seed=1), ["coreference"])
    assert other.finding != alone.finding
