"""A widget whose every state is worked out beforehand: a native slider, and a few lines of script that show them."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ipywidgets


@dataclass(frozen=True)
class SliderState:
    """What stands on the page at one position of the slider.

    value: as it is read aloud and shown beside the slider. status: the picture in words. parts: pieces of HTML, as many
    in every state.
    """

    value: str
    status: str
    parts: tuple[str, ...]


@dataclass(frozen=True)
class BookSlider:
    """The states of a slider in order, its label, and the position at which the page opens."""

    name: str
    label: str
    states: tuple[SliderState, ...]
    start: int


def driven(
    widget: ipywidgets.Widget, name: str, label: str, shown: Sequence[str], written: Callable[[float], str]
) -> BookSlider:
    """Moves the live widget through every position of its slider, and keeps what it shows at each.

    shown: the names of its HTML parts besides the status line. written: a position as text.
    """
    slider, states = widget.slider, []
    values = slider_values(slider.min, slider.max, slider.step)
    start = min(range(len(values)), key=lambda place: abs(values[place] - slider.value))
    for value in values:
        slider.value = value
        parts = tuple(getattr(widget, part).value for part in shown)
        states.append(SliderState(written(value), widget.status.value, parts))
    return BookSlider(name, label, tuple(states), start)


def slider_values(lowest: float, highest: float, step: float) -> list[float]:
    """Every position of a slider; rounded, so that 0.41 is not 0.41000000000000003."""
    return [round(lowest + k * step, 9) for k in range(round((highest - lowest) / step) + 1)]


def slider_html(slider: BookSlider) -> str:
    """The slider as it stands on a page at its start, with all states as JSON for `slider.js`.

    Equal pieces are stored once: a state names them by number.
    """
    now, last = slider.states[slider.start], len(slider.states) - 1
    pieces = list(dict.fromkeys(part for state in slider.states for part in state.parts))
    number = {piece: place for place, piece in enumerate(pieces)}
    states = [[state.value, state.status, [number[part] for part in state.parts]] for state in slider.states]
    shown = "".join(f'<div class="book-slider-part">{part}</div>' for part in now.parts)
    return (
        f'<div class="book-slider" id="{slider.name}"><div class="book-slider-control">'
        f'<label for="{slider.name}-range">{html.escape(slider.label)}</label>'
        f'<input type="range" id="{slider.name}-range" min="0" max="{last}" step="1" value="{slider.start}" '
        f'autocomplete="off" aria-valuetext="{html.escape(now.value)}">'
        f'<output for="{slider.name}-range" aria-live="off">{html.escape(now.value)}</output></div>'
        f'<div role="status" aria-live="polite" aria-atomic="true">{html.escape(now.status)}</div>{shown}'
        f'<script type="application/json">{script_safe({"pieces": pieces, "states": states})}</script></div>'
    )


def script_safe(content: object) -> str:
    """JSON that no text in it can end: a `</script>` inside would close the element around it."""
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def with_parts(slider: BookSlider, change: Callable[[str], str]) -> BookSlider:
    """The slider with each piece of HTML changed."""
    return BookSlider(slider.name, slider.label, tuple(_changed(slider.states, change)), slider.start)


def _changed(states: Iterable[SliderState], change: Callable[[str], str]) -> Iterable[SliderState]:
    for state in states:
        yield SliderState(state.value, state.status, tuple(change(part) for part in state.parts))
