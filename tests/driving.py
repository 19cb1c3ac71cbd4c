"""How the tests read and drive a widget, as a learner would."""

import html
import re

from mlm_mini.widgets.spoken import LiveText


def text_of(widget):
    """The text of an HTML widget, tags removed, or of a line that is plain text already."""
    if isinstance(widget, LiveText):
        return widget.value
    return html.unescape(re.sub(r"<[^>]+>", " ", widget.value)).strip()


def alt_of(widget):
    """The alt text of a widget's picture."""
    return html.unescape(re.search(r'alt="([^"]*)"', widget.picture.value)[1])
