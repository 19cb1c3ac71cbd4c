"""How Sphinx makes the book: what would stand in a `conf.py`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlm_mini.book.contents import BOOK_TITLE
from mlm_mini.book.mathematics import MATHJAX, SETTINGS

OWN_FILES = Path(__file__).parent / "static"


def sphinx_settings(static: Path, site: Path) -> dict[str, Any]:
    """static: a folder whose files go to `_static`; site: one whose files go beside the pages."""
    return {
        "project": BOOK_TITLE,
        "language": "en",
        "extensions": ["myst_nb"],
        "nb_execution_mode": "off",  # the outputs are those that are stored
        "nb_render_markdown_format": "myst",  # or tables and formulas of an output would stay text
        "myst_enable_extensions": ["dollarmath", "amsmath"],
        "mathjax_path": MATHJAX,
        "mathjax3_config": SETTINGS,
        "html_theme": "sphinx_book_theme",
        "html_title": BOOK_TITLE,
        "html_static_path": [str(OWN_FILES), str(static)],
        "html_extra_path": [str(site)],
        "html_css_files": ["book.css"],
        "html_favicon": str(OWN_FILES / "favicon.svg"),
        "html_js_files": [(name, {"defer": "defer"}) for name in ("slider.js", "scrolling.js", "search.js")],
        "html_copy_source": False,
        "html_show_sourcelink": False,
        "html_show_copyright": False,
        "html_use_index": False,
        "html_domain_indices": False,
        "html_context": {"default_mode": "auto"},
        # Without the title above the search field: it is the first link below, and would stand outside any landmark.
        "html_sidebars": {"**": ["search-button-field.html", "sbt-sidebar-nav.html"]},
        "html_theme_options": {
            **{f"navbar_{place}": [] for place in ("start", "center", "end", "persistent")},
            "home_page_in_toc": True,
            "show_toc_level": 1,
            "use_download_button": False,
            "use_fullscreen_button": False,
            "pygments_light_style": "a11y-high-contrast-light",
            "pygments_dark_style": "a11y-high-contrast-dark",
        },
    }
