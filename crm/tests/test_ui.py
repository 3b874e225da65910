"""The parts of pages: icons, badges, figures, people, buttons, forms."""

import datetime
import re
from decimal import Decimal
from pathlib import Path

import pytest
from django import forms
from django.conf import settings
from django.template import Context, Template
from django.utils import timezone, translation

from crm import formatting
from crm.templatetags.ui import STATE_COLOURS, icon_names


def render(source: str, **context: object) -> str:
    """Render a piece of template."""
    return Template("{% load ui charts i18n %}" + source).render(Context(context))


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
    assert ">12 Feb 2024</time>" in render("{% relative_time m %}", m=moment)
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
