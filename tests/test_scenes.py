"""The scene language against brute force on a tiny one, and against its own grammar on the bundled one."""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import oracle
import pytest
from scipy import stats

from mlm_mini.languages import (
    ROLE_AGENT,
    ROLE_OTHER,
    ROLE_PATIENT,
    SPECIAL_TOKENS,
    SceneLanguage,
    Vocabulary,
    scene_language,
)
from mlm_mini.languages import scene_grammar as grammar
from mlm_mini.languages import scene_lexicon as lexicon
from mlm_mini.languages.sentences import BLOCK

VOWELS = tuple("aeiou")


@pytest.fixture(scope="module")
def tiny():
    """Five scenes of two or three words out of four: shared and own distributions, two sentence lengths."""
    rng = np.random.default_rng(0)
    vocabulary = Vocabulary([*SPECIAL_TOKENS, "w", "x", "y", "z"])
    sure = np.eye(9)[[2, 3, 0, 5]]  # [CLS], [SEP], [PAD], w
    drawn = np.zeros((4, 9))
    drawn[:, 5:] = rng.dirichlet(np.ones(4), size=4)
    drawn[3] = np.eye(9)[[5, 8]].mean(axis=0)  # w or z, never x or y
    cls, sep, pad, w, a, b, c, d = range(8)
    slots = [
        [cls, a, b, sep, pad],
        [cls, w, c, a, sep],
        [cls, w, d, b, sep],
        [cls, a, d, sep, pad],
        [cls, w, b, b, sep],
    ]
    return SceneLanguage(
        vocabulary, rng.dirichlet(np.ones(5)), slots, np.vstack([sure, drawn]), referent=[1, 1, 2, 2, -1]
    )


@pytest.fixture(scope="module")
def table(tiny):
    """p of every sentence, straight from the definition: (V,) * T."""
    words = tiny.distributions[tiny.slot_distribution]  # (S, T, V)
    return np.einsum("s,sa,sb,sc,sd,se->abcde", tiny.prior, *words.transpose(1, 0, 2))


@pytest.fixture(scope="module")
def language():
    return scene_language()


@pytest.fixture(scope="module")
def sample(language):
    return language.sample(20_000, np.random.default_rng(5))


# ---- exact answers, tiny language


def test_posterior_and_marginal_of_random_masks(tiny, table):
    oracle.assert_exact_at_random_masks(tiny, table, n=300)


@pytest.mark.parametrize("positions", [[1], [1, 2], [2, 1], [3, 1, 2], [3, 4], [4, 2, 0, 1, 3]])
def test_joint(tiny, table, positions):
    oracle.assert_exact_joint(tiny, table, "w z x", positions)


def test_scene_posterior_is_bayes_rule(tiny):
    ids = tiny.encode("w [MASK] x")
    words = tiny.distributions[tiny.slot_distribution]  # (S, T, V)
    visible = [0, 1, 3, 4]
    weight = tiny.prior * words[:, visible, ids[visible]].prod(axis=1)
    np.testing.assert_allclose(tiny.scene_posterior(ids[None])[0], weight / weight.sum(), atol=1e-14)
    referent = tiny.referent_posterior(ids[None])[0]
    np.testing.assert_allclose(referent[[1, 2]], [weight[[0, 1]].sum(), weight[[2, 3]].sum()] / weight.sum())
    assert referent.sum() == pytest.approx(1 - weight[4] / weight.sum())


@pytest.mark.parametrize("split", [(0.8, 0.1, 0.1), (0, 1, 0), (0.5, 0, 0.5), (0, 0, 1)])
def test_posterior_under_corruption(tiny, table, split):
    answers = oracle.posteriors_under_corruption(table, tiny.vocabulary, 0.3, split)
    answers = {key: mass for key, mass in answers.items() if mass.sum() > 0}
    ids = np.array([key[0] for key in answers])
    asked = np.array([[key[1]] for key in answers])
    got = tiny.posterior_under_corruption(ids, asked, 0.3, split)[:, 0]
    np.testing.assert_allclose(got, [mass / mass.sum() for mass in answers.values()], atol=1e-12)


def test_pure_masking_is_corruption_without_noise(tiny):
    ids = oracle.random_masks(tiny, np.random.default_rng(0), 50)
    ids[:, 0] = tiny.vocabulary.cls_id
    asked = np.ones((50, 1), dtype=int)
    ids[:, 1] = tiny.vocabulary.mask_id
    got = tiny.posterior_under_corruption(ids, asked, 0.15, (1, 0, 0))
    np.testing.assert_allclose(got, tiny.posterior_at(ids, asked), atol=1e-13)


@pytest.mark.parametrize(("ratio", "split"), [(0.4, (1, 0, 0)), (1.0, (1, 0, 0)), (0.4, (0.8, 0.1, 0.1))])
def test_bayes_floor(tiny, table, ratio, split):
    floor = tiny.bayes_floor(ratio, np.random.default_rng(3), n=20_000, split=split)
    assert abs(floor.mean - oracle.floor(table, tiny.vocabulary, ratio, split)) < 4 * floor.standard_error
    assert 0 < floor.standard_error < 0.01
    assert floor.sentences == 20_000


@pytest.mark.parametrize("ratio", [0.3, 0.6, 1.0])
def test_bayes_floor_with_a_fixed_number_of_masks(tiny, table, ratio):
    floor = tiny.bayes_floor(ratio, np.random.default_rng(3), n=20_000, method="fixed")
    assert abs(floor.mean - oracle.fixed_floor(table, tiny.vocabulary, ratio)) < 4 * floor.standard_error


def test_standard_error_is_the_spread_of_repeated_floors(tiny):
    rng = np.random.default_rng(4)
    floors = [tiny.bayes_floor(0.3, rng, n=300) for _ in range(300)]
    spread = np.std([floor.mean for floor in floors], ddof=1)
    assert spread == pytest.approx(np.mean([floor.standard_error for floor in floors]), rel=0.15)


def test_samples_follow_the_table(tiny, table):
    ids = tiny.sample(30_000, np.random.default_rng(6)).ids
    possible = oracle.sentences(table)
    counts = np.array([(ids == sentence).all(axis=1).sum() for sentence, _ in possible])
    expected = len(ids) * np.array([p for _, p in possible])
    assert counts.sum() == len(ids)
    common = expected > 5
    counts, expected = np.append(counts[common], counts[~common].sum()), np.append(expected[common], 0.0)
    expected[-1] = len(ids) - expected.sum()
    assert stats.chisquare(counts[expected > 0], expected[expected > 0]).pvalue > 0.01


# ---- exact answers, bundled language


def test_filling_in_one_or_two_masks_by_hand(language, sample):
    """log p of every completion of a blank, summed and normalized, is what the language says at once."""
    rng = np.random.default_rng(7)
    V, mask = len(language.vocabulary), language.vocabulary.mask_id
    for ids in sample.ids[:40].copy():
        words = np.flatnonzero(np.isin(ids, language.vocabulary.regular_ids))
        first, second = rng.choice(words, 2, replace=False)
        ids[first] = mask
        completions = np.repeat(ids[None], V, axis=0)
        completions[:, first] = np.arange(V)
        completions[mask, first] = language.vocabulary.unk_id  # not a completion: impossible by definition
        p = np.exp(language.log_marginal(completions))
        assert p.sum() == pytest.approx(np.exp(language.log_marginal(ids[None])[0]), rel=1e-12)
        np.testing.assert_allclose(language.posterior(ids[None])[0, first], p / p.sum(), atol=1e-12)

        ids[second] = mask
        total = np.exp(language.log_marginal(ids[None])[0])
        word = completions[0, second]
        joint = language.joint(ids, [first, second])
        np.testing.assert_allclose(joint[:, word], p / total, atol=1e-12)
        np.testing.assert_allclose(joint.sum(axis=1), language.posterior(ids[None])[0, first], atol=1e-12)


def test_posteriors_sum_to_one_whatever_is_hidden(language):
    ids = oracle.random_masks(language, np.random.default_rng(8), 200)
    posterior = language.posterior(ids)
    np.testing.assert_allclose(posterior.sum(axis=2), 1, atol=1e-12)
    assert (posterior >= 0).all()
    assert language.log_marginal(np.full_like(ids[:1], language.vocabulary.mask_id))[0] == pytest.approx(0, abs=1e-12)


def test_posterior_at_in_blocks_is_the_same_as_one_by_one(language, sample):
    ids = sample.ids[: BLOCK + 5].copy()
    ids[:, [2, 3]] = language.vocabulary.mask_id
    together = language.posterior_at(ids, np.tile([3, 1, 2], (len(ids), 1)))
    for row in (0, BLOCK - 1, BLOCK, BLOCK + 4):
        alone = language.posterior(ids[row : row + 1])[0, [3, 1, 2]]
        np.testing.assert_allclose(together[row], alone, atol=1e-13)


def test_word_frequencies_follow_the_exact_marginals(language, sample):
    """At each position, sampled words against the posterior when everything is hidden."""
    hidden = np.full((1, language.length), language.vocabulary.mask_id)
    exact = language.posterior(hidden)[0]
    pvalues = []
    for t in range(1, language.length):
        expected = len(sample) * exact[t]
        counts = np.bincount(sample.ids[:, t], minlength=len(expected))
        assert counts[expected == 0].sum() == 0
        common = expected > 10
        if common.sum() < 2:
            continue
        counts, expected = counts[common], expected[common]
        pvalues.append(stats.chisquare(counts, expected * counts.sum() / expected.sum()).pvalue)
    assert min(pvalues) > 0.01 / len(pvalues)


def test_floor_rises_with_the_mask_ratio_and_lies_below_the_unigram_entropy(language, sample):
    rng = np.random.default_rng(9)
    low, usual, all_hidden = (language.bayes_floor(ratio, rng, n=4000) for ratio in (0.01, 0.15, 1.0))
    assert low.mean < usual.mean + 2 * (low.standard_error + usual.standard_error)
    assert 0.5 < usual.mean < 1.2 < all_hidden.mean < 2.5
    counts = np.bincount(sample.ids[np.isin(sample.ids, language.vocabulary.regular_ids)])
    assert all_hidden.mean < stats.entropy(counts)


def test_a_reader_of_kept_words_pays_nothing(language):
    rng = np.random.default_rng(10)
    kept = language.bayes_floor(0.3, rng, n=500, split=(0, 0, 1))
    assert kept.mean == pytest.approx(0, abs=1e-9)


# ---- the language itself


def referent(language, text):
    ids = language.encode(text)
    p = language.referent_posterior(ids[None])[0]
    return {language.vocabulary.tokens[ids[t]]: p[t] for t in np.flatnonzero(p)}


def test_the_clause_settles_who_is_meant(language):
    start = "the minister spoke to the activist about the protest because"
    assert referent(language, f"{start} he advocated for change .") == {"activist": pytest.approx(1)}
    assert referent(language, f"{start} he wanted votes .") == {"minister": pytest.approx(1)}
    for open_end in ("he [MASK] [MASK] [MASK] .", "he asked for help .", "[MASK] [MASK] [MASK] [MASK] ."):
        answer = referent(language, f"{start} {open_end}")
        assert answer == {"minister": pytest.approx(0.5), "activist": pytest.approx(0.5)}
    shared = referent(language, f"{start} she fought for reform .")
    assert 0.05 < shared["minister"] < 0.95


def test_nothing_before_the_pronoun_tells_who_is_meant(language, sample):
    rows = np.flatnonzero(sample.referent > 0)[:300]
    ids = sample.ids[rows].copy()
    because = (ids == language.vocabulary.ids(["because"])[0]).argmax(axis=1)
    ids[np.arange(language.length) > because[:, None]] = language.vocabulary.mask_id
    p = language.referent_posterior(ids)[np.arange(len(rows)), sample.referent[rows]]
    np.testing.assert_allclose(p, 0.5, atol=1e-12)


def test_gender_is_fixed_for_kings_and_aunts_and_even_for_professions(language):
    she, he = language.vocabulary.ids(["she", "he"])

    def p_she(text):
        posterior = language.posterior(language.encode(text)[None])[0, 7]
        assert posterior[she] + posterior[he] == pytest.approx(1)
        return posterior[she]

    assert p_she("the queen thanked the poet because [MASK] ruled with justice .") == pytest.approx(1)
    assert p_she("the monk visited the aunt because [MASK] worried about money .") == pytest.approx(1)
    assert p_she("the monk visited the aunt because [MASK] prayed for mercy .") == pytest.approx(0)
    assert p_she("the monk visited the aunt because [MASK] [MASK] [MASK] [MASK] .") == pytest.approx(0.5)
    assert p_she("the nurse met the captain because [MASK] worried about health .") == pytest.approx(0.5)


def test_right_context_lowers_the_surprisal_of_a_pronoun(language, sample):
    rows = np.flatnonzero(sample.referent > 0)[:2000]
    ids = sample.ids[rows]
    pronoun = np.isin(ids, language.vocabulary.ids(["he", "she"])).argmax(axis=1)[:, None]
    at = np.arange(language.length)
    nats = []
    for hidden in (at == pronoun, at >= pronoun):
        seen = np.where(hidden, language.vocabulary.mask_id, ids)
        nats.append(stats.entropy(language.posterior_at(seen, pronoun)[:, 0], axis=1).mean())
    both, left = nats
    assert left - both > 0.1


@pytest.mark.parametrize(
    ("text", "agent", "patient", "other"),
    [
        ("the chef cuts the bread .", "chef", "bread", None),
        ("the bread is cut by the chef .", "chef", "bread", None),
        ("the meat is chopped with a knife .", None, "meat", "knife"),
        ("the child runs in the park .", "child", None, "park"),
        ("the child falls in the park .", None, "child", "park"),
        ("the glass breaks .", None, "glass", None),
        ("the door opens slowly .", None, "door", None),
        ("the soldier suffers a wound .", None, "soldier", "wound"),
        ("the soldier treats a wound .", "soldier", "wound", None),
        ("the patient undergoes treatment in the hospital .", None, "patient", "treatment"),
        ("the cat chased the mouse .", "cat", "mouse", None),
        ("the waiter brings the soup to the queen .", "waiter", "soup", "queen"),
    ],
)
def test_roles(language, text, agent, patient, other):
    ids = language.encode(text)
    scenes = np.flatnonzero(language.scene_posterior(ids[None])[0])
    roles = np.unique(language.roles[scenes], axis=0)
    assert len(roles) == 1, "the words decide the roles"
    tokens = np.array(language.vocabulary.words(ids))
    for role, word in ((ROLE_AGENT, agent), (ROLE_PATIENT, patient)):
        assert tokens[roles[0] == role].tolist() == ([word] if word else [])
    assert other is None or other in tokens[roles[0] == ROLE_OTHER]


@pytest.mark.parametrize("text", ["the child [MASK] .", "the soldier [MASK] a wound .", "the nurse [MASK] surgery ."])
def test_without_the_verb_the_role_of_the_subject_is_open(language, text):
    posterior = language.scene_posterior(language.encode(text)[None])[0]
    agent = posterior[language.roles[:, 2] == ROLE_AGENT].sum()
    assert 0.15 < agent < 0.85


def test_agent_and_patient_depend_on_each_other_given_the_verb(language):
    ids = language.encode("the [MASK] chased the [MASK] .")
    joint = language.joint(ids, [2, 5])
    apart = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    assert stats.entropy(joint.ravel(), apart.ravel()) > 0.5
    cat, mouse, dog = language.vocabulary.ids(["cat", "mouse", "dog"])
    assert joint[cat, mouse] > 0
    assert joint[dog, cat] > 0
    assert joint[mouse, cat] == joint[dog, mouse] == 0


def test_cat_and_dog_share_most_contexts_and_not_all(language):
    def log_p(text):
        return language.log_marginal(language.encode(text)[None])[0]

    for context in ("the {} ate the meat .", "the {} slept on the sofa .", "the girl stroked the {} ."):
        assert np.isfinite([log_p(context.format("cat")), log_p(context.format("dog"))]).all()
    assert log_p("the dog purred .") == log_p("the cat barked .") == -np.inf


def test_labels_fit_the_words(language, sample):
    tokens = np.array(language.vocabulary.tokens)
    classes = np.array([language.word_class.get(token, "") for token in tokens])[sample.ids]
    verbal = np.isin(classes, ["PRESENT_VERBS", "PAST_VERBS", "PARTICIPLES", "DETERMINERS", "PREPOSITIONS"])
    assert (sample.roles[verbal] == 0).all()
    assert (sample.roles[np.isin(sample.ids, language.vocabulary.special_ids)] == 0).all()
    has_pronoun = np.isin(sample.ids, language.vocabulary.ids(["he", "she"])).any(axis=1)
    np.testing.assert_array_equal(has_pronoun, sample.referent > 0)
    np.testing.assert_array_equal(has_pronoun, sample.frame == language.frames.index("coreference"))
    people = [name for name in lexicon.CONTENT_WORDS if name in " ".join(kind.people for kind in lexicon.PEOPLE_KINDS)]
    meant = classes[has_pronoun, sample.referent[has_pronoun]]
    assert set(meant) == {*people, "ROYALS", "KIN", "CLERGY"}
    assert sample.roles.dtype == np.int8
    assert set(language.frames) == {"active", "passive", "acting", "undergoing", "coreference"}


def test_every_word_occurs_and_has_one_class(language):
    regular = language.vocabulary.words(language.vocabulary.regular_ids)
    assert set(language.word_class) == set(regular)
    assert 250 <= len(regular) <= 400
    used = language.distributions[np.unique(language.slot_distribution)].sum(axis=0)
    assert (used[language.vocabulary.regular_ids] > 0).all()
    sizes = np.unique(list(language.word_class.values()), return_counts=True)[1]
    assert (sizes >= 6).sum() >= 25


def test_sentences_read_like_english(language, sample):
    texts = {sample.text(i) for i in range(2000)}
    lengths = [len(text.split()) for text in texts]
    assert (min(lengths), max(lengths)) == (4, 15)
    for text in texts:
        words = text.split()
        assert words[0] == "the"
        assert words[-1] == "."
        assert words.count(".") == 1
        assert text == text.lower()
        named = [word for word in words if language.word_class[word] in lexicon.CONTENT_WORDS]
        assert len(named) == len(set(named)), "nobody gives a thing to himself"
        for word, following in pairwise(words):
            assert word != following
            assert word != "a" or not following.startswith(VOWELS)
            assert word not in ("is", "was") or language.word_class[following] in ("PARTICIPLES", "PAST_VERBS")
        assert language.decode(language.encode(text)) == text


def test_scenes_are_built_alike_in_every_process(language):
    script = "from mlm_mini.languages import scene_language; print(scene_language().fingerprint)"
    names = {
        subprocess.run(
            [sys.executable, "-c", script], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert names == {language.fingerprint}


def parts_of(language):
    """What `SceneLanguage` is made of, with two frames."""
    names = ("prior", "slot_distribution", "distributions", "roles", "referent", "frame")
    return {name: getattr(language, name).copy() for name in names} | {
        "vocabulary": language.vocabulary,
        "frames": ("one", "other"),
        "word_class": {"w": "nouns"},
    }


@pytest.mark.parametrize(
    ("part", "change"),
    [
        ("prior", lambda prior: prior + np.array([1e-6, -1e-6, 0, 0, 0])),
        ("distributions", lambda p: p[:, [0, 1, 2, 3, 4, 6, 5, 7, 8]]),
        ("slot_distribution", lambda slots: slots[:, [0, 2, 1, 3, 4]]),
        ("vocabulary", lambda _: Vocabulary([*SPECIAL_TOKENS, "v", "x", "y", "z"])),
        ("roles", lambda roles: roles + 1),
        ("referent", lambda referent: referent[::-1]),
        ("frame", lambda frame: frame + 1),
        ("frames", lambda frames: frames[::-1]),
        ("word_class", lambda _: {"w": "verbs"}),
    ],
)
def test_fingerprint_changes_with_any_probability_word_or_label(tiny, part, change):
    parts = parts_of(tiny)
    same = SceneLanguage(**parts).fingerprint
    assert SceneLanguage(**parts).fingerprint == same != tiny.fingerprint
    assert SceneLanguage(**(parts | {part: change(parts[part])})).fingerprint != same


class Highest:
    """A generator whose every number is the highest that there is, and that draws all scenes in turn."""

    def random(self, shape):
        return np.full(shape, np.nextafter(1.0, 0.0))

    def choice(self, n, size, p):
        return np.arange(size) % n


def test_the_highest_random_number_draws_a_word_that_can_be(language):
    drawn = language.sample(len(language.prior), Highest())
    rows = language.slot_distribution[drawn.scene]
    assert (language.distributions[rows, drawn.ids] > 0).all()


# ---- wrong input


def test_encode(language):
    ids = language.encode("The [MASK] cuts the bread.")
    assert language.vocabulary.words(ids[:8]) == ["[CLS]", "the", "[MASK]", "cuts", "the", "bread", ".", "[SEP]"]
    assert (ids[8:] == language.vocabulary.pad_id).all()
    assert ids.shape == (language.length,)
    with pytest.raises(ValueError, match=r"'chefs' in .* did you mean 'chef'"):
        language.encode("the chefs cuts the bread .")
    with pytest.raises(ValueError, match="spelled alike"):
        language.encode("the qqq cuts the bread .")
    with pytest.raises(ValueError, match=r"'\[PAD\]' in"):
        language.encode("the [PAD] .")
    with pytest.raises(ValueError, match=r"1 to 15 words, .* has 16"):
        language.encode("the " * 16)
    with pytest.raises(ValueError, match="has 0"):
        language.encode(" ")


def test_impossible_sentences(language):
    ids = np.stack([language.encode("the chef cuts the bread ."), language.encode("the bread cuts the [MASK] .")])
    assert np.isfinite(language.log_marginal(ids)).tolist() == [True, False]
    asked = np.full((2, 1), 5)
    for ask in (
        language.posterior,
        language.scene_posterior,
        language.referent_posterior,
        lambda rows: language.posterior_at(rows, asked),
    ):
        with pytest.raises(ValueError, match=r"row 1 is impossible .*the bread cuts the \[MASK\]"):
            ask(ids)
    with pytest.raises(ValueError, match="impossible"):
        language.joint(ids[1], [5])
    short = language.encode("the cat .")
    with pytest.raises(ValueError, match="row 1 is impossible"):
        language.posterior_under_corruption(np.stack([ids[0], short]), [[2, 3], [2, 3]], 0.15, (0.8, 0.1, 0.1))
    ids[0, 2] = language.vocabulary.unk_id
    assert language.log_marginal(ids[:1])[0] == -np.inf


def test_wrong_ids(language):
    ids = np.zeros((2, language.length), dtype=int)
    for bad, error, message in (
        (ids[0], ValueError, "2 dimension"),
        (ids[:, :-1], ValueError, "17 positions"),
        (ids + 0.5, TypeError, "float64"),
        (ids - 1, ValueError, "id -1 at index .0, 0."),
        (ids + 10_000, ValueError, "id 10000"),
    ):
        for ask in (language.log_marginal, language.posterior, language.scene_posterior):
            with pytest.raises(error, match=message):
                ask(bad)


def test_wrong_positions(language):
    ids = language.encode("the [MASK] cuts the [MASK] .")
    for bad, error, message in (
        ([[17]], ValueError, "position 17 is outside"),
        ([[-1]], ValueError, "position -1"),
        ([2], ValueError, r"shape \(1, k\)"),
        ([[2], [2]], ValueError, r"shape \(1, k\)"),
        ([[2.0]], TypeError, "float64"),
    ):
        with pytest.raises(error, match=message):
            language.posterior_at(ids[None], bad)
    for bad, message in (([2, 2], "distinct"), ([], "at least one"), ([3], "position 3 shows 'cuts'")):
        with pytest.raises(ValueError, match=message):
            language.joint(ids, np.array(bad, dtype=int))
    with pytest.raises(ValueError, match="never selected"):
        language.posterior_under_corruption(ids[None], [[0]], 0.15, (0.8, 0.1, 0.1))
    hidden = np.full(language.length, language.vocabulary.mask_id)
    with pytest.raises(ValueError, match="more than the limit of 67108864"):
        language.joint(hidden, [1, 2, 3, 4])


def test_fewer_than_no_sentences_are_refused(tiny):
    assert tiny.sample(0, np.random.default_rng(0)).ids.shape == (0, 5)
    with pytest.raises(ValueError, match="number of sentences, got -1"):
        tiny.sample(-1, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mask_ratio": 0}, "mask_ratio is 0"),
        ({"mask_ratio": 1.5}, r"in \[0, 1\], got 1.5"),
        ({"mask_ratio": np.nan}, "got nan"),
        ({"n": 1}, "at least 2"),
        ({"mask_ratio": 1e-9, "n": 5}, "no token was selected"),
        ({"split": (0.8, 0.1, 0.2)}, "sum to 1"),
        ({"split": (0.8, 0.2)}, "three shares"),
        ({"split": (1.1, -0.1, 0)}, "three shares"),
        ({"split": (0.8, 0.1, 0.1), "method": "fixed"}, "needs method 'bernoulli'"),
    ],
)
def test_wrong_floors(tiny, arguments, message):
    arguments = {"mask_ratio": 0.15, "rng": np.random.default_rng(0), "n": 10} | arguments
    with pytest.raises(ValueError, match=message):
        tiny.bayes_floor(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"prior": [0.5, 0.6]}, ValueError, "prior must sum to one"),
        ({"prior": [1.0]}, ValueError, r"prior must have shape \(2,\)"),
        ({"slot_distribution": [[0, 3], [0, 1]]}, ValueError, "slot_distribution has 3, but runs 0..2"),
        ({"slot_distribution": [0, 1]}, ValueError, "slot_distribution must have shape"),
        ({"slot_distribution": [[0.0], [1.0]]}, TypeError, "slot_distribution must be integers"),
        ({"distributions": np.eye(4)[:3]}, ValueError, "distributions must have shape"),
        ({"roles": [[0, 4], [0, 0]]}, ValueError, "roles has 4"),
        ({"referent": [-2, 0]}, ValueError, "referent has -2"),
        ({"frame": [0, 1]}, ValueError, "frame has 1"),
        (
            {"slot_distribution": [[0] * 30] * 2, "distributions": [[1 - 1e-12] + [0] * 4 + [1e-12]]},
            ValueError,
            "float64",
        ),
    ],
)
def test_wrong_scene_languages(arguments, error, message):
    good = {
        "vocabulary": Vocabulary([*SPECIAL_TOKENS, "x"]),
        "prior": [0.5, 0.5],
        "slot_distribution": [[0, 1], [0, 2]],
        "distributions": np.eye(6)[:3],
    }
    with pytest.raises(error, match=message):
        SceneLanguage(**(good | arguments))


@pytest.mark.parametrize(("nats", "fits"), [(-23.0, True), (-24.5, False)])
def test_a_sentence_must_be_a_number_that_float64_can_hold(nats, fits):
    """Of 30 words of this probability: exp(-690), and exp(-735), of which only some digits are left."""
    p = np.exp(nats)
    parts = {
        "vocabulary": Vocabulary([*SPECIAL_TOKENS, "x"]),
        "prior": [1.0],
        "slot_distribution": [[0] * 30],
        "distributions": [[1 - p, 0, 0, 0, 0, p]],
    }
    if fits:
        ids = np.full((1, 30), 5)
        assert SceneLanguage(**parts).log_marginal(ids)[0] == pytest.approx(30 * nats)
    else:
        with pytest.raises(ValueError, match=r"exp\(-735\), which float64 cannot hold"):
            SceneLanguage(**parts)


def test_a_lexicon_with_a_slip_is_told_about_it(monkeypatch):
    lexis = grammar.Lexis()
    with pytest.raises(ValueError, match=r"'COOCKS' in filler .*COOKS"):
        lexis.words("COOCKS mother")
    egg = lexicon.situation("treating", agent="COOKS", verb="TREAT", patient="apple")
    with pytest.raises(ValueError, match=r"'a' stands before one of .'apple'."):
        list(grammar._scenes([egg], lexis))
    mute = lexicon.situation("transitive", agent="COOKS")
    with pytest.raises(ValueError, match="no template of family 'transitive'"):
        list(grammar._scenes([mute], lexis))
    typo = grammar.Scene(1.0, "active", [frozenset(["teh"])], ["none"], -1)
    with pytest.raises(ValueError, match="'teh' is in a template"):
        grammar._numbered([typo], lexis)
    monkeypatch.setitem(lexicon.CONTENT_WORDS, "PETS", "dog cat knife")
    with pytest.raises(ValueError, match="'knife' is in PETS and in TOOLS"):
        grammar.Lexis()
