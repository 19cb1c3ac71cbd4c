"""The study of agreement: what it looks at, a planted agreement, and what the chapter says of the shipped result."""

import numpy as np
import pytest

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.joint import study
from mlm_mini.experiments.joint.measures import total_correlation
from mlm_mini.experiments.joint.readers import BlankReader, reader_of_language
from mlm_mini.experiments.joint.weather import weather_language

pytestmark = pytest.mark.usefixtures("one_thread")
NAMES = list(study.FIGURES)


@pytest.fixture(scope="module")
def contexts():
    return study.draw_contexts(6)


def test_who_knows_the_language_agrees_with_itself(contexts):
    found = dict(zip(NAMES, study.look_at(reader_of_language(weather_language()), contexts), strict=True))
    assert found["one_pass"] == pytest.approx(np.mean([total_correlation(joint) for *_, joint in contexts]))
    for name in ("gap", "in_turn", "gibbs", "directions", "rounds"):
        assert found[name] == pytest.approx(0, abs=1e-9), name
    assert found["size"] > 0.5


def test_a_reader_whose_answers_hang_on_the_place_disagrees(contexts):
    exact = reader_of_language(weather_language())

    def ask(ids, positions):
        p = exact(ids, positions) ** np.where(positions % 2, 2.0, 1.0)[..., None]
        return p / p.sum(axis=-1, keepdims=True)

    found = dict(zip(NAMES, study.look_at(BlankReader(exact.vocabulary, ask), contexts), strict=True))
    assert found["gap"] > 0.5
    assert min(found[name] for name in ("in_turn", "gibbs", "directions", "rounds")) > 0.001


def test_a_cell_is_the_same_each_time_and_looks_do_not_change_the_training():
    one, other = (study.run_joint_cell(study.JointCell(0, looks, 2))["looks"] for looks in ((0, 1, 2), (0, 2)))
    assert len(one) == 3
    assert one[-1] == pytest.approx(other[-1], abs=1e-5)
    assert one[0] == other[0]
    assert one[0] != one[-1]


def test_the_shipped_study_is_the_full_one_and_shows_itself():
    result = find_experiment("joint_agreement").shipped()
    assert result.config == study.JointConfig()
    assert result.values.shape == (result.config.seeds, len(study.AGREEMENT_LOOKS), len(NAMES))
    assert np.isfinite(result.values).all()
    assert f"{result.of('gap')[:, -1].mean():.4f}" in result.table()
    assert f"by {result.relative_gap[:, -1].mean():.0%}" in result.plot().axes[0].get_title()
    assert str(result.at_end("gibbs").estimate) in result.describe()


def test_what_the_chapter_says_of_the_shipped_study():
    result = find_experiment("joint_agreement").shipped()
    gap = result.of("gap").mean(axis=0)
    assert 0 < gap.argmax() < len(gap) - 1  # in nats, it is largest on the way
    assert (np.diff(result.relative_gap.mean(axis=0)) < 0).all()  # and in terms of the ratios it falls all the way
    assert result.relative_gap[:, -1].max() < result.relative_gap[:, 0].min()
    assert result.at_end("gap").low > 0.1
    assert result.at_end("one_pass").low > result.total_correlation
    assert result.at_end("gibbs").high < result.total_correlation
