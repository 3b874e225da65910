"""Follow a page to the files that it makes a browser fetch."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

if TYPE_CHECKING:
    from crm.bench.client import Client

IN_FILES = {
    ".css": re.compile(r"url\([\"']?([^\"')]+)"),
    ".js": re.compile(r"(?m)^(?:import|export)\b[^\"';]*[\"'](\.{1,2}/[^\"']+)[\"']"),
}


class Files(HTMLParser):
    """Collect the scripts, style sheets and pictures of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag in ("script", "img") and values.get("src"):
            self.found.append(values["src"])
        if tag == "link" and values.get("rel") in ("stylesheet", "icon"):
            self.found.append(values["href"])


def first_visit(client: Client, path: str, html: str) -> dict[str, int]:
    """Return {file: bytes sent} of all that a first visit fetches.

    Fonts are left out where a style sheet merely offers them.
    """
    parser = Files()
    parser.feed(html)
    waiting = [urljoin(path, one) for one in parser.found]
    sizes: dict[str, int] = {}
    while waiting:
        url = waiting.pop()
        if url in sizes or url.startswith("data:") or urlsplit(url).netloc:
            continue
        answer = client.get(url)
        sizes[url] = len(answer.sent)
        pattern = IN_FILES.get(f".{urlsplit(url).path.rpartition('.')[2]}")
        if pattern and "tabler/" not in url:
            waiting += [urljoin(url, one) for one in pattern.findall(answer.text)]
    return sizes
