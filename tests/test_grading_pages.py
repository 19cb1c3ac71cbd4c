"""The pages for learners and for the class in a real browser: on a telephone, in the dark, and without eyes."""

import pytest
from chromium import CHROMIUM, QUIET, VIOLATIONS_ALONE
from submissions import answer, chapter, content, hand_in, written

from mlm_mini.grading.archives import find
from mlm_mini.grading.classroom import mark_class
from mlm_mini.grading.pool import Settings
from mlm_mini.grading.reports import write_reports

playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need the package playwright")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine; CHROMIUM can name one")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Of a class in which one is right, one is wrong in a way that has a name, and one brought no notebook."""
    folder = tmp_path_factory.mktemp("class")
    wrong = answer("00.score").replace("math.log(", "math.log2(")
    handed_in = {
        "ann": content(chapter("00", solved=True)),
        "bob <b>&": content(written("00.score", wrong)),
        "carl": b"{",
    }
    hand_in(folder / "in", handed_in)
    rows = mark_class(find([str(folder / "in")]), Settings(seed=3), jobs=1)[0]
    write_reports(folder / "out", rows)
    return sorted((folder / "out").glob("*.html"))


@pytest.mark.parametrize(("width", "scheme"), [(380, "light"), (380, "dark"), (1200, "light")])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(width, scheme, pages):
    assert len(pages) == 4
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
        for path in pages:
            page.goto(path.as_uri())
            found = axe.Axe().run(page, options=VIOLATIONS_ALONE).response["violations"]
            assert [violation["id"] for violation in found] == [], path.name
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path.name
        browser.close()
