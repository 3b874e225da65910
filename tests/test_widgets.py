"""Controls drawn in Python are those that Django's templates draw."""

import re

from django import forms
from django.forms.renderers import DjangoTemplates
from django.test import RequestFactory

from crm.generic.filters import filterset_for
from crm.generic.registry import registry
from crm.generic.widgets import QuickRenderer

ODD = "city=%22%3Cx%3E%27%26&kind=person&amount_min=x&state=new&state=draft&tags=1"


class Both:
    """Draw a control both ways and compare, blank lines aside."""

    drawn = 0

    def render(self, name, context, request=None):
        ours = QuickRenderer().render(name, context, request)
        theirs = DjangoTemplates().render(name, context, request)
        self.drawn += 1
        assert squeeze(ours) == squeeze(theirs), name
        return ours


def squeeze(html):
    return re.sub(r"\s*\n\s*", "", html)


def test_filters_of_every_list_and_odd_controls_are_the_same(world):
    both = Both()
    request = RequestFactory().get(f"/?{ODD}")
    request.user = world.dev
    bound = [
        field
        for model, pages in registry.pages.items()
        for field in filterset_for(
            model, pages.filters, request, pages.queryset().visible_to(world.dev)
        ).form
    ]
    groups = [("A & B", [(1, "<one>"), (2, "two")]), (None, "none")]
    odd = forms.Form({"g": "2", "b": "on", "t": 'a"b'})
    odd.fields = {
        "g": forms.ChoiceField(choices=groups),
        "m": forms.MultipleChoiceField(choices=groups),
        "r": forms.ChoiceField(choices=groups[1:], widget=forms.RadioSelect),
        "b": forms.BooleanField(),
        "t": forms.CharField(widget=forms.Textarea),
        "d": forms.SplitDateTimeField(),
    }
    for one in [*bound, *odd]:
        attrs = one.build_widget_attrs({"class": 'a&"b', "hidden": True, "x": False})
        one.field.widget.render(one.html_name, one.value(), attrs, renderer=both)
    assert both.drawn > 50
