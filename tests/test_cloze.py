"""The cloze game: pairs from text, guesses and their price, an opponent that cannot be beaten, and its widget."""

import asyncio
import html
import math
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlm_mini.languages import SceneLanguage, Trigram, cloze
from mlm_mini.languages.cloze import EnglishCloze, Game, Player, Question, SceneCloze, english_cloze, scene_cloze
from mlm_mini.reference import entropy
from mlm_mini.widgets import cloze_widget
from mlm_mini.widgets.cloze import LETTERS_SECONDS, game_html, percent

WORDS = st.lists(st.sampled_from(["the", "cat", "chased", "dog", "."]), min_size=1, max_size=9)
CHEF = ("the", "chef", "cuts", "the", "bread", ".")


def rng(seed=0):
    return np.random.default_rng(seed)


# ---------------------------------------------------------------- pairs


@given(WORDS)
def test_every_pair_gives_back_the_sentence(words):
    before = list(words)
    pairs = cloze.all_pairs(words)
    assert words == before
    assert len(pairs) == len(words)
    for index, (input_words, label) in enumerate(pairs):
        assert input_words.count("[MASK]") == 1
        assert [*input_words[:index], label, *input_words[index + 1 :]] == words


@given(WORDS, st.data())
def test_input_and_labels_of_several_blanks_make_up_the_sentence(words, data):
    positions = data.draw(st.lists(st.integers(0, len(words) - 1), unique=True))
    input_words, labels = cloze.several_blanks(words, positions)
    assert [label or word for word, label in zip(input_words, labels, strict=True)] == words
    assert {i for i, label in enumerate(labels) if label} == set(positions)
    assert {i for i, word in enumerate(input_words) if word == "[MASK]"} == set(positions)


def test_unigram_counts_every_place():
    assert cloze.unigram([["a", "b", "a"], ["a"]]) == {"a": 0.75, "b": 0.25}
    with pytest.raises(ValueError, match="no word"):
        cloze.unigram([[], []])


# ---------------------------------------------------------------- guesses


@given(st.floats(0, 1), st.integers(2, 50))
def test_a_guess_is_a_distribution(confidence, count):
    words = [f"w{i}" for i in range(count)]
    q = cloze.guess_distribution("w1", confidence, words)
    assert q["w1"] == confidence
    assert math.isclose(sum(q.values()), 1)
    assert len({p for word, p in q.items() if word != "w1"}) == 1


@pytest.mark.parametrize("confidence", [-0.1, 1.1, math.nan])
def test_a_confidence_that_is_no_probability_is_refused(confidence):
    with pytest.raises(ValueError, match="confidence is"):
        cloze.guess_distribution("a", confidence, ["a", "b"])
    with pytest.raises(ValueError, match="confidence is"):
        cloze.tempered(confidence)


def test_a_guess_must_be_one_of_the_words():
    with pytest.raises(ValueError, match="'c' must be one of"):
        cloze.guess_distribution("c", 0.5, ["a", "b"])


def test_limited_to_some_words_a_player_keeps_its_likeliest_ones():
    believed = {"a": 0.2, "b": 0.5, "c": 0.3, "d": 0.0}
    assert cloze.limited_to_words(believed) == pytest.approx({"a": 0.5 / 3, "b": 0.5, "c": 0.5 / 3, "d": 0.5 / 3})
    assert cloze.limited_to_words(believed, 2) == pytest.approx({"a": 0.1, "b": 0.4, "c": 0.4, "d": 0.1})
    certain = cloze.limited_to_words({"a": 1.0, "b": 0.0, "c": 0.0})
    assert certain == pytest.approx({"a": 0.99, "b": 0.005, "c": 0.005}), "kept within the player's limits"


def test_a_guess_of_several_words_shares_the_confidence():
    q = cloze.spread_distribution(("w1", "w3"), 0.6, ["w0", "w1", "w2", "w3"])
    assert q == pytest.approx({"w0": 0.2, "w1": 0.3, "w2": 0.2, "w3": 0.3})
    for guesses, says in ((("a", "a"), "named twice"), (("a", "b", "c"), "one of more than 3 words"), (("z",), "'z'")):
        with pytest.raises(ValueError, match=says):
            cloze.spread_distribution(guesses, 0.5, ["a", "b", "c"])


def test_score_in_nats():
    assert cloze.score({"a": 0.5, "b": 0.5}, "a") == pytest.approx(math.log(2))
    assert cloze.score({"a": 1.0}, "a") == 0
    assert cloze.score({"a": 1.0}, "b") == cloze.score({"a": 1.0, "b": 0.0}, "b") == math.inf


# ---------------------------------------------------------------- the game


class Two(cloze.ClozeText):
    """One sentence, two words, an opponent that gives the answer a quarter."""

    name, source, opponent_name, words = "Two", "made up", "the coin", ("left", "right")

    def draw(self, rng):
        return Question(("turn", "left"), 1)

    def opponent(self, question):
        return {"left": 0.25, "right": 0.75}


def test_a_round_is_scored_as_the_chapter_says():
    game = Game(Two(), rng())
    assert math.isnan(game.scoreboard().mean_nats)
    played = game.play(" LEFT ", 0.8)
    assert (played.guesses, played.confidence, played.remark) == (("left",), 0.8, "")
    assert played.nats == pytest.approx(-math.log(0.8))
    assert played.opponent_nats == pytest.approx(math.log(4))
    assert played.best == (("right", 0.75), ("left", 0.25))
    game.next_question()
    assert game.play("right", 0.8).nats == pytest.approx(-math.log(0.2))
    board = game.scoreboard()
    assert board.rounds == 2
    assert board.mean_nats == pytest.approx(-math.log(0.8 * 0.2) / 2)
    assert board.opponent_mean_nats == board.limited_mean_nats == pytest.approx(math.log(4))


def against_a_rival(believe):
    text = Two()
    text.rival = Player("the parrot", believe)
    return Game(text, rng())


def test_a_rival_is_asked_the_same_and_pays_for_what_it_believed():
    asked = []

    def believe(question):
        asked.append(question)
        return {"left": 0.9, "right": 0.1} if len(asked) == 1 else {"right": 1.0}

    game = against_a_rival(believe)
    played = game.play("left", 0.8)
    assert asked == [played.question]
    assert played.rival_nats == pytest.approx(-math.log(0.9))
    assert played.nats == pytest.approx(-math.log(0.8)), "the rival changes nothing for the others"
    assert game.scoreboard().rival_mean_nats == played.rival_nats
    game.next_question()
    assert game.play("left", 0.8).rival_nats == math.inf, "what it ruled out was the answer"
    assert game.scoreboard().rival_mean_nats == math.inf
    assert math.isfinite(game.scoreboard().mean_nats)


def test_without_a_rival_there_is_no_number_for_one():
    game = Game(Two(), rng())
    assert math.isnan(game.scoreboard().rival_mean_nats)
    assert math.isnan(game.play("left", 0.8).rival_nats)
    assert math.isnan(game.scoreboard().rival_mean_nats)


@pytest.mark.parametrize(("confidence", "counted"), [(0.0, 0.01), (1.0, 0.99), (0.01, 0.01), (0.99, 0.99)])
def test_no_confidence_costs_infinitely_much(confidence, counted):
    for guess in Two.words:
        played = Game(Two(), rng()).play(guess, confidence)
        assert played.confidence == counted
        assert math.isfinite(played.nats)
        assert bool(played.remark) == (confidence != counted)


@pytest.mark.parametrize(
    ("guess", "says"),
    [
        ("", "type a word first"),
        ("   ", "type a word first"),
        (" , ", "type a word first"),
        ("left right", "2 words are too many: name 1 at most"),
        ("lefd", "not among the 2 words of this text: did you mean left"),
        ("zyzzyva", "not among the 2 words of this text: try another"),
    ],
)
def test_what_cannot_be_scored_is_told_and_not_counted(guess, says):
    game = Game(Two(), rng())
    with pytest.raises(ValueError, match=says):
        game.play(guess, 0.5)
    assert game.rounds == []
    assert not game.answered


def test_a_sentence_is_answered_once():
    game = Game(Two(), rng())
    game.play("left", 0.5)
    with pytest.raises(ValueError, match="answered"):
        game.play("left", 0.99)
    assert len(game.rounds) == 1


@pytest.mark.parametrize("text", [scene_cloze, english_cloze])
def test_a_seed_fixes_the_game(text):
    def questions(seed):
        game = Game(text(), rng(seed))
        return [game.next_question() for _ in range(5)]

    assert questions(3) == questions(3)
    assert questions(3) != questions(4)


# ---------------------------------------------------------------- scenes


def test_the_exact_posterior_pays_its_own_entropy_on_average():
    """It would pay something else if the choice of the blank gave away anything about the word."""
    text, generator = scene_cloze(), rng(11)
    excess = []
    for _ in range(2000):
        question = text.draw(generator)
        q = text.opponent(question)
        assert question.answer != "."
        excess.append(cloze.score(q, question.answer) - entropy(list(q.values())))
    excess = np.array(excess)
    assert abs(excess.mean()) < 4 * excess.std() / math.sqrt(len(excess))
    assert excess.std() > 0.3  # so that the sentence above is no tautology


def test_a_player_may_spread_a_guess_over_several_words():
    game = Game(scene_cloze(), rng(1))
    q = game.text.opponent(game.question)
    first, second = sorted(q, key=q.get, reverse=True)[:2]
    played = game.play(f"{first}, {second.upper()} {first}", 0.6)
    assert played.guesses == (first, second)
    stated = cloze.spread_distribution((first, second), 0.6, game.text.words)
    assert played.nats == cloze.score(stated, game.question.answer)
    assert played.limited_nats == cloze.score(cloze.limited_to_words(q, 2), game.question.answer)
    assert f"; limited to 2 words, {first!r} or {second!r}, it would pay" in html.unescape(game_html(game))
    game.next_question()
    with pytest.raises(ValueError, match="6 words are too many: name 5 at most"):
        game.play(" ".join(game.text.words[:6]), 0.5)


def test_nobody_limited_to_one_word_pays_less_on_average():
    text, generator = scene_cloze(), rng(14)
    for _ in range(3):
        q = text.opponent(text.draw(generator))

        def mean_nats(stated, q=q):
            return sum(probability * cloze.score(stated, word) for word, probability in q.items() if probability)

        limited = mean_nats(cloze.limited_to_words(q))
        likeliest_first = sorted(q, key=q.get, reverse=True)
        for word in (*likeliest_first[:3], likeliest_first[-1]):
            others = [mean_nats(cloze.guess_distribution(word, hundredths / 100, q)) for hundredths in range(1, 100)]
            assert limited < min(others) + 1e-9
        assert limited > entropy(list(q.values())) + 1


def test_the_rows_of_the_score_table_are_what_the_chapter_says():
    text, generator = scene_cloze(), rng(12)
    asked = [(text.opponent(question), question.answer) for question in (text.draw(generator) for _ in range(1500))]
    whole = np.mean([cloze.score(q, answer) for q, answer in asked])
    one, three = (np.array([cloze.score(cloze.limited_to_words(q, n), a) for q, a in asked]) for n in (1, 3))
    assert whole == pytest.approx(1.7, abs=0.1)
    assert one.mean() == pytest.approx(4.5, abs=0.3)
    assert one.mean() - three.mean() > 1
    assert one.std() > 2


def test_in_the_game_the_unigram_player_does_worse_than_knowing_nothing():
    text, generator = scene_cloze(), rng(16)
    sample = text.language.sample(20_000, generator)
    sentences = [sample.text(i).split()[:-1] for i in range(len(sample))]
    counted = cloze.unigram(sentences)
    asked = [text.draw(generator) for _ in range(300)]
    paid = np.array([cloze.score(counted, question.answer) for question in asked])
    assert paid.mean() - 3 * paid.std() / math.sqrt(len(paid)) > math.log(len(text.words))
    assert max(counted, key=counted.get) == "the"
    assert np.mean([question.answer == "the" for question in asked]) < 0.02
    questions = cloze.scene_questions(text.language, 2_000, generator)
    seen = np.isin([" ".join(question.words[:-1]) for question in questions], [" ".join(words) for words in sentences])
    assert 0.2 < seen.mean() < 0.35


def test_about_half_of_all_blanks_are_certain():
    text = scene_cloze()
    questions = cloze.scene_questions(text.language, 600, rng(13))
    certain = np.mean([entropy(list(text.opponent(question).values())) < 1e-9 for question in questions])
    assert 0.4 < certain < 0.6


def test_a_language_without_uncertainty_cannot_be_played():
    language = scene_cloze().language
    certain = SceneLanguage(
        language.vocabulary,
        prior=[1.0],
        slot_distribution=[[0, 1, 2, 3]],
        distributions=np.eye(len(language.vocabulary))[language.vocabulary.ids(["[CLS]", "dog", ".", "[SEP]"])],
    )
    with pytest.raises(ValueError, match="every hidden word was certain"):
        SceneCloze(certain).draw(rng())


def test_nobody_beats_the_exact_posterior():
    text = scene_cloze()
    questions = cloze.scene_questions(text.language, 1000, rng(5))
    sample = text.language.sample(3000, rng(6))
    counted = cloze.unigram(sample.text(i).split()[:-1] for i in range(len(sample)))
    share = {word: (1 - 1e-3) * counted.get(word, 0) + 1e-3 / len(text.words) for word in text.words}
    unigram = np.mean([cloze.score(share, q.answer) for q in questions])
    exact = cloze.exact_nats(text.language, questions).mean()
    left = cloze.exact_nats(text.language, questions, left_only=True).mean()
    assert exact + 0.3 < left < left + 1 < unigram < math.log(len(text.words))


def test_exact_nats_is_the_opponents_score():
    text = scene_cloze()
    questions = cloze.scene_questions(text.language, 30, rng(7))
    expected = [cloze.score(text.opponent(question), question.answer) for question in questions]
    np.testing.assert_allclose(cloze.exact_nats(text.language, questions), expected, atol=1e-9)


def test_the_left_reader_sees_nothing_on_the_right():
    language = scene_cloze().language
    barked, slept = (Question(tuple(text.split()), 1) for text in ("the dog barked .", "the dog slept ."))
    left, both = (cloze.exact_nats(language, [barked, slept], left_only=only) for only in (True, False))
    assert left[0] == left[1]
    assert not np.isclose(both[0], both[1])
    first = cloze.exact_nats(language, [Question(barked.words, 0)], left_only=True)
    nothing_known = language.posterior_at(np.full((1, language.length), language.vocabulary.mask_id), [[1]])[0, 0]
    assert first == pytest.approx(-math.log(nothing_known[language.vocabulary.ids(["the"])[0]]))


def test_the_left_reader_knows_that_a_word_is_asked_for():
    text = scene_cloze()  # after "the dog barked" the sentence may end, but a full stop is never hidden
    questions = [Question(("the", "dog", "barked", word, "the", "garden", "."), 3) for word in text.words]
    assert np.exp(-cloze.exact_nats(text.language, questions, left_only=True)).sum() == pytest.approx(1)


def test_a_word_that_the_language_rules_out_costs_infinitely_much():
    assert cloze.exact_nats(scene_cloze().language, [Question(("the", "dog", "because", "."), 2)]) == math.inf


# ---------------------------------------------------------------- English


def small_trigram():
    return Trigram.fit([["the", "cat", "sat", "."], ["the", "dog", "sat", "."], ["the", "cat", "ran", "."]] * 2)


def test_words_the_trigram_never_met_share_what_it_gives_to_unk():
    question = Question(("the", "cat", "sat", "."), 1)
    q = cloze.trigram_distribution(small_trigram(), question, ["cat", "dog", "wug", "blicket"])
    assert math.isclose(sum(q.values()), 1)
    assert q["cat"] > q["dog"] > q["wug"] == q["blicket"] > 0
    posterior, vocabulary = small_trigram().posterior(question.shown, 1), small_trigram().vocabulary
    unk, cat = posterior[vocabulary.unk_id], posterior[vocabulary.ids(["cat"])[0]]
    assert (q["wug"] + q["blicket"]) / q["cat"] == pytest.approx(unk / cat)


def test_english_asks_for_words_it_knows_and_never_for_punctuation():
    english = EnglishCloze(
        [
            ["the", "cat", "sat", ".", "the", "dog", "ran", "."],
            ["the", "wug", "sat", "the", "cat", "ran", "the", "dog", "."],
            ["the", "cat", "."],
        ],
        small_trigram(),
        "made up",
    )
    assert len(english.sentences) == 1, "one is too short, one has an unknown word"
    assert "." not in english.words
    assert {english.draw(rng(seed)).answer for seed in range(40)} == {"the", "cat", "sat", "dog", "ran"}
    with pytest.raises(ValueError, match="no sentence has 6 to 20 words"):
        EnglishCloze([["the", "cat", "."]], small_trigram(), "made up")


def test_english_says_where_it_is_from_and_counting_beats_not_counting():
    text, generator = english_cloze(), rng(9)
    assert "Bible in Basic English" in text.source
    assert "License: " in text.source
    questions = [text.draw(generator) for _ in range(200)]
    assert np.mean([cloze.score(text.opponent(q), q.answer) for q in questions]) < math.log(len(text.words)) - 4


def test_the_game_needs_no_widgets():
    code = (
        "import sys, mlm_mini.languages.cloze; print(sorted({'ipywidgets', 'torch', 'matplotlib'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# ---------------------------------------------------------------- the widget


def plain(widget):
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", widget.value)).split())


def press_enter(widget):
    widget.word._handle_custom_msg({"event": "submit"}, [])


def test_letters_that_come_after_enter_belong_to_the_guess():
    widget = cloze_widget(seed=0)
    answer = widget.game.question.answer

    async def type_quickly():
        widget.word.value = answer[0]
        press_enter(widget)
        for end in range(2, len(answer) + 1):
            await asyncio.sleep(LETTERS_SECONDS / 2)
            widget.word.value = answer[:end]
        while not widget.game.answered:
            await asyncio.sleep(LETTERS_SECONDS)

    asyncio.run(asyncio.wait_for(type_quickly(), timeout=20))
    assert [played.guesses for played in widget.game.rounds] == [(answer,)]


def test_a_game_is_played_with_enter():
    widget = cloze_widget(seed=0)
    assert plain(widget.status).startswith("Sentence 1: ")
    question = widget.game.question
    widget.word.value, widget.confidence.value = question.answer, 0.8
    press_enter(widget)
    assert plain(widget.status).startswith(
        f"You are right; the word was {question.answer!r}. You gave it 80% and pay 0.22"
    )
    assert "✓ the word" in plain(widget.sentence)
    assert f"{question.answer} ✓" in plain(widget.answer)
    assert plain(widget.scores).startswith(
        "Mean of 1 round; less is better nats bits you 0.22 0.32 the exact posterior"
    )
    assert "the exact posterior, limited to as many words as you " in plain(widget.scores)
    assert "nats; limited to one word, '" in plain(widget.status)
    assert widget.button.description == "Next sentence"
    press_enter(widget)
    assert (widget.word.value, widget.confidence.value, widget.button.description) == ("", 0.8, "Guess")
    assert plain(widget.status).startswith("Sentence 2: ")
    assert plain(widget.answer) == ""


def test_the_button_does_what_enter_does_and_a_wrong_word_costs_nothing():
    widget = cloze_widget(seed=0)
    for typed, says in (("", "type a word first"), ("<b>x</b>", "'<b>x</b>' is not among")):
        widget.word.value = typed
        widget.button.click()
        assert says in widget.status.value
        assert widget.game.rounds == []


def test_the_hidden_word_cannot_be_read_before_it_is_guessed():
    widget = cloze_widget(seed=5)
    while widget.game.question.words.count(widget.game.question.answer) > 1:
        widget.game.next_question()
    widget.show()
    for part in (widget.sentence, widget.status, widget.answer, widget.scores):
        assert not re.search(rf"\b{widget.game.question.answer}\b", plain(part))


def test_every_row_of_the_scores_keeps_its_background_under_the_mouse():
    widget = cloze_widget(seed=0)
    widget.word.value = "the"
    widget.button.click()
    for table in (widget.scores, widget.answer):
        rows = re.findall(r"<tr[^>]*>", table.value)
        assert rows
        assert all("background: none" in row for row in rows)


def test_the_words_that_may_be_guessed_can_be_listed():
    widget = cloze_widget(seed=0)
    for name in ("Scenes", "English"):
        widget.chooser.value = name
        assert list(widget.word.options) == sorted(widget.game.text.words)
    widget.word.value = "zyzzyva"
    widget.button.click()
    assert "'zyzzyva' is not among the 4,655 words" in plain(widget.status)


def test_every_confidence_on_the_slider_counts_as_it_is():
    slider = cloze_widget(seed=0).confidence
    assert (slider.min, slider.max, slider.step) == (0.01, 0.99, 0.01)
    assert cloze.tempered(slider.min) == (0.01, "")
    assert cloze.tempered(slider.max) == (0.99, "")


def test_a_text_that_takes_long_says_so_while_it_does():
    def slow():
        said.append(plain(widget.status))
        return Two()

    said = []
    widget = cloze_widget(0, {"Scenes": scene_cloze, "Slow": slow})
    widget.chooser.value = "Slow"
    assert said == ["Preparing Slow (a few seconds) ..."]
    assert plain(widget.status).startswith("Sentence 1: turn [blank]")


def test_each_text_keeps_its_own_game():
    widget = cloze_widget(seed=0)
    widget.word.value = "the"
    widget.button.click()
    scenes = plain(widget.scores)
    widget.chooser.value = "English"
    assert "Bible in Basic English" in plain(widget.source)
    assert plain(widget.status).startswith("Sentence 1: ")
    widget.chooser.value = "Scenes"
    assert plain(widget.scores) == scenes


def test_a_text_that_is_not_installed_is_told_and_the_old_one_stays():
    def missing():
        raise FileNotFoundError("install it with: ...")

    widget = cloze_widget(0, {"Scenes": scene_cloze, "English": missing})
    widget.chooser.value = "English"
    assert widget.chooser.value == "Scenes"
    assert plain(widget.status) == "English cannot be played: install it with: ..."
    with pytest.raises(FileNotFoundError):
        cloze_widget(0, {"English": missing})


def test_a_picture_of_a_game_stands_in_without_a_kernel():
    game = Game(Two(), rng())
    assert "Sentence 1: turn [blank] Which of 2 words is hidden?" in game_html(game)
    game.play("right", 0.8)
    shown = html.unescape(game_html(game))
    assert "The coin gave it 25% and pays 1.39 nats; limited to one word, 'right', it would pay 1.39." in shown
    assert 'role="status"' not in shown


def test_a_rival_stands_in_the_sentence_and_in_the_table_in_one_order():
    game = against_a_rival(lambda question: {"left": 0.9, "right": 0.1})
    game.play("right", 0.8)
    shown = " ".join(html.unescape(re.sub("<[^>]+>", " ", game_html(game))).split())
    assert "and pay 1.61 nats. The parrot gave it 90% and pays 0.11 nats. The coin gave it 25% and pays" in shown
    assert "you 1.61 2.32 the parrot 0.11 0.15 the coin 1.39 2.00 the coin, limited to as many words" in shown
    sure = against_a_rival(lambda question: {"right": 1.0})
    sure.play("right", 0.8)
    assert "The parrot gave it less than 0.001% and pays inf nats." in html.unescape(game_html(sure))


def test_a_rival_plays_along_on_scenes_alone():
    widget = cloze_widget(0, rival=Player("the parrot", lambda question: {question.answer: 0.5}))
    assert list(widget.texts) == ["Scenes", "English"]
    assert widget.game.question == cloze_widget(0).game.question
    for name, plays in (("Scenes", True), ("English", False)):
        widget.chooser.value = name
        widget.word.value = "the"
        press_enter(widget)
        assert ("The parrot gave it 50% and pays 0.69 nats." in plain(widget.status)) == plays
        assert ("the parrot 0.69 1.00" in plain(widget.scores)) == plays
    assert scene_cloze().rival is None, "the next widget starts without"


@pytest.mark.parametrize(
    ("probability", "text"),
    [(1.0, "100%"), (0.64, "64%"), (0.051, "5.1%"), (0.00082, "0.082%"), (1e-9, "less than 0.001%")],
)
def test_percentages_keep_two_digits(probability, text):
    assert percent(probability) == text
