"""Opening a link in the person's browser without showing it to other people of the machine."""

from __future__ import annotations

import webbrowser
from html import escape
from pathlib import Path

from ..errors import ProxyError

_PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="referrer" content="no-referrer">
<meta http-equiv="refresh" content="0; url={url}"><title>Opening …</title></head>
<body><a href="{url}">Open</a></body></html>
"""


def open_in_browser(url: str, *, port: int | None, secret: bool) -> None:
    """Open a URL in the default browser.

    A browser's command line can be read by everybody on the machine. So a URL with a credential is
    put in a file that only this user can read, and the browser is given the file.

    Args:
        url: What to open.
        port: The service's port; names the file, so that a later link replaces an earlier one.
        secret: Whether the URL holds a credential.

    Raises:
        ProxyError: There is no browser.
    """
    target = _redirect_file(url, port).as_uri() if secret else url
    if not webbrowser.open(target):
        raise ProxyError(
            "No browser can be opened from here.",
            suggestion="`open PORT --print` prints a one-time link to open elsewhere.",
        )


def _redirect_file(url: str, port: int | None) -> Path:
    from jupyter_core.paths import jupyter_runtime_dir, secure_write

    directory = Path(jupyter_runtime_dir())
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = directory / f"tensorone-open-{port}.html"
    with secure_write(str(path)) as file:
        file.write(_PAGE.format(url=escape(url)))
    return path
