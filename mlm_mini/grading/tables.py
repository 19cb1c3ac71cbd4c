"""Marks for other programs: CSV, JUnit XML, and the results that Gradescope reads."""

from __future__ import annotations

import csv
import io
import re
from xml.sax.saxutils import escape, quoteattr

CSV_COLUMNS = ("name", "chapter", "exercise", "points", "max_points", "mistake", "flags")
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def as_csv(rows: list[dict]) -> str:
    """A line for each exercise of each submission, and one for the whole, whose exercise is empty."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(CSV_COLUMNS)
    for row in rows:
        start = [_cell(row["name"]), row["chapter"]]
        said = _cell("; ".join(row["flags"] + ([row["problem"]] if row["problem"] else [])))
        table.writerow([*start, "", _number(row["points"]), _number(row["max_points"]), "", said])
        for one in row["exercises"]:
            points = [_number(one["points"]), _number(one["max_points"])]
            table.writerow([*start, one["id"], *points, _cell(one["mistake"] or ""), _cell("; ".join(one["flags"]))])
    return text.getvalue()


def _cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def _number(points: float) -> str:
    return f"{points:g}"


def as_junit(rows: list[dict]) -> str:
    """JUnit XML as GitHub and GitLab show it: a suite for each submission, a case for each exercise."""
    suites = []
    for row in rows:
        cases, failures, errors = [], 0, 0
        if row["problem"]:
            errors += 1
            cases.append(f'    <testcase classname={_attribute(row["name"])} name="notebook">\n      <error '
                         f'message={_attribute(row["problem"])}/>\n    </testcase>')  # fmt: skip
        for one in row["exercises"]:
            name = f"    <testcase classname={_attribute(row['name'])} name={_attribute(one['id'])}"
            if one["points"] == one["max_points"]:
                cases.append(name + "/>")
                continue
            failures += 1
            message = f"{one['points']:g} of {one['max_points']:g} points"
            said = escape(_text(one["feedback"]))
            cases.append(f"{name}>\n      <failure message={_attribute(message)}>{said}</failure>\n    </testcase>")
        head = f'  <testsuite name={_attribute(row["name"] + " " + row["chapter"])} tests="{len(cases)}"'
        suites.append(f'{head} failures="{failures}" errors="{errors}">\n' + "\n".join(cases) + "\n  </testsuite>")
    return '<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n' + "\n".join(suites) + "\n</testsuites>\n"


def _attribute(text: str) -> str:
    return quoteattr(_text(text))


def _text(text: str) -> str:
    return NOT_XML.sub("\ufffd", text)


def as_gradescope(rows: list[dict]) -> dict:
    """The results of one learner, as an autograder leaves them at /autograder/results/results.json."""
    tests = [
        {
            "name": f"{one['id']} {one['title']}",
            "score": one["points"],
            "max_score": one["max_points"],
            "output": "\n".join([one["feedback"], *one["remarks"]]).strip(),
            "status": "passed" if one["points"] == one["max_points"] else "failed",
            "visibility": "visible",
        }
        for row in rows
        for one in row["exercises"]
    ]
    problems = [f"{row['problem']}" for row in rows if row["problem"]]
    output = "\n".join(problems) or "Marked exercise by exercise; a wrong one says what to think about."
    return {"score": sum(row["points"] for row in rows), "output": output, "visibility": "visible", "tests": tests}
