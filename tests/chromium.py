"""Which browser the tests drive, and how it is started. Nothing is downloaded: without a Chromium they are skipped."""

import os
import shutil

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
VIOLATIONS_ALONE = {"resultTypes": ["violations"]}  # axe does not list what passes, which takes longer than to look
