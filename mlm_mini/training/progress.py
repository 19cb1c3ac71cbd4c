"""What a run shows of itself: a bar in the terminal, a loss curve that grows in a notebook, and the same curve after.

Only what was measured is shown. Until the first evaluation there is no distance to the floor, and for a text without
a known floor there never is one.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SHOWN_STEPS = 50  # the bar shows the mean loss of so many steps


class Point(NamedTuple):
    """One evaluation.

    step: steps taken before it. train_loss: mean of the training losses since the point before, in nats; None where
    there was no step.
    loss, gap, gap_error: as in `Score`. tokens: read in training so far, padding not counted; predictions: how many of
    them were to be predicted. seconds: spent on training steps so far, without evaluations.
    """

    step: int
    train_loss: float | None
    loss: float
    gap: float | None
    gap_error: float | None
    tokens: int
    predictions: int
    seconds: float


class Reporter:
    """Is told what happens, and shows nothing. A context manager: it is left at the end, or when something fails."""

    def __enter__(self) -> Reporter:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def begin(self, steps: int, step: int, floor: float | None, curve: list[Point]) -> None:
        """steps: in all; step: already taken; floor: in nats, if known; curve: the evaluations so far."""

    def stepped(self, step: int, loss: float, tokens: int, seconds: float) -> None:
        """After a step: how many were taken, its loss in nats, the tokens it read, and how long it took."""

    def evaluated(self, point: Point) -> None:
        """After an evaluation."""


class TerminalProgress(Reporter):
    """A bar with the loss, the distance to the Bayes floor, tokens per second and the time left.

    Each evaluation leaves a line above it, which is all that is written where there is no terminal.
    """

    def __init__(self):
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("training"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TextColumn("{task.fields[shown]}"),
            TimeRemainingColumn(),
            console=Console(stderr=True, highlight=False, soft_wrap=True),
        )

    def __enter__(self) -> TerminalProgress:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def begin(self, steps: int, step: int, floor: float | None, curve: list[Point]) -> None:
        if step:
            self._bar.console.print(f"going on after step {step} of {steps}")
        self._task = self._bar.add_task("training", total=steps, completed=step, shown="")
        self._gap = curve[-1].gap if curve else None
        self._losses, self._tokens, self._seconds = deque(maxlen=SHOWN_STEPS), 0, 0.0

    def stepped(self, step: int, loss: float, tokens: int, seconds: float) -> None:
        self._losses.append(loss)
        self._tokens += tokens
        self._seconds += seconds
        parts = [f"loss {sum(self._losses) / len(self._losses):.3f}"]
        if self._gap is not None:
            parts.append(f"{self._gap:.3f} above the floor")
        parts.append(f"{self._tokens / self._seconds:,.0f} tokens/s")
        self._bar.update(self._task, completed=step, shown=" · ".join(parts))

    def evaluated(self, point: Point) -> None:
        self._gap = point.gap
        self._bar.console.print(describe_point(point))


def describe_point(point: Point) -> str:
    """ "step    500: loss 1.034 nats, 0.221 above the Bayes floor; 35 s" """
    gap = "" if point.gap is None else f", {point.gap:.3f} above the Bayes floor"
    return f"step {point.step:6d}: loss {point.loss:.3f} nats{gap}; {point.seconds:.0f} s"


class LiveCurve(Reporter):
    """A loss curve in a notebook, drawn anew at each evaluation."""

    def begin(self, steps: int, step: int, floor: float | None, curve: list[Point]) -> None:
        from IPython.display import display

        self._steps, self._floor, self._curve = steps, floor, list(curve)
        self._handle = display({"text/plain": f"step {step} of {steps}"}, raw=True, display_id=True)

    def evaluated(self, point: Point) -> None:
        from mlm_mini.figures import figure_html

        self._curve.append(point)
        figure, alt = plot_curve(self._curve, self._floor, self._steps), describe_curve(self._curve, self._floor)
        # pyrefly: ignore[missing-attribute] with display_id IPython returns a handle
        self._handle.update({"text/html": figure_html(figure, alt), "text/plain": alt}, raw=True)


def plot_curve(curve: list[Point], floor: float | None, steps: int | None = None) -> Figure:
    """Training and evaluation loss against the steps, and the Bayes floor where there is one."""
    from mlm_mini import figures

    figure, (axes,) = figures.new_figure()
    at = [point.step for point in curve]
    # pyrefly: ignore[bad-argument-type] None is a gap in matplotlib's line
    axes.plot(at, [point.train_loss for point in curve], color=figures.SKY, label="training batches")
    axes.plot(at, [point.loss for point in curve], color=figures.BLUE, marker="o", markersize=3, label="fixed masks")
    if floor is not None:
        axes.axhline(floor, color=figures.RED, linestyle="--", label=f"Bayes floor {floor:.3f}")
    axes.set(xlabel="step", ylabel="nats per predicted token", xlim=(0, steps or max(at, default=1)))
    axes.set_title(_finding(curve))
    axes.legend()
    return figure


def _finding(curve: list[Point]) -> str:
    if not curve:
        return "No evaluation yet"
    last = curve[-1]
    if last.gap is None:
        return f"Loss {last.loss:.2f} nats after {last.step:,} steps"
    return f"{last.gap:.3f} nats above the Bayes floor after {last.step:,} steps"


def describe_curve(curve: list[Point], floor: float | None) -> str:
    """The curve in words, for someone who cannot see it."""
    if not curve:
        return "No evaluation yet."
    first, last = curve[0], curve[-1]
    bottom = "" if floor is None else f" The Bayes floor is {floor:.3f}, so that {last.gap:.3f} remain."
    return (
        f"Loss on fixed masks: from {first.loss:.3f} nats per token at step {first.step} "
        f"to {last.loss:.3f} at step {last.step}.{bottom}"
    )
