"""The study of agreement: what it looks at, a planted agreement, and what the chapter says of the shipped result."""

import itertools

import numpy as np
import pytest
from scipy.stats import entropy

from mlm_mini.experiments import find_experiment
from mlm_mini.experiments.joint import study
from mlm_mini.experiments.joint.measures import total_correlation
from mlm_mini.experiments.joint.readers import BlankReader, reader_of_language
from mlm_mini.experiments.joint.weather import weather_language
from mlm_mini.experiments.lab.intervals import mean_interval

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


def stationary(matrix):
    """The law that a chain with these rows settles at."""
    values, vectors = np.linalg.eig(matrix.T)
    vector = np.real(vectors[:, np.argmax(np.real(values))])
    return vector / vector.sum()


def test_the_figures_of_a_reader_that_disagrees_are_those_of_their_definitions():
    contexts, exact = study.draw_contexts(3), reader_of_language(weather_language())

    def power(position):  # the reader is too sure at odd positions
        return 2.0 if position % 2 else 1.0

    def ask(ids, positions):
        p = exact(ids, positions) ** np.where(positions % 2, 2.0, 1.0)[..., None]
        return p / p.sum(axis=-1, keepdims=True)

    expected = []
    for _, (i, j), joint in contexts:
        of_first, first = joint ** power(i), joint.sum(axis=1) ** power(i)
        of_second, second = joint ** power(j), joint.sum(axis=0) ** power(j)
        of_first, of_second = of_first / of_first.sum(axis=0), of_second / of_second.sum(axis=1, keepdims=True)
        first, second = first / first.sum(), second / second.sum()
        A, B = np.log(of_first), np.log(of_second)
        four = [[a, b, c, d] for a, b, c, d in itertools.product(range(6), repeat=4)]
        odds = [[R[a, b] - R[c, b] - R[a, d] + R[c, d] for R in (A, B)] for a, b, c, d in four]
        right_last = stationary(of_second @ of_first.T)[:, None] * of_second
        left_last = stationary(of_first.T @ of_second) * of_first
        left, right = first[:, None] * of_second, second * of_first

        def kl(law, joint=joint):
            return entropy(joint.ravel(), law.ravel())

        expected.append(
            [
                np.sqrt(np.mean([(one - other) ** 2 for one, other in odds])),
                np.sqrt(np.mean([one**2 for one, _ in odds])),
                kl(np.outer(first, second)),
                (kl(left) + kl(right)) / 2,
                kl((right_last + left_last) / 2),  # either blank is the last that was drawn, equally often
                np.abs(left - right).sum() / 2,
                np.abs(right_last - left_last).sum() / 2,
            ]
        )
    found = study.look_at(BlankReader(exact.vocabulary, ask), contexts)
    assert found == pytest.approx(np.mean(expected, axis=0), rel=1e-8)


def test_contexts_are_any_two_neighbors_of_a_sentence():
    contexts = study.draw_contexts(150)
    assert {tuple(positions) for _, positions, _ in contexts} == {(i, i + 1) for i in range(1, 8)}
    for ids, (i, j), joint in contexts[:5]:
        assert joint.sum() == pytest.approx(1)
        step, words = weather_language().transition, weather_language().vocabulary.regular_ids
        place = {int(word): k for k, word in enumerate(words)}
        if i > 1 and j < 8:
            path = step[place[int(ids[i - 1])]][:, None] * step * step[:, place[int(ids[j + 1])]]
            assert joint == pytest.approx(path / path.sum())


@pytest.fixture(scope="module")
def planted():
    """Three seeds and three looks in which every number is another one."""
    values = 1 + np.random.default_rng(2).random((3, 3, len(NAMES)))
    config = study.JointConfig(seeds=3, looks=(0, 30, 60), contexts=4)
    return study.Agreement(config, values, np.arange(len(NAMES)) / 8, 0.4321)


def test_table_picture_and_words_have_the_numbers_of_the_study(planted):
    lines = planted.table().splitlines()
    for place, line in enumerate(lines[1:4]):
        assert [float(x) for x in line.split()[1:]] == pytest.approx(planted.values[:, place].mean(axis=0), abs=6e-5)
    assert [float(x) for x in lines[4].split()[1:]] == pytest.approx(planted.exact, abs=6e-5)
    axes, ends = planted.plot().axes, planted.values[:, -1]
    relative = np.mean([seed[0] / seed[1] for seed in ends])
    assert axes[0].get_title() == f"After training the two disagree by {relative:.0%} of the ratios"
    one_pass, in_turn, gibbs = ends.mean(axis=0)[2:5]
    assert axes[1].get_title() == f"One pass ends at {one_pass:.2f}, in turn {in_turn:.3f}, Gibbs {gibbs:.3f}"
    shown = {bars.get_label(): bars for panel in axes for bars in panel.containers}
    labels = ("their gap", "the ratios themselves", "product of one pass", "one after the other", "Gibbs sampling")
    for i, label in enumerate(labels):
        marks, _, (bars,) = shown[label]
        assert marks.get_ydata() == pytest.approx(planted.values[:, :, i].mean(axis=0))
        assert bars.get_segments()[-1][:, 1] == pytest.approx(mean_interval(ends[:, i])[1:])
    for i, text in enumerate(study.FIGURES.values()):
        assert f"{text}: {mean_interval(ends[:, i])}" in planted.describe()
    assert "means of 3 seeds" in planted.describe()
    assert "total correlation is 0.432 nats" in planted.describe()


def test_a_study_has_the_models_beside_the_exact_language(monkeypatch):
    config = study.JointConfig(seeds=2, looks=(0, 1), contexts=3)
    looks = {cell: np.random.default_rng(cell.seed).random((2, len(NAMES))) for cell in config.cells()}
    monkeypatch.setattr(study, "run_study", lambda cells, *how: [{"looks": looks[cell].tolist()} for cell in cells])
    monkeypatch.setattr(study, "study_folder", lambda *of: None)
    found = study.measure_agreement(config, np.random.default_rng(0))
    assert [cell.seed for cell in looks] == [0, 1]
    assert (found.values == list(looks.values())).all()
    correlation = np.mean([total_correlation(joint) for *_, joint in study.draw_contexts(3)])
    assert found.total_correlation == pytest.approx(correlation, abs=1e-4)
    assert found.exact_of("one_pass") == pytest.approx(correlation)
    assert found.exact_of("gap") < 1e-9


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
