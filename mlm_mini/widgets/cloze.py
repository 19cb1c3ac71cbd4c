"""The cloze game as a widget: type the hidden word, say how sure you are, see what it cost."""

from __future__ import annotations

import asyncio
import html
import math
from collections.abc import Callable, Mapping

import ipywidgets
import numpy as np

from mlm_mini import figures
from mlm_mini.languages import scene_language
from mlm_mini.languages.cloze import (
    LEAST_CONFIDENCE,
    MOST_CONFIDENCE,
    ClozeText,
    Game,
    Player,
    Round,
    SceneCloze,
    Scoreboard,
    english_cloze,
    scene_cloze,
)
from mlm_mini.widgets import controls
from mlm_mini.widgets.tokens import MONOSPACE, MUTED_COLOR, TEXT_COLOR, State, Token, token_row

HIDDEN = State("hidden", "?", "dashed", figures.BLUE)
ANSWER = State("the word", "✓", "solid", figures.GREEN)
BLANK = "\N{NO-BREAK SPACE}" * 7  # as wide as a word of middling length, whatever the length of the hidden one
TEXTS: dict[str, Callable[[], ClozeText]] = {"Scenes": scene_cloze, "English": english_cloze}
LETTERS_SECONDS = 0.15  # that the last letters of a word may take from the page to the kernel
LEAST_SHOWN = 0.001  # the opponent's likeliest words are listed down to this probability
TABLE = f"color: {TEXT_COLOR}; border-collapse: collapse; line-height: 1.5"
CELL = "padding: 1px 14px 1px 0; border: none; text-align: left; font-weight: normal"
NUMBER = CELL.replace("left", "right") + "; font-variant-numeric: tabular-nums"


class ClozeWidget(ipywidgets.VBox):
    """The game on scenes and on real English, one `Game` for each; the same questions for the same seed.

    Enter in the text box guesses, and Enter again brings the next sentence, so that a whole game needs no mouse.
    texts: what the text to play on is called, and how to load it when first chosen. rival: plays along on scenes.
    """

    def __init__(
        self, seed: int = 0, texts: Mapping[str, Callable[[], ClozeText]] = TEXTS, rival: Player | None = None
    ):
        if rival:
            texts = {**texts, "Scenes": lambda: SceneCloze(scene_language(), rival)}
        self.seed, self.texts = seed, texts
        self.games: dict[str, Game] = {}
        self.chooser = controls.choice("Sentences from", list(texts))
        self.source = ipywidgets.HTML()
        self.sentence = ipywidgets.HTML()
        self.word = ipywidgets.Combobox(
            description="Your word", placeholder="one word or more, Enter; ↓ lists them", style=controls.WHOLE_LABEL
        )
        self.confidence = controls.slider("How sure you are, 0 to 1", 0.5, LEAST_CONFIDENCE, MOST_CONFIDENCE, 0.01)
        self.button = ipywidgets.Button(button_style="primary", layout={"margin": "6px 2px"})
        self.status = controls.status_line()
        self.answer = ipywidgets.HTML()
        self.scores = ipywidgets.HTML()
        below = ipywidgets.HBox([self.answer, self.scores], layout={"flex_flow": "row wrap"})
        super().__init__(
            [self.chooser, self.source, self.sentence, self.word, self.confidence, self.button, self.status, below]
        )
        self.button.on_click(lambda _: self.advance())
        self.word.on_msg(lambda _, content, __: self._enter() if content.get("event") == "submit" else None)
        self.chooser.observe(lambda change: self.choose(change["new"], otherwise=change["old"]), "value")
        self.choose(self.chooser.value)

    @property
    def game(self) -> Game:
        return self.games[self.chooser.value]

    def choose(self, name: str, otherwise: str | None = None) -> None:
        """Shows the game on another text, as it was left. When that text is not installed, says so and stays."""
        if name not in self.games:
            self.say(f"Preparing {name} (a few seconds) ...")
            try:
                self.games[name] = Game(self.texts[name](), np.random.default_rng(self.seed))
            except (OSError, ValueError) as error:
                if otherwise is None:
                    raise
                self.chooser.value = otherwise
                self.say(f"{name} cannot be played: {error}")
                return
        source = html.escape(self.game.text.source)
        self.source.value = f'<div style="color: {MUTED_COLOR}; line-height: 1.45; max-width: 50em">{source}</div>'
        self.word.options = sorted(self.game.text.words)
        self.show()

    def advance(self) -> None:
        """Scores the guess; when that is done already, brings the next sentence."""
        if self.game.answered:
            self.game.next_question()
            self.word.value = ""
        else:
            try:
                self.game.play(self.word.value, self.confidence.value)
            except ValueError as error:
                self.say(f"Not scored: {error}")
                return
        self.show()

    def _enter(self) -> None:
        """Advances once the last letter is here: while the kernel is busy, a page holds letters back, but not Enter."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:  # without a kernel there is no page either
            self.advance()
            return

        def advance_or_wait(before: str) -> None:
            if self.word.value == before:
                self.advance()
            else:
                loop.call_later(LETTERS_SECONDS, advance_or_wait, self.word.value)

        loop.call_later(LETTERS_SECONDS, advance_or_wait, self.word.value)

    def show(self) -> None:
        """Redraws everything from the state of the game."""
        game = self.game
        self.sentence.value = sentence_html(game)
        self.button.description = "Next sentence" if game.answered else "Guess"
        self.answer.value = answer_html(game.rounds[-1], game.text) if game.answered else ""
        self.scores.value = scores_html(game.scoreboard(), game.text)
        self.say(game_sentence(game))

    def say(self, text: str) -> None:
        self.status.value = text


def game_html(game: Game) -> str:
    """The widget's picture of a game without its controls, for a page that has no kernel."""
    shown = game.rounds[-1] if game.answered else None
    below = (answer_html(shown, game.text) if shown else "") + scores_html(game.scoreboard(), game.text)
    return (
        f'{sentence_html(game)}<p style="color: {TEXT_COLOR}; margin: 6px 0">{html.escape(game_sentence(game))}</p>'
        f'<div style="display: flex; flex-wrap: wrap; align-items: flex-start">{below}</div>'
    )


def sentence_html(game: Game) -> str:
    hidden = Token(game.question.answer, ANSWER) if game.answered else Token(BLANK, HIDDEN)
    tokens = [Token(word) for word in game.question.words]
    tokens[game.question.index] = hidden
    row = token_row(tokens, f"The sentence, its blank {'filled in' if game.answered else 'open'}")
    return f'<div style="font-size: 15px; margin: 6px 0 2px">{row}</div>'


def game_sentence(game: Game) -> str:
    """What there is to see, in words: the question, or what came of it."""
    if game.answered:
        return round_sentence(game.rounds[-1], game.text)
    shown = " ".join("[blank]" if i == game.question.index else word for i, word in enumerate(game.question.words))
    return f"Sentence {len(game.rounds) + 1}: {shown} Which of {len(game.text.words):,} words is hidden?"


def round_sentence(played: Round, text: ClozeText) -> str:
    answer = played.question.answer
    said = " or ".join(map(repr, played.guesses))
    outcome = "You are right" if answer in played.guesses else f"You said {said}"
    count, best = len(played.guesses), " or ".join(repr(word) for word, _ in played.best[: len(played.guesses)])
    limit = "one word" if count == 1 else f"{count} words"
    rival = f"{_paid(text.rival.name, played.rival_nats)}. " if text.rival else ""
    return (
        f"{outcome}; the word was {answer!r}. You gave it {percent(math.exp(-played.nats))} and pay {played.nats:.2f} "
        f"nats. {rival}{_paid(text.opponent_name, played.opponent_nats)}; limited to {limit}, "
        f"{best}, it would pay {played.limited_nats:.2f}. {played.remark}"
    ).strip()


def _paid(name: str, nats: float) -> str:
    return f"{name[0].upper()}{name[1:]} gave it {percent(math.exp(-nats))} and pays {nats:.2f} nats"


def percent(probability: float) -> str:
    """Two digits that count: 64%, 5.1%, 0.082%."""
    if probability < 1e-5:
        return "less than 0.001%"
    return f"{probability:.0%}" if probability >= 0.995 else f"{100 * probability:.2g}%"


def answer_html(played: Round, text: ClozeText) -> str:
    """What the opponent believed: its likeliest words with bars, and the answer when it is not among them."""
    answer = played.question.answer
    best = {word: probability for word, probability in played.best if probability >= LEAST_SHOWN}
    rows = [_belief(word, probability, word == answer) for word, probability in best.items()]
    if answer not in best:
        rows.append(_belief(answer, math.exp(-played.opponent_nats), is_answer=True, gap=True))
    caption = f"What {html.escape(text.opponent_name)} believed"
    return (
        f'<table style="{TABLE}; margin: 6px 40px 0 0">'
        f'<caption style="{CELL}; color: {MUTED_COLOR}">{caption}</caption>'
        f"{''.join(rows)}</table>"
    )


def _belief(word: str, probability: float, is_answer: bool, gap: bool = False) -> str:
    color = figures.GREEN if is_answer else figures.BLUE
    bar = f'<div style="height: 10px; width: {160 * probability:.1f}px; min-width: 1px; background: {color}"></div>'
    above = f"; border-top: 1px dotted {MUTED_COLOR}" if gap else ""
    return (
        f'<tr style="background: none"><th scope="row" style="{CELL}{above}; font-family: {MONOSPACE}">'
        f"{html.escape(word)}{' ✓' if is_answer else ''}</th>"
        f'<td style="{NUMBER}{above}">{percent(probability)}</td>'
        f'<td style="{CELL}{above}; width: 165px">{bar}</td></tr>'
    )


def scores_html(board: Scoreboard, text: ClozeText) -> str:
    """Mean nats and bits per round of everybody who plays, and of the opponent under the player's rule."""
    if not board.rounds:
        return ""
    players = [
        ("you", board.mean_nats),
        (text.opponent_name, board.opponent_mean_nats),
        (f"{text.opponent_name}, limited to as many words as you", board.limited_mean_nats),
    ]
    if text.rival:
        players.insert(1, (text.rival.name, board.rival_mean_nats))
    rows = "".join(
        f'<tr style="background: none"><th scope="row" style="{CELL}">{html.escape(name)}</th>'
        f'<td style="{NUMBER}">{nats:.2f}</td><td style="{NUMBER}">{nats / math.log(2):.2f}</td></tr>'
        for name, nats in players
    )
    rounds = f"Mean of {board.rounds} round{'s' if board.rounds > 1 else ''}; less is better"
    head = "".join(f'<th scope="col" style="{NUMBER}; color: {MUTED_COLOR}">{unit}</th>' for unit in ("nats", "bits"))
    return (
        f'<table style="{TABLE}; margin: 6px 0 0 0"><caption style="{CELL}; color: {MUTED_COLOR}">{rounds}</caption>'
        f'<tr style="background: none"><td style="{CELL}"></td>{head}</tr>{rows}</table>'
    )
