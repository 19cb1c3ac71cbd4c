"""A page for each learner and one for the class: HTML files that need nothing else, on a phone or read aloud.

Everything that a learner wrote is escaped, and the pages run no code.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter, defaultdict
from html import escape
from pathlib import Path

from mlm_mini import storage
from mlm_mini.quoting import printable

PAGE_STYLE = """
:root { color-scheme: light dark; --ink: #1a1a1a; --paper: #fff; --line: #8a8a8a; --bar: #0072b2; --soft: #f2f2f2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eee; --paper: #161616; --line: #8a8a8a; --bar: #56b4e9; --soft: #262626; }
}
body { color: var(--ink); background: var(--paper); font: 1rem/1.55 system-ui, sans-serif; margin: auto;
       max-width: 50rem; padding: 1rem; }
h1, h2, h3 { line-height: 1.25; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; font-weight: bold; padding: .4rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .35rem .6rem .35rem 0; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
pre { background: var(--soft); padding: .6rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
.bar { background: var(--soft); border: 1px solid var(--line); height: .9rem; min-width: 6rem; }
.bar div { background: var(--bar); height: 100%; }
a { color: inherit; }
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
FIRST_FEW = 10  # lines of the lists on the page of the class


def write_reports(folder: Path, rows: list[dict]) -> None:
    """Writes index.html for the class and a page for each learner. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    learners: dict[str, list[dict]] = defaultdict(list)
    for row in rows:
        learners[row["name"]].append(row)
    for name, own in learners.items():
        _write(folder / page_name(name), learner_page(name, own))
    _write(folder / "index.html", class_page(rows))


def page_name(name: str) -> str:
    """The file of a learner's page: readable, and another one for each name."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40].lower() or "learner"
    return f"{readable}-{hashlib.sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}.html"


def learner_page(name: str, rows: list[dict]) -> str:
    """All that one learner handed in: marks, what is wrong and why, on which input, and a hint."""
    return _page(f"Marks of {name}", "".join(_chapter(row) for row in rows))


def _chapter(row: dict) -> str:
    if row["problem"]:
        return f"<h2>A file that could not be marked</h2><p>{_text(row['problem'])}</p>"
    parts = [f"<h2>Chapter {_text(row['chapter'])}: {row['points']:g} of {row['max_points']:g} points</h2>"]
    lines = [
        f'<tr><th scope="row"><a href="#{_anchor(one)}">{_text(one["title"])}</a></th>'
        f'<td class="number">{one["points"]:g} of {one["max_points"]:g}</td><td>{_state(one)}</td></tr>'
        for one in row["exercises"]
    ]
    head = ("Exercise", "Points", "Result")
    parts.append(_table(f"Exercises of chapter {row['chapter']}", head, lines, numbers=(1,)))
    parts += [_exercise(one) for one in row["exercises"] if one["points"] < one["max_points"] or one["remarks"]]
    parts += _list("About the notebook", [*row["remarks"], *row["flags"]])
    parts += _list("Left out, because no exercise needs it", row["left_out"])
    return "".join(parts)


def _exercise(one: dict) -> str:
    parts = [f'<h3 id="{_anchor(one)}">{_text(one["id"])} {_text(one["title"])}</h3>']
    if one["points"] < one["max_points"]:
        parts.append(f"<p>{one['points']:g} of {one['max_points']:g} points.")
        parts.append(f" On the inputs that the course shows {_text(one['inputs'])}.</p>" if one["inputs"] else "</p>")
        parts.append(f"<pre>{_text(one['feedback'])}</pre>")
        if one["hint"]:
            parts.append(f"<p><strong>A hint:</strong> {_text(one['hint'])}</p>")
    parts += [f"<p>{_text(remark)}</p>" for remark in one["remarks"]]
    return "".join(parts)


def _state(one: dict) -> str:
    """What came of it in words: a colour alone says nothing to many."""
    if one["points"] == one["max_points"]:
        return "right"
    if one["mistake"]:
        return f"a known mistake: {_text(one['mistake'])}"
    return "partly right" if one["points"] else "not right yet"


def class_page(rows: list[dict]) -> str:
    """How the class fared: which exercises, which mistakes, and who needs help first."""
    marked = [row for row in rows if not row["problem"]]
    learners = {row["name"] for row in rows}
    parts = [f"<p>{len(learners)} learners, {len(rows)} notebooks, of which {len(rows) - len(marked)} unreadable.</p>"]
    parts += [_help_first(marked), _exercises(marked), _mistakes(marked), _everybody(rows)]
    return _page("Marks of the class", "".join(parts))


def _help_first(rows: list[dict]) -> str:
    totals: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for row in rows:
        totals[row["name"]][0] += row["points"]
        totals[row["name"]][1] += row["max_points"]
    shares = sorted((points / most if most else 0.0, name) for name, (points, most) in totals.items())
    lines = [f"<tr>{_learner(name)}{_bar(share)}</tr>" for share, name in shares[:FIRST_FEW] if share < 1]
    if not lines:
        return ""
    return "<h2>Who needs help first</h2>" + _table("The lowest shares of the points", ("Learner", "Share"), lines)


def _exercises(rows: list[dict]) -> str:
    solved: dict[str, list[bool]] = defaultdict(list)
    titles = {}
    for row in rows:
        for one in row["exercises"]:
            solved[one["id"]].append(one["points"] == one["max_points"])
            titles[one["id"]] = one["title"]
    lines = [
        f'<tr><th scope="row">{_text(name)} {_text(titles[name])}</th>{_bar(sum(right) / len(right))}'
        f'<td class="number">{sum(right)} of {len(right)}</td></tr>'
        for name, right in sorted(solved.items())
    ]
    table = _table("Who solved what", ("Exercise", "Share solved", "Solved"), lines, numbers=(2,))
    return "<h2>Which exercises</h2>" + table


def _mistakes(rows: list[dict]) -> str:
    made = Counter((one["id"], one["mistake"]) for row in rows for one in row["exercises"] if one["mistake"])
    if not made:
        return ""
    lines = [
        f'<tr><th scope="row">{_text(name)}</th><td>{_text(mistake)}</td><td class="number">{count}</td></tr>'
        for (name, mistake), count in sorted(made.items(), key=lambda item: (-item[1], item[0]))[: 2 * FIRST_FEW]
    ]
    head = ("Exercise", "Mistake", "Times")
    return "<h2>Which mistakes</h2>" + _table("Known mistakes, the most frequent first", head, lines, numbers=(2,))


def _everybody(rows: list[dict]) -> str:
    lines = []
    for row in rows:
        points = "" if row["problem"] else f"{row['points']:g} of {row['max_points']:g}"
        said = "; ".join([*([row["problem"]] if row["problem"] else []), *row["flags"]])
        lines.append(
            f"<tr>{_learner(row['name'])}<td>{_text(row['chapter'])}</td>"
            f'<td class="number">{points}</td><td>{_text(said)}</td></tr>'
        )
    head = ("Learner", "Chapter", "Points", "To look at")
    return "<h2>Everybody</h2>" + _table("Every notebook", head, lines, numbers=(2,))


def _learner(name: str) -> str:
    return f'<th scope="row"><a href="{page_name(name)}">{_text(name)}</a></th>'


def _bar(share: float) -> str:
    """A bar with its number beside it, which is what is read aloud."""
    width = f'<div class="bar" aria-hidden="true"><div style="width: {100 * share:.0f}%"></div></div>'
    return f"<td>{100 * share:.0f}%{width}</td>"


def _table(caption: str, head: tuple[str, ...], lines: list[str], numbers: tuple[int, ...] = ()) -> str:
    cells = "".join(
        f'<th scope="col"{" class=number" if place in numbers else ""}>{name}</th>' for place, name in enumerate(head)
    )
    rows = "".join(lines)
    return (
        f'<div class="wide"><table><caption>{_text(caption)}</caption><thead><tr>{cells}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div>"
    )


def _list(title: str, items: list[str]) -> list[str]:
    return [f"<h3>{title}</h3><ul>{''.join(f'<li>{_text(item)}</li>' for item in items)}</ul>"] if items else []


def _anchor(one: dict) -> str:
    return "e-" + one["id"].replace(".", "-")


def _text(text: str) -> str:
    return escape(printable(text, keep="\n"))


def _page(title: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{_text(title)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><style>{PAGE_STYLE}</style></head>'
        f"<body><main><h1>{_text(title)}</h1>{body}</main></body></html>\n"
    )


def _write(path: Path, text: str) -> None:
    storage.write_atomically(path, lambda temporary: temporary.write_text(text, encoding="utf-8", newline="\n"))
