"""The book: its pages are whole, need no network, and its sliders show what the live widgets show.

The whole book is built once, in half a minute of one core; a small model is trained for it, if it is not there yet.
"""

import hashlib
import html
import json
import os
import re
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from chromium import CHROMIUM, QUIET, VIOLATIONS_ALONE

from mlm_mini import __main__ as command_line
from mlm_mini.book import moving, pages
from mlm_mini.book import site as book_site
from mlm_mini.book.contents import book_parts, first_page, opening
from mlm_mini.book.place import MARK, check_place, in_one_step
from mlm_mini.book.sliders import BookSlider, SliderState, driven, slider_html, slider_values
from mlm_mini.commands.book import checked_address
from mlm_mini.commands.terminal import CommandError
from mlm_mini.course.notebook import read_chapters
from mlm_mini.figures import image_html, new_figure, png

for needed in book_site.NEEDED:
    pytest.importorskip(needed, reason=f"the book needs the extra `book`: {needed} is missing")

TOP = Path(__file__).resolve().parents[1]
CHAPTERS = read_chapters(TOP / "solutions")
PAGES = ("index", "search", *(chapter.name for chapter in CHAPTERS))
MOVING_PAGES = ("03_masking", "04_masking_the_logits", "16_writing_by_unmasking")
ADDRESS = "https://example.org/course"
CODE_WORDS, KIND = ".highlight pre span", re.compile(r'<span class="(\w+)">')
FETCHED = {"script": "src", "img": "src", "source": "src", "iframe": "src", "link": "href"}


@pytest.fixture(scope="module")
def site(one_thread, tmp_path_factory):
    out = tmp_path_factory.mktemp("book") / "site"
    warnings = book_site.build_book(TOP, out, repository=ADDRESS, say=lambda _: None)
    assert warnings == []
    return out


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def tags_of(path):
    return Tags(path.read_text(encoding="utf-8")).found


def pages_of(site):
    found = sorted(site.glob("*.html"))
    assert [path.stem for path in found] == sorted(PAGES)
    return found


# ---- the pages


def test_no_page_fetches_anything_from_elsewhere(site):
    fetched = 0
    for page in pages_of(site):
        for tag, attributes in tags_of(page):
            address = attributes.get(FETCHED.get(tag, ""))
            if address:
                fetched += 1
                assert not re.match(r"(https?:)?//", address), f"{page.name}: {tag} {address}"
    assert fetched > 50
    sheets = list(site.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        assert not re.search(r"(url\(|@import)\s*[\"']?\s*(https?:)?//", sheet.read_text(encoding="utf-8")), sheet.name


def test_whatever_a_page_refers_to_is_there(site):
    for page in pages_of(site):
        for tag, attributes in tags_of(page):
            address = (attributes.get("src") or attributes.get("href") or "").split("#")[0].split("?")[0]
            if address and not re.match(r"\w+:", address):
                assert (site / address).is_file(), f"{page.name}: {tag} {address}"


def test_every_picture_is_a_file_with_its_alt_text(site):
    for chapter in CHAPTERS:
        stored = (TOP / "solutions" / f"{chapter.name}.ipynb").read_text(encoding="utf-8")
        wanted = {
            html.unescape(alt)
            for cell in json.loads(stored)["cells"]
            for output in cell.get("outputs", [])
            for alt in re.findall(r'<img [^>]*alt="([^"]*)"', "".join(output.get("data", {}).get("text/html", "")))
        }
        images = [attributes for tag, attributes in tags_of(site / f"{chapter.name}.html") if tag == "img"]
        assert wanted
        assert wanted <= {image["alt"] for image in images}
        for image in images:
            assert image["alt"].strip()
            assert int(image["width"]) > 0


def test_a_page_links_to_what_opens_the_chapter_and_to_its_neighbors(site):
    name = "04_masking_the_logits"
    addresses = {attributes.get("href") for tag, attributes in tags_of(site / f"{name}.html") if tag == "a"}
    assert {f"chapters/{name}.ipynb", f"{ADDRESS}/blob/main/chapters/{name}.ipynb"} <= addresses
    assert {"03_masking.html", "05_attention.html"} <= addresses
    assert (site / "chapters" / f"{name}.ipynb").read_bytes() == (TOP / "chapters" / f"{name}.ipynb").read_bytes()


def test_the_worked_answers_and_their_numbers_stand_on_the_page(site):
    text = html.unescape(re.sub(r"<[^>]+>", "", (site / "03_masking.html").read_text(encoding="utf-8")))
    assert "def make_labels" in text
    assert "Without a running kernel" not in text
    assert "This is what it shows at four of its positions." in text


def test_formulas_and_tables_of_outputs_are_set(site):
    page = (site / "03_masking.html").read_text(encoding="utf-8")
    assert "<td" in page
    assert 'class="math' in page
    assert (site / "_static" / "mathjax" / "tex-chtml.js").stat().st_size > 100_000


def test_the_first_page_has_every_chapter_and_part():
    page = first_page(CHAPTERS, TOP / "README.md")
    for chapter in CHAPTERS:
        assert f"[{chapter.number} · {chapter.title}]({chapter.name}.ipynb) | {chapter.question}" in page
    assert [c.number for inside in book_parts(CHAPTERS).values() for c in inside] == [c.number for c in CHAPTERS]
    assert opening("# Title\n\nA course\nof two lines.\n\nMore.\n") == "A course\nof two lines."


def test_nothing_on_a_page_waits_for_a_kernel(site):
    for chapter in CHAPTERS:
        text = (site / f"{chapter.name}.html").read_text(encoding="utf-8")
        for sign in ("widget-view", "widget-state", "requirejs", "data:image/png"):
            assert sign not in text, f"{chapter.name}: {sign}"
        assert ("book-slider" in text) == (chapter.name in MOVING_PAGES)


def test_without_an_address_a_page_links_to_none():
    assert "https:" not in pages.open_links(CHAPTERS[0], None)


def test_what_is_said_of_the_picture_below_a_widget_that_moves():
    said = "Without a running kernel the slider does not move; this is\nwhat it shows."
    assert pages.still_words(said) == "This is\nwhat it shows."
    assert pages.still_words("Nothing of the kind; this is it.") == "Nothing of the kind; this is it."
    for identity in moving.MOVING:
        chapter = next(c for c in CHAPTERS if any(cell.id == identity for cell in c.cells))
        still = next(cell.source for cell in chapter.cells if cell.id == pages.STILL)
        assert pages.still_words(still) != still


def test_a_picture_without_alt_text_is_refused(tmp_path):
    markup = image_html(png(new_figure(1, 1)[0]), "a figure")
    assert 'alt="a figure"' in pages.with_files(markup, tmp_path)
    with pytest.raises(ValueError, match="alt text"):
        pages.with_files(markup.replace("a figure", " "), tmp_path)


# ---- the sliders


def states_on(site, name):
    page = (site / f"{name}.html").read_text(encoding="utf-8")
    (found,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    content = json.loads(found)
    return content["pieces"], content["states"]


def test_a_page_shows_at_each_position_what_the_live_widget_shows(site):
    from mlm_mini.widgets import mask_ratio_widget

    pieces, states = states_on(site, "03_masking")
    assert len(states) == 101
    live = mask_ratio_widget()
    for place in (0, 15, 41, 100):
        live.slider.value = place / 100
        value, status, shown = states[place]
        assert value == f"{place / 100:.2f}"
        assert status == live.status.value
        assert [pieces[piece] for piece in shown] == [live.row.value, live.table.value]


def test_the_leaks_pictures_are_the_live_widgets_pixel_for_pixel(site):
    import base64
    import io

    import numpy as np
    from PIL import Image

    from mlm_mini.widgets import leak_widget

    pieces, states = states_on(site, "04_masking_the_logits")
    assert [float(states[k][0]) for k in (0, 1, -1)] == [-8.0, -7.75, 12.0]
    live = leak_widget()
    for place in (0, 34, 80):
        live.slider.value = float(states[place][0])
        piece = pieces[states[place][2][0]]
        assert html.escape(states[place][1]) in live.status.value
        assert f'alt="Three charts. {html.escape(states[place][1])}"' in piece
        stored = Image.open(site / re.search(r'src="([^"]*)"', piece)[1])
        shown = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^\"]*)", live.picture.value)[1])))
        assert np.array_equal(np.asarray(stored.convert("RGB")), np.asarray(shown.convert("RGB")))


def test_the_sentence_that_is_unmasked_is_the_one_in_the_picture_below(site):
    _, states = states_on(site, "16_writing_by_unmasking")
    assert [state[0] for state in states] == [f"{step} of 4" for step in range(5)]
    end = states[-1][1]
    assert "After step 4 of 4, 9 of 9 words are written" in end
    alts = [a["alt"] for tag, a in tags_of(site / "16_writing_by_unmasking.html") if tag == "img"]
    told = end.split(". ", 1)[1]
    assert any(alt.startswith("A sentence after each step.") and alt.endswith(told) for alt in alts)


def test_a_picture_becomes_a_file_of_its_size_named_for_what_it_holds(tmp_path):
    from PIL import Image

    markup = image_html(png(new_figure(2, 1)[0]), "a <b> figure")
    for smaller, ending in ((False, "png"), (True, "webp")):
        page = pages.with_files(f"<p>{markup}{markup}</p>", tmp_path / ending, smaller)
        (path,) = (tmp_path / ending / "pictures").iterdir()
        assert path.suffix == f".{ending}"
        assert page.count(f'<img src="pictures/{path.name}" alt="a &lt;b&gt; figure" width="220" height="110"') == 2
        assert page.count("--legible: 145px") == 2  # two thirds
        assert Image.open(path).size == (220, 110)
        assert path.stem == hashlib.sha256(path.read_bytes()).hexdigest()[:16]


def test_the_positions_of_a_slider_are_round_numbers_and_the_page_opens_at_the_nearest():
    assert slider_values(0.0, 1.0, 0.01)[::41] == [0.0, 0.41, 0.82]
    assert len(slider_values(-8.0, 12.0, 0.25)) == 81

    class Widget:
        """Shows twice the position of its slider."""

        def __init__(self):
            self.slider = SimpleNamespace(min=1.0, max=2.0, step=0.25, value=1.6)

        def __getattr__(self, name):
            return SimpleNamespace(value=f"{name} {2 * self.slider.value:g}")

    found = driven(Widget(), "name", "Label", ("row", "table"), "{:.2f}".format)
    assert (found.name, found.label, found.start) == ("name", "Label", 2)
    assert [state.value for state in found.states] == ["1.00", "1.25", "1.50", "1.75", "2.00"]
    assert found.states[1] == SliderState("1.25", "status 2.5", ("row 2.5", "table 2.5"))


def test_what_no_browser_asks_for_is_removed_and_an_empty_heading_is_a_cell(tmp_path):
    gone = ("_sources/a.txt", "_static/locales/de/x.js", "_static/deep/x.map", "_static/macros.html", ".buildinfo")
    kept = ("index.html", "_static/x.js", "searchindex.js")
    for name in (*gone, "objects.inv", *kept):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("x")
    book_site.remove_unread(tmp_path)
    assert names_in(tmp_path) == set(kept)
    context = {"body": '<th class="head"><p> </p></th><th></th><th><p>a</p></th>'}
    book_site.without_empty_headings(None, None, None, context, None)
    assert context["body"] == "<td></td><td></td><th><p>a</p></th>"


@pytest.mark.parametrize("address", [None, "https://a.org/b", "http://a.org/b/", "https://a.org/b//"])
def test_an_address_is_taken_without_its_last_slash(address):
    assert checked_address(address) == (address and address.rstrip("/"))


@pytest.mark.parametrize(
    "address", ["", "a.org/b", "ftp://a.org", 'https://a.org/"b', "https://a.org/b c", "https://<a>"]
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(CommandError, match="expected an address such as"):
        checked_address(address)


def test_equal_pieces_are_stored_once_and_cannot_end_the_script():
    states = (SliderState("a", "one", ("</script><b>", "x")), SliderState("b", 'two "2"', ("</script><b>", "y")))
    page = slider_html(BookSlider("name", "Label & <more>", states, 1))
    (data,) = re.findall(r'<script type="application/json">(.*?)</script>', page, re.DOTALL)
    assert json.loads(data) == {
        "pieces": ["</script><b>", "x", "y"],
        "states": [["a", "one", [0, 1]], ["b", 'two "2"', [0, 2]]],
    }
    assert 'value="1"' in page
    assert 'aria-valuetext="b"' in page
    assert '<label for="name-range">Label &amp; &lt;more&gt;</label>' in page
    assert "\n\n" not in page


# ---- where it is written


def write_something(out, name="index.html"):
    with in_one_step(out) as unfinished:
        (unfinished / name).write_text("a page", encoding="utf-8")


def names_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_book_replaces_a_book_and_leaves_nothing_of_it(tmp_path):
    out = tmp_path / "new" / "book"
    write_something(out, "old.html")
    write_something(out)
    assert names_in(out) == {"index.html", MARK}
    assert [path.name for path in out.parent.iterdir()] == ["book"]


def test_a_folder_that_is_no_book_is_left_alone(tmp_path):
    out = tmp_path / "mine"
    out.mkdir()
    check_place(out)
    (out / "thesis.txt").write_text("years of work", encoding="utf-8")
    with pytest.raises(FileExistsError, match=r"holds thesis\.txt"):
        write_something(out)
    assert names_in(out) == {"thesis.txt"}


def test_a_book_with_a_strangers_file_in_it_is_left_alone(tmp_path):
    write_something(tmp_path / "book")
    (tmp_path / "book" / "CNAME").write_text("example.org", encoding="utf-8")
    with pytest.raises(FileExistsError, match="holds CNAME"):
        write_something(tmp_path / "book", "other.html")
    assert names_in(tmp_path / "book") == {"index.html", "CNAME", MARK}


def test_a_file_or_a_link_is_no_place_for_a_book(tmp_path):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    os.symlink(tmp_path / "folder", tmp_path / "link")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError, match="is no folder"):
            check_place(tmp_path / name)


def test_a_book_that_cannot_take_its_place_leaves_the_former_one(tmp_path, monkeypatch):
    out, replace = tmp_path / "book", os.replace
    write_something(out, "old.html")

    def replace_all_but_the_new_one(source, target):
        if Path(source).suffix == ".new":
            raise OSError(16, "Device or resource busy")
        replace(source, target)

    monkeypatch.setattr(os, "replace", replace_all_but_the_new_one)
    with pytest.raises(OSError, match=r"could not be written to .*book \(Device or resource busy\)"):
        write_something(out)
    assert names_in(tmp_path) == {"book/old.html", f"book/{MARK}"}


def test_of_many_files_of_a_stranger_three_are_named(tmp_path):
    for name in "abcd":
        (tmp_path / name).write_text("x")
    with pytest.raises(FileExistsError, match=r"holds a, b, c \.\.\., which"):
        check_place(tmp_path)


def test_a_build_that_fails_leaves_the_former_book(tmp_path, monkeypatch):
    out = tmp_path / "book"
    write_something(out)

    def fails(*_):
        raise book_site.BookError("Sphinx failed: on purpose")

    monkeypatch.setattr(book_site, "run_sphinx", fails)
    with pytest.raises(book_site.BookError):
        book_site.build_book(TOP, out, ["01"], say=lambda _: None)
    assert names_in(out) == {"index.html", MARK}
    assert [path.name for path in tmp_path.iterdir()] == ["book"]


# ---- the command


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("77",), "there is no chapter 77"),
        (("--repository", "javascript:alert(1)"), "expected an address such as"),
        (("--out", " "), "expected a folder"),
        (("--out", str(TOP)), "which is of no book"),
        (("--out", str(TOP / "README.md" / "book")), "nothing can be written"),
    ],
)
def test_what_cannot_be_built_is_one_sentence(arguments, message, capsys):
    assert command_line.main(["book", *arguments]) == 1
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error


def test_without_the_extra_the_command_says_what_installs_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(book_site, "find_spec", lambda name: None if name == "sphinx_book_theme" else name)
    assert command_line.main(["book", "--out", str(tmp_path / "book")]) == 1
    assert capsys.readouterr().err == (
        "course.py book: the book needs sphinx_book_theme, which the extra `book` installs: in the folder of the "
        'course, python -m pip install -e ".[book]"\n'
    )
    assert not (tmp_path / "book").exists()


# ---- in a browser


class Silent(SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def address(site):
    """The book as a server on this machine hands it out."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=site))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine; CHROMIUM can name one")
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def opened(browser, address):
    """opened(name, width, scheme): a page, its formulas set. In the end nothing went wrong or left this machine."""
    contexts, wrong = [], []

    def open_page(name, width=1200, scheme="light"):
        contexts.append(browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme))
        page = contexts[-1].new_page()
        page.on("request", lambda r: None if r.url.startswith((address, "data:", "blob:")) else wrong.append(r.url))
        page.on("response", lambda r: wrong.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.goto(f"{address}/{name}.html")
        page.evaluate("() => window.MathJax?.startup?.promise")
        return page

    open_page.wrong = wrong
    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


@pytest.mark.parametrize(
    ("name", "label", "first", "second", "last"),
    [
        ("03_masking", "Mask ratio", "At ratio 0.15,", "At ratio 0.16,", "At ratio 1.00, 15 of 15 tokens"),
        ("04_masking_the_logits", "Logit of [CLS]", "With a logit of 0.50,", "With a logit of 0.75,", "of 12.00,"),
        ("16_writing_by_unmasking", "Step", "After step 0 of 4,", "After step 1 of 4,", "After step 4 of 4, 9 of 9"),
    ],
)
def test_a_slider_moves_with_the_arrow_keys(name, label, first, second, last, opened):
    page = opened(name)
    slider, status = page.get_by_role("slider", name=label), page.get_by_role("status").filter(has_text=first)
    status.wait_for()
    line = page.locator(".book-slider [role=status]")
    before = page.locator(".book-slider-part").first.inner_html()
    said = slider.get_attribute("aria-valuetext")
    slider.focus()
    slider.press("ArrowRight")
    assert second in line.inner_text()
    assert slider.get_attribute("aria-valuetext") != said
    assert slider.get_attribute("aria-valuetext") == page.locator(".book-slider output").inner_text()
    slider.press("End")
    assert last in line.inner_text()
    after = page.locator(".book-slider-part").first.inner_html()
    assert after != before
    slider.press("Home")
    for _ in range(int(slider.get_attribute("value"))):
        slider.press("ArrowRight")
    assert first in line.inner_text()
    picture = page.locator(".book-slider img")
    if picture.count():
        assert picture.evaluate("image => image.decode().then(() => image.naturalWidth)") > 0


def test_formulas_are_set_and_no_stop_of_the_tab_key(opened):
    page = opened("16_writing_by_unmasking")
    assert page.locator("mjx-container").count() > 20
    assert page.locator("mjx-merror").count() == 0
    assert page.locator("span.math mjx-container[tabindex]").count() == 0


def test_the_search_finds_a_word_of_a_chapter(opened):
    page = opened("search")
    page.goto(page.url + "?q=surprisal")
    found = page.locator("#search-results li").filter(has=page.locator('a[href*="02_surprisal.html"]')).first
    found.locator(".context").wait_for()
    assert "System Settings" not in found.inner_text()  # a word of the buttons above the article


def test_next_and_previous_lead_through_the_chapters(opened):
    page = opened("03_masking")
    page.locator("a.right-next").click()
    page.wait_for_url("**/04_masking_the_logits.html")
    page.locator("a.left-prev").click()
    page.wait_for_url("**/03_masking.html")


def test_pictures_stand_on_grey_paper_in_the_dark(opened):
    page = opened("03_masking", scheme="dark")
    paper = page.locator(".book-figure").first.evaluate("box => getComputedStyle(box).backgroundColor")
    behind = page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
    bright, dark = (sum(map(int, re.findall(r"\d+", color)[:3])) / 3 for color in (paper, behind))
    assert 200 < bright < 250
    assert dark < 60


@pytest.mark.parametrize(
    ("name", "width", "scheme"),
    [(name, 380, "dark") for name in PAGES] + [(name, 1200, "light") for name in ("index", "search", *MOVING_PAGES)],
)
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(name, width, scheme, opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    page = opened(name, width, scheme)
    page.wait_for_timeout(200)  # until what overflows has been found
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0
    assert opened.wrong == []
    # Words of code have some thirty colors among thousands: those are looked at by themselves.
    found = axe.Axe().run(page, context={"exclude": [[CODE_WORDS]]}, options=VIOLATIONS_ALONE).response["violations"]
    opened.wrong.clear()  # axe itself looks for a style sheet that another one imports, in the wrong folder
    assert [(v["id"], node["target"]) for v in found for node in v["nodes"]] == []


@pytest.mark.parametrize(("width", "scheme"), [(380, "dark"), (1200, "light")])
def test_every_kind_of_word_in_code_can_be_read(width, scheme, site, opened):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")
    code = re.compile(r'<div class="highlight"><pre>(.*?)</pre>', re.DOTALL)
    kinds = {
        kind
        for path in pages_of(site)
        for block in code.findall(path.read_text("utf-8"))
        for kind in KIND.findall(block)
    }
    assert len(kinds) > 20
    page = opened("01_softmax", width, scheme)
    words = "".join(f'<span class="{kind}">word </span>' for kind in sorted(kinds))
    page.locator(".highlight pre").first.evaluate("(pre, words) => { pre.innerHTML = words }", words)

    def unreadable():
        found = axe.Axe().run(page, context=".highlight pre", options=VIOLATIONS_ALONE).response["violations"]
        opened.wrong.clear()
        return [(v["id"], node["target"]) for v in found for node in v["nodes"]]

    assert unreadable() == []
    page.locator(".highlight pre span").first.evaluate("span => { span.style.color = 'rgb(120, 120, 120)' }")
    assert [rule for rule, _ in unreadable()] == ["color-contrast"]
