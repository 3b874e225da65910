"""Check a running CRM over HTTP: every role logs in, the pages show results."""

import http.cookiejar
import re
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser

LOGIN = "/accounts/login/"
ADMINISTRATOR = "administrator"
CUSTOMERS_TRIED = 15


@dataclass(frozen=True)
class Page:
    """Say what the administrator must find on a page: patterns and how often."""

    path: str
    patterns: tuple[str, ...]
    at_least: int = 1


# The words of a model page that stand there only when it has a run.
RUN = "Rows learned from"

PAGES = (
    Page("/", (r'href="/orders/[^"]*"', r'href="/tickets/[^"]*"')),
    Page("/customers/", (r'href="/customers/\d+/"',), 20),
    Page("/orders/", (r'href="/orders/\d+/"',), 20),
    Page("/leads/", (r'href="/leads/\d+/"',), 20),
    Page("/tickets/", (r'href="/tickets/\d+/"',), 20),
    Page("/analytics/", (r'href="/analytics/models/[^"]+"',), 5),
    Page("/analytics/models/segmentation/", (RUN,)),
    Page("/analytics/models/ltv/", (RUN,)),
    Page("/analytics/models/conversion/", (RUN,)),
    Page("/analytics/models/ticket-class/", (RUN,)),
    Page("/analytics/statistics/", (r"<td",), 1),
)
# Words of the panels that stand there only with a result.
CUSTOMER_RESULTS = ("Purchasing power", "Still a customer")


class Form(HTMLParser):
    """Collect the hidden fields of a page's forms and the links in its <nav>."""

    def __init__(self, html: str):
        super().__init__()
        self.hidden: dict[str, str] = {}
        self.links: list[str] = []
        self.depth = 0
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list) -> None:
        values = dict(attrs)
        if tag == "nav":
            self.depth += 1
        if tag == "a" and self.depth and values.get("href"):
            self.links.append(values["href"])
        if tag == "input" and values.get("type") == "hidden" and values.get("name"):
            self.hidden.setdefault(values["name"], values.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "nav" and self.depth:
            self.depth -= 1


class Browser:
    """Hold one person's session."""

    def __init__(self, base: str):
        self.base = base
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        no_proxy = urllib.request.ProxyHandler({})
        self.opener = urllib.request.build_opener(no_proxy, cookies)
        self.opener.addheaders = [("Accept-Language", "en")]

    def open(self, path: str, data: dict | None = None) -> tuple[int, str, str]:
        """Return status, path after redirects and text of a page."""
        url = urllib.parse.urljoin(self.base, path)
        request = urllib.request.Request(url, headers={"Referer": url})
        if data is not None:
            request.data = urllib.parse.urlencode(data).encode()
        try:
            with self.opener.open(request, timeout=30) as answer:
                text = answer.read().decode(errors="replace")
                return answer.status, urllib.parse.urlsplit(answer.url).path, text
        except urllib.error.HTTPError as error:
            with error:
                return error.code, path, error.read().decode(errors="replace")
        except OSError as error:
            return 0, path, str(error)

    def log_in(self, username: str, password: str) -> str | None:
        """Log in by the form; return what went wrong, None if it worked."""
        status, _path, text = self.open(LOGIN)
        if status != 200:
            return f"the login page answers {status}"
        fields = Form(text).hidden | {"login": username, "password": password}
        status, path, _text = self.open(LOGIN, fields)
        if status != 200 or path == LOGIN:
            return f"{username} cannot log in (status {status}, page {path})"
        return None


def problems(base: str, logins: list[dict], say: Callable[[str], None]) -> list[str]:
    """Check every login and, as the administrator, every page of results."""
    found = []
    administrator = None
    for login in logins:
        browser = Browser(base)
        wrong = browser.log_in(login["username"], login["password"])
        if wrong:
            found.append(f"{login['role']}: {wrong}")
            continue
        count, broken = walk(browser)
        found += [f"{login['role']}: {problem}" for problem in broken]
        say(f"Checked: {login['role']} logs in and opens {count} pages")
        if login["role"] == ADMINISTRATOR:
            administrator = browser
    if administrator is None:
        return [*found, "no administrator could log in, so no result was checked"]
    for page in PAGES:
        wrong = missing(administrator, page)
        found += wrong
        if not wrong:
            say(f"Checked: {page.path} shows its rows")
    wrong = customer_problem(administrator)
    if wrong:
        found.append(wrong)
    else:
        say("Checked: a customer's page shows segment and lifetime value")
    return found


def walk(browser: Browser) -> tuple[int, list[str]]:
    """Open what the person's own navigation offers."""
    status, _path, text = browser.open("/")
    broken = [] if status == 200 else [f"/ answers {status}"]
    links = {link.partition("#")[0] for link in Form(text).links}
    pages = sorted(link for link in links if is_page(link))
    if not pages:
        broken.append("/ offers no navigation")
    for link in pages:
        status, _path, _text = browser.open(link)
        if status != 200:
            broken.append(f"{link} answers {status}")
    return len(pages) + 1, broken


def is_page(link: str) -> bool:
    return link.startswith("/") and link != "/" and "logout" not in link


def missing(browser: Browser, page: Page) -> list[str]:
    """Return what a page lacks."""
    status, _path, text = browser.open(page.path)
    if status != 200:
        return [f"{page.path} answers {status}"]
    found = []
    for pattern in page.patterns:
        count = len(set(re.findall(pattern, text)))
        if count < page.at_least:
            found.append(
                f"{page.path} shows {count} of at least {page.at_least} {pattern}"
            )
    return found


def customer_problem(browser: Browser) -> str | None:
    """Find a customer whose page shows results; new ones may have none yet."""
    # Those worth most come first: they surely have bought.
    _status, _path, text = browser.open("/customers/?sort=-lifetime_value")
    links = list(dict.fromkeys(re.findall(r'href="(/customers/\d+/)"', text)))
    lacking = "there is none"
    for link in links[:CUSTOMERS_TRIED]:
        status, _path, text = browser.open(link)
        if status != 200:
            return f"{link} answers {status}"
        absent = [word for word in CUSTOMER_RESULTS if word not in text]
        if not absent:
            return None
        lacking = f"{link} lacks {' and '.join(absent)}"
    return f"no customer's page shows its results: {lacking}"
