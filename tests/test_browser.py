"""The solutions that have widgets in a real browser: their cells run, and the widgets answer to the keyboard.

Of a notebook only the widgets' cells and those that they need are run: that all of them run, nbval says. Needs
Playwright and a Chromium: the command `chromium`, `chromium-browser` or `google-chrome`, or the path in the environment
variable CHROMIUM. Without them these tests are skipped and say so.
"""

import ast
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from chromium import CHROMIUM, QUIET

from mlm_mini.course.notebook import without_outputs

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="... and the package axe-playwright-python")
expect = playwright.expect

TOP = Path(__file__).resolve().parents[1]
WIDGETS = "widget-"  # begins the id of a cell that shows one
WIDGET = ".jp-OutputArea-output:has(.jupyter-widgets)"
NOTEBOOKS = sorted(
    path.stem for path in (TOP / "solutions").glob("[0-9][0-9]_*.py") if f'id="{WIDGETS}' in path.read_text("utf-8")
)
LEAST_TARGET = 24  # pixels: what WCAG 2.2 asks of what is pointed at
SERVER_SECONDS, RUN_SECONDS, STEP_SECONDS = 120, 900, 90  # patience, not speed: two workers may share two cores

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; CHROMIUM can name one")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A copy of the course whose solutions were never run: a browser saves what it shows."""
    top = tmp_path_factory.mktemp("course")
    shutil.copytree(TOP / "mlm_mini", top / "mlm_mini", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(TOP / "chapters", top / "chapters")
    (top / "solutions").mkdir()
    for name in NOTEBOOKS:
        notebook = without_outputs(nbformat.read(TOP / "solutions" / f"{name}.ipynb", as_version=4))
        notebook.cells = what_widgets_need(notebook.cells)
        nbformat.write(notebook, top / "solutions" / f"{name}.ipynb")
    return top


def what_widgets_need(cells):
    """The cells that show a widget, and before them those that define what these use, and what those use.

    Where nothing but imports is used of a cell, they are all that is left of it.
    """
    kept, used = [], set()
    for cell in reversed(cells):
        if cell.cell_type != "code":
            continue
        tree = ast.parse("".join(cell.source))
        loaded, stored, imported = names_of(tree)
        if not cell.id.startswith(WIDGETS) and used & (stored | imported) and not used & stored:
            imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
            cell = cell | {"source": "\n".join(map(ast.unparse, imports))}
            kept.append(nbformat.from_dict(cell))
            used = used - imported
        elif cell.id.startswith(WIDGETS) or used & (stored | imported):
            kept.append(cell)
            used = (used - stored - imported) | loaded
    return kept[::-1]


def names_of(tree):
    """The names that a cell has from others, those that it leaves to others, and those that it imports: three sets."""
    loaded, bound, imported = set(), set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            (loaded if isinstance(node.ctx, ast.Load) else bound).add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            imported |= {(alias.asname or alias.name).split(".")[0] for alias in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
    return loaded - bound - imported, {name for statement in tree.body for name in defined_by(statement)}, imported


def defined_by(node):
    """The names that a statement outside of functions leaves behind."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
        yield node.id
    elif not isinstance(node, ast.Lambda | ast.comprehension):
        for child in ast.iter_child_nodes(node):
            yield from defined_by(child)


@pytest.fixture(scope="module")
def server(course):
    """What `course.py learn` starts, on a free port: its address and its token."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {name: str(course / name.lower()) for name in ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "mlm_mini", "learn", "--no-browser", "--port", str(port)],
        cwd=course,
        env=os.environ | own | {"JUPYTER_CONFIG_DIR": str(course / "config")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        printed = process.stdout.readline()
        address = re.fullmatch(r"Open (http://127\.0\.0\.1:\d+)/lab/tree/chapters/00_\S+\?token=(\w+)\n", printed)
        assert address, f"learn printed {printed!r}"
        wait_for_port(port, process)
        yield address[1], address[2]
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for_port(port, process):
    deadline = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, f"the server ended: {process.stdout.read()}"
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    pytest.fail(f"no server within {SERVER_SECONDS} seconds")


@pytest.fixture(scope="module")
def browser():
    """Chromium, for this file alone: while its driver lives, an event loop runs in the thread of the tests."""
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def run_notebook(course, server, browser):
    """run_notebook(name) -> (page, file): the solution with its cells run, opened once for all tests."""
    opened = {}

    def run(name):
        if name not in opened:
            address, token = server
            page = browser.new_page(viewport={"width": 1280, "height": 1400})
            page.set_default_timeout(STEP_SECONDS * 1000)
            page.goto(f"{address}/lab/tree/solutions/{name}.ipynb?token={token}&reset", timeout=SERVER_SECONDS * 1000)
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=SERVER_SECONDS * 1000)
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
            opened[name] = page, course / "solutions" / f"{name}.ipynb"
            wait_until_run(*opened[name])
        return opened[name]

    return run


def wait_until_run(page, path):
    deadline = time.monotonic() + RUN_SECONDS
    while time.monotonic() < deadline:
        page.wait_for_timeout(500)
        page.keyboard.press("Control+s")
        cells = code_cells(path)
        if all(cell.execution_count for cell in cells):
            return
    waiting = next(cell.id for cell in cells if not cell.execution_count)
    pytest.fail(f"{path.name} still waits for cell {waiting!r} after {RUN_SECONDS} seconds")


def code_cells(path):
    deadline = time.monotonic() + STEP_SECONDS
    while True:
        try:
            return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]
        except nbformat.reader.NotJSONError:  # read while the server was writing it
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


@pytest.fixture
def picture(tmp_path):
    """picture(page, name): a screenshot in this test's temporary folder."""
    return lambda page, name: page.screenshot(path=tmp_path / f"{name}.png")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_solution_with_a_widget_runs(name, run_notebook):
    _, path = run_notebook(name)
    errors = [
        (cell.id, output.get("evalue", output.get("text")))
        for cell in code_cells(path)
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert errors == []


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_axe_finds_no_violation_in_a_widget(name, run_notebook):
    page, _ = run_notebook(name)
    shown = page.locator(WIDGET)
    shown.first.scroll_into_view_if_needed()
    found = axe.Axe().run(page, context=WIDGET, options={}).response
    assert [(rule["id"], rule["impact"], rule["nodes"][0]["html"]) for rule in found["violations"]] == []
    assert any(rule["id"] in ("label", "button-name") for rule in found["passes"]), "no control was looked at"


def test_a_chapter_that_is_opened_and_saved_is_as_it_was(course, server, browser):
    def git(*words):
        line = ["git", "-c", "user.name=learner", "-c", "user.email=learner@example.org", *words]
        return subprocess.run(line, cwd=course, capture_output=True, text=True, check=True).stdout

    shutil.copy(TOP / ".gitignore", course)
    git("init", "--quiet")
    git("add", "chapters", ".gitignore")
    git("commit", "--quiet", "--message", "as built")
    address, token = server
    chapter = course / "chapters" / "01_softmax.ipynb"
    before = chapter.read_bytes()
    page = browser.new_page()
    page.goto(f"{address}/lab/tree/chapters/{chapter.name}?token={token}&reset", timeout=SERVER_SECONDS * 1000)
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=SERVER_SECONDS * 1000)

    def save():
        with page.expect_response(lambda r: r.request.method == "PUT" and "/api/contents/" in r.url) as answer:
            page.keyboard.press("Control+s")
        assert answer.value.ok

    # The kernel has said what it is, which JupyterLab writes into the notebook: from here on it counts as changed.
    page.locator(".lm-TabBar-tab.jp-mod-dirty").first.wait_for(timeout=STEP_SECONDS * 1000)
    save()
    assert chapter.read_bytes() == before
    assert git("status", "--porcelain", "chapters") == ""

    page.locator(".jp-Notebook .jp-CodeCell .cm-content").first.click()
    page.keyboard.type("# mine\n")
    save()
    assert git("status", "--porcelain", "chapters").strip() == f"M chapters/{chapter.name}"
    page.close()


def status_with(page, text):
    return page.get_by_role("status").filter(has_text=text)


def test_cloze_is_played_with_the_keyboard_alone(run_notebook, picture):
    page, _ = run_notebook("00_fill_in_the_blanks")
    word, sure = page.get_by_label("Your word"), page.get_by_role("slider")
    status_with(page, "Sentence 1:").wait_for()
    blank = page.get_by_role("list", name="The sentence, its blank open")
    expect(blank).to_have_count(1)
    word.scroll_into_view_if_needed()
    picture(page, "question")

    word.press("Enter")
    status_with(page, "Not scored: type a word first").wait_for()
    word.fill("zyzzyva")
    word.press("Enter")
    status_with(page, "is not among the").wait_for()

    number = page.get_by_role("spinbutton", name="How sure you are, 0 to 1")
    expect(number).to_have_value("0.5")
    sure.focus()
    sure.press("ArrowRight")
    expect(number).to_have_value("0.51")

    assert word.evaluate("box => [...box.list.options].some(option => option.value === 'chef')")
    word.fill("")
    word.press_sequentially("Chef")
    word.press("Enter")
    status_with(page, "The exact posterior gave it").wait_for()
    expect(blank).to_have_count(0)
    expect(page.get_by_text("Mean of 1 round;")).to_have_count(1)
    picture(page, "answer")

    word.press("Enter")
    status_with(page, "Sentence 2:").wait_for()
    expect(word).to_have_value("")
    english = page.get_by_role("button", name="English")
    english.focus()
    english.press("Space")
    status_with(page, "Sentence 1:").wait_for()
    word.fill("the")
    page.get_by_role("button", name="Guess").click()
    status_with(page, "The trigram model gave it").wait_for()
    picture(page, "english")


def slider_named(page, name):
    return page.get_by_role("slider", name=name, exact=True)


def chart_with(page, text):
    """The picture whose description ends with a status line that starts with this text."""
    return page.get_by_role("img", name=re.compile(rf"^Two .*{re.escape(text)}"))


def test_the_mask_ratio_moves_with_the_arrow_keys(run_notebook, picture):
    page, _ = run_notebook("03_masking")
    row = page.get_by_role("list", name="The sentence as the model reads it")
    status_with(page, "At ratio 0.15,").wait_for()
    before = row.inner_text()
    handle = page.get_by_role("slider")
    handle.focus()
    handle.press("ArrowRight")
    status_with(page, "At ratio 0.16,").wait_for()
    handle.press("End")
    status_with(page, "At ratio 1.00,").wait_for()
    expect(row).not_to_have_text(before, use_inner_text=True)
    expect(handle).to_have_attribute("aria-valuetext", "1")
    picture(page, "everything_masked")
    field = page.get_by_role("spinbutton", name="Mask ratio")
    field.press("ArrowDown")
    status_with(page, "At ratio 0.99,").wait_for()
    field.fill("0.3")
    field.press("Enter")
    status_with(page, "At ratio 0.30,").wait_for()
    page.get_by_label("Sentence", exact=True).fill("A blorp, of my own!")
    status_with(page, "of 7 tokens are selected").wait_for()


def test_the_leak_grows_with_the_arrow_keys(run_notebook, picture):
    page, _ = run_notebook("04_masking_the_logits")
    status_with(page, "With a logit of 0.50, [CLS] takes").wait_for()
    handle = page.get_by_role("slider")
    handle.focus()
    handle.press("ArrowRight")
    status_with(page, "With a logit of 0.75, [CLS] takes").wait_for()
    chart = page.get_by_role("img", name=re.compile(r"Three charts\. With a logit of 0\.75"))
    before = chart.get_attribute("src")
    handle.press("ArrowRight")
    status_with(page, "With a logit of 1.00, [CLS] takes").wait_for()
    assert page.get_by_text("Jupyter news").count() == 0, "the course asks nobody for news"
    chart = page.get_by_role("img", name=re.compile(r"Three charts\. With a logit of 1\.00"))
    assert chart.get_attribute("src") != before
    picture(page, "leak")


def test_the_attention_map_is_read_with_the_keyboard(run_notebook, picture):
    page, _ = run_notebook("05_attention")
    line = page.get_by_role("status").filter(has_text=" reads most from ")
    line.wait_for()
    before = line.inner_text()
    handle = page.get_by_role("slider")
    handle.focus()
    handle.press("Home")
    status_with(page, "[CLS], token 0 of").wait_for()
    assert line.inner_text() != before
    chart = page.get_by_role("img", name=re.compile(r"A map of attention weights.*\[CLS\], token 0 of"))
    shown = chart.get_attribute("src")
    handle.press("ArrowRight")
    status_with(page, ", token 1 of").wait_for()
    chart = page.get_by_role("img", name=re.compile(r"A map of attention weights.*, token 1 of"))
    assert chart.get_attribute("src") != shown
    page.get_by_role("spinbutton", name="Query word").press("ArrowUp")
    status_with(page, ", token 2 of").wait_for()
    before = line.inner_text()
    head = page.get_by_role("button", name="a pronoun looks for nouns before it")
    head.focus()
    head.press("Space")
    expect(line).not_to_have_text(before, use_inner_text=True)
    picture(page, "attention")


def test_a_finger_moves_a_slider_and_presses_a_choice(server, browser, run_notebook, picture):
    """On a page of its own, of a device that has a touch screen and no mouse; it shares the kernel of the first."""
    run_notebook("05_attention")
    address, token = server
    page = browser.new_context(has_touch=True, viewport={"width": 800, "height": 1400}).new_page()
    page.set_default_timeout(STEP_SECONDS * 1000)
    page.goto(f"{address}/lab/tree/solutions/05_attention.ipynb?token={token}&reset")
    handle = slider_named(page, "Query word")
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box["height"] >= LEAST_TARGET
    for place, position in ((0.01, 0), (0.99, 16)):
        page.touchscreen.tap(box["x"] + place * box["width"], box["y"] + box["height"] / 2)
        status_with(page, f", token {position} of 0 to 16").wait_for()
    heads = page.get_by_role("group", name="Head")
    head = heads.get_by_role("button", name=heads.get_by_role("button", pressed=False).first.inner_text(), exact=True)
    assert head.bounding_box()["height"] >= LEAST_TARGET
    head.tap()
    expect(head).to_have_attribute("aria-pressed", "true")
    picture(page, "touched")
    page.close()


def test_the_ratio_moves_sentence_floor_and_noise(run_notebook, picture):
    page, _ = run_notebook("09_gradient_variance")
    status_with(page, "At ratio 0.15, ").wait_for()
    handle = slider_named(page, "Mask ratio")
    handle.scroll_into_view_if_needed()
    picture(page, "at_the_start")
    handle.focus()
    handle.press("ArrowRight")
    status_with(page, "At ratio 0.16, ").wait_for()
    shown = chart_with(page, "At ratio 0.16, ").get_attribute("src")
    row = page.get_by_role("list", name="The sentence as the model reads it", exact=True)
    before = row.inner_text()
    handle.press("End")
    status_with(page, "At ratio 0.90, ").wait_for()
    assert chart_with(page, "At ratio 0.90, ").get_attribute("src") != shown
    expect(row).not_to_have_text(before, use_inner_text=True)
    picture(page, "at_the_end")
    page.get_by_role("spinbutton", name="Mask ratio").press("ArrowDown")
    status_with(page, "At ratio 0.89, ").wait_for()


def test_two_knobs_move_apart_and_take_each_other_along(run_notebook, picture):
    page, _ = run_notebook("10_how_much_to_mask")
    status_with(page, "Corruption 0.40, prediction 0.15: ").wait_for()
    hidden, asked = slider_named(page, "Corruption"), slider_named(page, "Prediction")
    hidden.scroll_into_view_if_needed()
    hidden.focus()
    hidden.press("ArrowRight")
    status_with(page, "Corruption 0.41, prediction 0.15: ").wait_for()
    shown = chart_with(page, "Corruption 0.41, prediction 0.15: ").get_attribute("src")
    asked.focus()
    asked.press("ArrowRight")
    status_with(page, "Corruption 0.41, prediction 0.16: ").wait_for()
    assert chart_with(page, "Corruption 0.41, prediction 0.16: ").get_attribute("src") != shown
    picture(page, "apart")
    asked.press("End")
    status_with(page, "Corruption went up to 0.90 with it").wait_for()
    expect(page.get_by_role("spinbutton", name="Corruption")).to_have_value("0.9")
    expect(hidden).to_have_value("0.9")
    hidden.press("Home")
    status_with(page, "Prediction went down to 0.02 with it").wait_for()
    expect(asked).to_have_value("0.02")
    picture(page, "together")


def test_a_strategy_is_chosen_with_the_keyboard(run_notebook, picture):
    page, _ = run_notebook("11_what_to_mask")
    status_with(page, "Entropy of the guess, at ratio 0.15.").wait_for()
    other = page.get_by_role("button", name="uniform masks, loss kept where entropy is high")
    other.scroll_into_view_if_needed()
    picture(page, "entropy")
    shown = chart_with(page, "Entropy of the guess, at ratio 0.15.").get_attribute("src")
    row = page.get_by_role("list", name=re.compile("surprisal and entropy in nats under each token"))
    before = row.inner_text()
    other.focus()
    other.press("Space")
    status_with(page, "Uniform masks, loss kept where entropy is high, at ratio 0.15.").wait_for()
    assert chart_with(page, "Uniform masks, loss kept where").get_attribute("src") != shown
    expect(row).not_to_have_text(before, use_inner_text=True)
    handle = slider_named(page, "Mask ratio")
    handle.focus()
    handle.press("ArrowRight")
    status_with(page, "where entropy is high, at ratio 0.16.").wait_for()
    picture(page, "kept")
    page.get_by_label("Sentence", exact=True).fill("the teenager closes the door .")
    page.get_by_label("Sentence", exact=True).press("Enter")
    status_with(page, "of 6 tokens").wait_for()


def test_a_word_is_written_into_the_first_blank_with_the_keyboard(run_notebook, picture):
    page, _ = run_notebook("14_joint_predictions")
    status_with(page, "Nothing is written: this is one pass.").wait_for()
    officer = page.get_by_role("button", name="officer")
    officer.scroll_into_view_if_needed()
    picture(page, "one_pass")
    chart = page.get_by_role("img", name=re.compile(r"^Two maps over pairs of words.*this is one pass"))
    before = chart.get_attribute("src")
    officer.focus()
    officer.press("Space")
    status_with(page, "With officer written and the rest asked again").wait_for()
    chart = page.get_by_role("img", name=re.compile(r"^Two maps .*With officer written")).first
    assert chart.get_attribute("src") != before
    picture(page, "written")
    box = page.get_by_label("Sentence", exact=True)
    box.fill("the [MASK] chased the cat .")
    box.press("Enter")
    status_with(page, "write [MASK] two or three times").wait_for()
    box.fill("the [MASK] chased the [MASK] in the [MASK] .")
    box.press("Enter")
    status_with(page, "third blank:").wait_for()
    picture(page, "three_blanks")


def test_a_word_is_found_on_the_plane_by_typing(run_notebook, picture):
    page, _ = run_notebook("12_the_company_a_word_keeps")
    status_with(page, "Nearest to cat in all").wait_for()
    box = page.get_by_label("Word", exact=True)
    box.scroll_into_view_if_needed()
    picture(page, "cat")
    shown = page.get_by_role("img", name=re.compile("Nearest to cat in all")).first.get_attribute("src")
    box.fill("chef")
    box.press("Enter")
    status_with(page, "Nearest to chef in all").wait_for()
    assert page.get_by_role("img", name=re.compile("Nearest to chef in all")).first.get_attribute("src") != shown
    picture(page, "chef")
    box.fill("theory")
    box.press("Enter")
    status_with(page, "'theory' is no word of the scene language").wait_for()


def test_a_word_is_hidden_from_the_probe_with_the_keyboard(run_notebook, picture):
    page, _ = run_notebook("13_probing")
    status_with(page, "Read: the king welcomes the young soldier").wait_for()
    word = page.get_by_role("button", name="welcomes", exact=True)
    word.scroll_into_view_if_needed()
    picture(page, "visible")
    word.focus()
    word.press("Space")
    status_with(page, "Read: the king [MASK] the young soldier").wait_for()
    picture(page, "hidden")


def test_a_gap_grows_with_the_arrow_keys(run_notebook, picture):
    page, _ = run_notebook("15_beyond_english")
    handle = slider_named(page, "Letters in the gap")
    handle.scroll_into_view_if_needed()
    expect(handle).to_have_value("4")
    status = page.get_by_role("status").filter(has_text="One pass:").last
    before = status.inner_text()
    picture(page, "four")
    handle.focus()
    handle.press("ArrowRight")
    expect(handle).to_have_value("5")
    expect(status).not_to_have_text(before, use_inner_text=True)
    picture(page, "five")


def test_a_sentence_is_unmasked_with_the_arrow_keys(run_notebook, picture):
    page, _ = run_notebook("16_writing_by_unmasking")
    status_with(page, "After step 0 of 4, 0 of 9 words are written").wait_for()
    handle = slider_named(page, "Step")
    handle.scroll_into_view_if_needed()
    picture(page, "hidden")
    handle.focus()
    handle.press("ArrowRight")
    status_with(page, "After step 1 of 4, 2 of 9 words are written").wait_for()
    handle.press("End")
    status_with(page, "After step 4 of 4, 9 of 9 words are written").wait_for()
    picture(page, "written")
