"""Note what goes wrong in a browser behind the reader's back."""

from __future__ import annotations

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# A request that ends because the reader has gone on is no fault.
GONE_ON = "net::ERR_ABORTED"
# The console repeats every failed request; the request itself says more.
REPEATED = "Failed to load resource"


class Watch:
    """Console errors, scripts that broke or were refused, requests that failed."""

    def __init__(self) -> None:
        self.faults: list[str] = []
        self.expected: set[int] = set()

    def expect(self, *statuses: int) -> None:
        """Take answers with these statuses as right in this test."""
        self.expected.update(statuses)

    def follow(self, page: Page) -> None:
        """Listen to a page and to those it opens."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._note(page.url, f"broke: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        page.on("popup", self.follow)

    def _note(self, url: str, text: str) -> None:
        self.faults.append(f"{url}: {text}")

    def _console(self, message: ConsoleMessage) -> None:
        # What the content security policy refuses is told as an error, too.
        if message.type in ("error", "warning") and REPEATED not in message.text:
            self._note(message.location.get("url", ""), f"console: {message.text}")

    def _failed(self, request: Request) -> None:
        if GONE_ON not in (request.failure or ""):
            self._note(request.url, f"request failed: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self._note(response.url, f"answered {response.status}")
