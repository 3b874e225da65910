"""The frame of every page: menu, look, icons, figures, charts, errors."""

import datetime
import json
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import Http404
from django.template import Context, Template
from django.test import Client, override_settings
from django.utils import timezone, translation
from model_bakery import baker

from crm import formatting
from crm.charts import Chart, Money, Percent
from crm.context_processors import navigation
from crm.models import Role, User
from crm.templatetags.ui import STATE_COLOURS, icon_names

EURO = "€"


def render(source: str, **context: object) -> str:
    """Render a piece of template."""
    return Template("{% load ui charts i18n %}" + source).render(Context(context))


@pytest.fixture
def admin(db) -> User:
    """Return a person who sees everything."""
    person = baker.make(
        User, username="dev", first_name="Dev", last_name="Oku", is_staff=True
    )
    person.roles.set(Role.objects.filter(code="administrator"))
    return person


@pytest.fixture
def browser(admin) -> Client:
    """Return the administrator's browser."""
    client = Client()
    client.force_login(admin)
    return client


# --- The frame -----------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/people/", "/profile/"])
def test_pages_have_landmarks_and_one_heading(browser, address):
    text = browser.get(address).content.decode()
    assert text.count("<h1") == 1
    assert text.count("<main") == 1
    assert 'href="#content"' in text
    assert 'id="content"' in text
    assert re.search(r'<nav[^>]*aria-label="Main menu"', text)


def test_no_script_and_no_handler_stands_in_a_page(browser):
    for address in ("/", "/people/", "/profile/", "/accounts/password/change/"):
        answer = browser.get(address)
        policy = answer["Content-Security-Policy"]
        script = re.search(r"script-src ([^;]*)", policy)[1]
        assert script == "'self'"
        text = answer.content.decode()
        for attributes, body in re.findall(
            r"<script([^>]*)>(.*?)</script>", text, re.S
        ):
            assert "application/json" in attributes or not body.strip()
        assert not re.search(r"<[^>]+\son[a-z]+=", text)
        assert "javascript:" not in text


def test_strangers_get_the_same_policy(client):
    answer = client.get("/accounts/login/")
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"


def test_files_of_the_frame_are_there(browser):
    text = browser.get("/people/").content.decode()
    paths = set(re.findall(r'(?:src|href)="/static/([^"#]+)', text))
    assert len(paths) > 10
    assert [path for path in paths if not finders.find(path)] == []


def test_menu_marks_where_the_person_is(browser):
    text = browser.get("/people/").content.decode()
    marked = re.findall(
        r'<a class="nav-entry" href="([^"]+)" aria-current="page"', text
    )
    assert marked == ["/people/"]
    start = browser.get("/").content.decode()
    assert re.findall(r'href="([^"]+)" aria-current="page"', start) == ["/"]


def test_menu_shows_only_what_the_person_may_see(db):
    nobody = baker.make(User, username="fay")
    client = Client()
    client.force_login(nobody)
    text = client.get("/").content.decode()
    assert re.findall(r'<a class="nav-entry" href="([^"]+)"', text) == ["/"]
    assert "/admin/" not in text


def test_strangers_have_no_menu(rf):
    assert navigation(rf.get("/")) == []


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("dark", 'data-theme-choice="dark" data-bs-theme="dark"'),
        ("light", 'data-theme-choice="light" data-bs-theme="light"'),
        ('x"><b>', 'data-theme-choice="auto" data-sidebar'),
    ],
)
def test_look_is_remembered_by_the_browser(client, db, cookie, expected):
    client.cookies["theme"] = cookie
    text = client.get("/accounts/login/").content.decode()
    assert expected in text


def test_messages_are_shown_once(browser):
    browser.post("/profile/", {"first_name": "Dev"})
    assert "Your settings are saved." in browser.get("/profile/").content.decode()
    assert "Your settings are saved." not in browser.get("/profile/").content.decode()


# --- Errors --------------------------------------------------------------------


def test_nothing_here_keeps_the_frame_for_those_who_are_inside(browser):
    answer = browser.get("/no-such-page/")
    text = answer.content.decode()
    assert answer.status_code == 404
    assert "There is nothing here" in text
    assert 'aria-label="Main menu"' in text


def test_nothing_here_for_strangers(client, db):
    answer = client.get("/no-such-page/")
    assert answer.status_code == 404
    assert "There is nothing here" in answer.content.decode()
    assert 'aria-label="Main menu"' not in answer.content.decode()


def test_not_allowed_says_what_to_do(rf, admin):
    from django.views.defaults import page_not_found, permission_denied

    request = rf.get("/somewhere/")
    request.user = admin
    answer = permission_denied(request, PermissionError())
    assert answer.status_code == 403
    assert "Your role does not allow this" in answer.content.decode()
    with translation.override("zh-hans"):
        assert page_not_found(request, Http404()).status_code == 404


def test_breakdown_page_needs_no_database_and_speaks_both_languages(rf):
    from django.views.defaults import server_error

    answer = server_error(rf.get("/"))
    text = answer.content.decode()
    assert answer.status_code == 500
    assert '<section lang="en">' in text
    assert '<section lang="zh-hans">' in text
    assert "<script" not in text


def test_stale_form_says_so(admin):
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin)
    answer = client.post("/profile/", {"first_name": "Mallory"})
    assert answer.status_code == 403
    assert "Please send it again" in answer.content.decode()
    admin.refresh_from_db()
    assert admin.first_name == "Dev"


# --- Icons, badges, figures ------------------------------------------------------


def test_icons_of_templates_and_states_exist():
    used = set()
    for path in Path(settings.BASE_DIR, "templates").rglob("*.html"):
        used |= set(re.findall(r'{% icon "([\w-]+)"', path.read_text("utf-8")))
    assert used - icon_names() == set()
    assert len(icon_names()) > 40


def test_unknown_icon_is_refused():
    with pytest.raises(ValueError, match="no icon 'unicorn'"):
        render('{% icon "unicorn" %}')


def test_icon_speaks_only_with_a_label():
    assert 'aria-hidden="true"' in render('{% icon "users" %}')
    spoken = render('{% icon "users" label=text %}', text="<Team>")
    assert 'role="img"' in spoken
    assert "&lt;Team&gt;" in spoken


@pytest.mark.parametrize(
    ("state", "colour"),
    [
        ("won", "green"),
        ("In Progress", "blue"),
        ("FAILED", "red"),
        ("whatever", "grey"),
    ],
)
def test_badge_takes_its_colour_from_the_state(state, colour):
    text = render("{% badge text state %}", text="<Word>", state=state)
    assert f"badge-{colour}" in text
    assert "&lt;Word&gt;" in text


def test_every_state_has_one_colour():
    colours = {"green", "blue", "yellow", "orange", "red", "grey"}
    assert set(STATE_COLOURS.values()) == colours


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        (Decimal("1234567.891"), "EUR", "€1,234,567.89"),
        (Decimal("0.005"), "EUR", "€0.01"),
        (Decimal("-12.5"), "USD", "-$12.50"),
        (Decimal("-0.001"), "USD", "$0.00"),
        (1500, "JPY", "JP¥1,500"),
        (3, "CHF", "CHF\N{NO-BREAK SPACE}3.00"),
        (None, "EUR", "–"),
        ("", "EUR", "–"),
        (float("nan"), "EUR", "–"),
        ("not a number", "EUR", "–"),
    ],
)
def test_money(amount, currency, expected):
    assert render("{% money a c %}", a=amount, c=currency) == expected


def test_figures_follow_the_language():
    with translation.override("zh-hans"):
        assert formatting.number(1234567) == "1,234,567"
        assert formatting.money(Decimal("1234.5"), "CNY") == "¥1,234.50"
        assert formatting.percent(0.1234) == "12.3%"
    assert formatting.number(Decimal("2.500")) == "2.50"
    assert formatting.number(0.125, 2) == "0.13"
    assert formatting.percent(None) == "–"


def test_change_says_direction_and_whether_it_is_good():
    rising = render("{% delta 0.08 %}")
    assert "+8.0%" in rising
    assert "delta-good" in rising
    assert "delta-bad" in render('{% delta 0.08 good="down" %}')
    assert "delta-bad" in render("{% delta value %}", value=-0.1)
    assert "delta-flat" in render("{% delta 0 %}")


def test_meter_shows_the_figure_and_stays_within_its_bounds():
    assert 'value="45"' in render("{% meter 0.456 %}")
    assert "46%" in render("{% meter 0.456 %}")
    assert 'value="100"' in render("{% meter 1.7 %}")
    assert "<meter" not in render("{% meter none %}", none=None)


@pytest.mark.parametrize(
    ("ago", "expected"),
    [
        (datetime.timedelta(seconds=5), "just now"),
        (datetime.timedelta(minutes=5, seconds=2), "5\N{NO-BREAK SPACE}minutes ago"),
        (datetime.timedelta(days=1, hours=5), "1\N{NO-BREAK SPACE}day ago"),
        (-datetime.timedelta(hours=3, seconds=5), "in 3\N{NO-BREAK SPACE}hours"),
    ],
)
def test_nearby_moments_are_told_by_distance(ago, expected):
    moment = timezone.now() - ago
    text = render("{% relative_time moment %}", moment=moment)
    assert f">{expected}</time>" in text
    assert 'datetime="' in text


def test_far_moments_are_told_by_date():
    moment = datetime.datetime(2024, 2, 12, 12, tzinfo=datetime.UTC)
    assert ">Feb. 12, 2024</time>" in render("{% relative_time m %}", m=moment)
    assert "–" in render("{% relative_time m %}", m=None)


def test_initials_of_western_and_chinese_names():
    assert ">AR<" in render("{% avatar name %}", name="Ana Maria Ruiz")
    assert ">明<" in render("{% avatar name %}", name="王小明")
    assert "–" in render("{% avatar name %}", name=None)


def test_button_is_a_link_or_a_button_and_escapes():
    link = render(
        '{% button text href=url icon="plus" hx_get="/y/" %}',
        text="<b>",
        url="/x/?a=1&b=2",
    )
    assert link.startswith('<a class="btn btn-secondary" href="/x/?a=1&amp;b=2"')
    assert 'hx-get="/y/"' in link
    assert "&lt;b&gt;" in link
    button = render('{% button "Save" name="go" value="1" %}')
    assert 'type="submit"' in button
    assert "btn-primary" in button
    only = render('{% button "Remove" icon="x" icon_only=True kind="ghost" %}')
    assert 'aria-label="Remove"' in only


# --- Forms ---------------------------------------------------------------------


class SampleForm(forms.Form):
    """A form with every layout."""

    name = forms.CharField(help_text="As on the card.")
    born = forms.DateField(required=False)
    agreed = forms.BooleanField(required=False)
    way = forms.ChoiceField(choices=[("a", "A"), ("b", "B")], widget=forms.RadioSelect)
    secret = forms.CharField(widget=forms.HiddenInput, required=False)
    fieldsets = [("Person", ["name", "born"])]


def test_field_ties_label_help_and_error_together():
    form = SampleForm({"way": "zzz"})
    text = render("{% field form.name %}", form=form)
    control = re.search(r"<input[^>]*>", text)[0]
    assert 'aria-invalid="true"' in control
    described = re.search(r'aria-describedby="([^"]+)"', control)[1].split()
    assert set(described) == {"id_name_helptext", "id_name_error"}
    for identifier in described:
        assert f'id="{identifier}"' in text
    assert 'for="id_name"' in text
    group = render("{% field form.way %}", form=form)
    assert "<fieldset" in group
    assert "id_way_error" in re.search(r'aria-describedby="([^"]+)"', group)[1]


def test_whole_form_shows_every_field_once_in_its_group():
    text = render("{% form_fields form %}", form=SampleForm())
    for name in ("name", "born", "agreed", "secret"):
        assert text.count(f'name="{name}"') == 1
    assert text.index("Person") < text.index('name="name"') < text.index('name="way"')
    assert 'type="date"' in text


def test_date_box_shows_and_takes_the_date_in_every_language():
    for language in ("en", "zh-hans"):
        with translation.override(language):
            form = SampleForm(initial={"born": datetime.date(1984, 5, 31)})
            assert 'value="1984-05-31"' in render("{% field form.born %}", form=form)
            sent = SampleForm({"name": "A", "way": "a", "born": "1984-05-31"})
            assert sent.is_valid()
            assert sent.cleaned_data["born"] == datetime.date(1984, 5, 31)


def test_summary_counts_and_links_the_wrong_fields():
    form = SampleForm({})
    text = render("{% form_errors form %}", form=form)
    assert "2 fields need your attention." in text
    assert 'href="#id_name"' in text
    assert "alert" not in render("{% form_errors form %}", form=SampleForm())


# --- Charts --------------------------------------------------------------------


def cells(chart: Chart) -> list[list[str]]:
    """Return the words of the table behind a chart."""
    return [[cell.text for cell in row] for row in chart.table().rows]


def test_chart_carries_its_numbers_as_a_table_and_as_data():
    chart = Chart(
        "bar",
        "Value <of> groups",
        x_label="Group",
        categories=["A", "B"],
        series=[{"name": "Revenue", "data": [Decimal("1200.50"), None]}],
        y_format=Money("EUR"),
        links=["/a/", "/b/"],
    )
    text = render("{% chart c %}", c=chart)
    assert "€1,201" in text
    assert '<a href="/a/">A</a>' in text
    assert "Value &lt;of&gt; groups" in text
    assert text.count("charts.js") == 1
    data = json.loads(
        re.search(r"<script type=\"application/json\">(.*?)</script>", text)[1]
    )
    assert data["labels"] == ["A", "B"]
    assert data["series"][0]["data"] == [1200.5, None]
    assert data["yFormat"]["currency"] == "EUR"


def test_data_of_a_chart_cannot_leave_its_script():
    chart = Chart("bar", "t", categories=["</script><b>"], series=[{"data": [1]}])
    assert "</script><b>" not in render("{% chart c %}", c=chart)


def test_line_with_dates_and_a_range():
    chart = Chart(
        "line",
        "Sales",
        categories=[datetime.date(2026, 1, 1), datetime.date(2026, 2, 1)],
        period="month",
        series=[
            {"name": "Forecast", "data": [10, 12], "band": [[8, 12], [None, None]]}
        ],
    )
    assert chart.labels() == ["Jan 2026", "Feb 2026"]
    assert cells(chart) == [["Jan 2026", "10", "8 – 12"], ["Feb 2026", "12", "–"]]


def test_histogram_names_its_bins():
    chart = Chart("histogram", "t", categories=[0, 100, 200], series=[{"data": [3, 4]}])
    assert chart.labels() == ["0 – 100", "100 – 200"]
    assert cells(chart) == [["0 – 100", "3"], ["100 – 200", "4"]]


def test_scatter_tells_size_and_middle_of_each_class():
    chart = Chart(
        "scatter", "t", series=[{"name": "A", "data": [[0, 1], [2, 3]]}, {"data": []}]
    )
    assert cells(chart) == [["A", "2", "1", "2"], ["", "0", "–", "–"]]


def test_calibration_tells_said_seen_and_count():
    chart = Chart(
        "calibration", "t", series=[{"name": "m", "data": [[0.1, 0.125, 40]]}]
    )
    assert cells(chart) == [["10.0%", "12.5%", "40"]]


def test_heatmap_is_a_table_that_needs_no_script():
    chart = Chart(
        "heatmap",
        "Confusion",
        categories=["a", "b"],
        series=[{"name": "a", "data": [9, 1]}, {"name": "b", "data": [0, 3]}],
        highlight_diagonal=True,
    )
    text = render("{% chart c %}", c=chart)
    assert "<script" not in text
    assert text.count("is-right") == 2
    assert "shade-9" in text


def test_percent_axis_and_empty_chart():
    chart = Chart(
        "bar", "t", y_format=Percent(0), categories=["A"], series=[{"data": [0.5]}]
    )
    assert cells(chart) == [["A", "50%"]]
    assert "There is nothing to draw yet." in render(
        "{% chart c %}", c=Chart("bar", "t")
    )


def test_wrong_chart_is_refused():
    with pytest.raises(ValueError, match="A chart is one of"):
        Chart("pie", "t")
    with pytest.raises(ValueError, match="1 figures for 2 labels"):
        Chart("bar", "t", categories=["A", "B"], series=[{"data": [1]}])


# --- Weight --------------------------------------------------------------------


@override_settings(
    STORAGES={
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        },
    }
)
def test_charts_library_is_only_on_pages_with_charts(browser):
    text = browser.get("/people/").content.decode()
    assert "echarts" not in text
    assert "charts.js" not in text
