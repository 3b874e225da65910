"""What people set for themselves: name, language, time zone."""

import zoneinfo
from functools import cache

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import translation
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as set_browser_language

from crm.models import User

# Names that say nothing to people, or that old systems keep for one another.
OTHER_ZONES = ("Etc/", "SystemV/", "US/", "posix/", "right/")


@cache
def time_zones() -> list[tuple[str, str]]:
    """Return the zones of places, and UTC."""
    names = sorted(
        name
        for name in zoneinfo.available_timezones()
        if "/" in name and not name.startswith(OTHER_ZONES)
    )
    return [(name, name.replace("_", " ")) for name in ["UTC", *names]]


class ProfileForm(forms.ModelForm):
    """A person's own settings; everything else about people is the administrators'."""

    time_zone = forms.ChoiceField(label=_("Time zone"), required=False)

    class Meta:
        model = User
        fields = ("first_name", "last_name", "language", "time_zone")
        labels = {"language": _("Language")}

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        as_usual = ("", _("As the whole system"))
        choices = [as_usual, *time_zones()]
        current = self.instance.time_zone
        if current and current not in dict(choices):
            choices.append((current, current))
        self.fields["time_zone"].choices = choices
        self.fields["time_zone"].widget.attrs["data-enhance"] = ""
        languages = self.fields["language"].choices[1:]
        self.fields["language"].choices = [("", _("As the browser asks")), *languages]
        self.fields["first_name"].widget.attrs["autocomplete"] = "given-name"
        self.fields["last_name"].widget.attrs["autocomplete"] = "family-name"


def profile(request: HttpRequest) -> HttpResponse:
    """Show and save the person's settings."""
    # A copy: the name in the frame must not change before the form is valid.
    person = User.objects.select_related("team").get(pk=request.user.pk)
    form = ProfileForm(request.POST or None, instance=person)
    if request.method == "POST" and form.is_valid():
        form.save()
        if person.language:
            translation.activate(person.language)
        messages.success(request, gettext("Your settings are saved."))
        return redirect("profile")
    context = {
        "form": form,
        "person": person,
        "roles": person.roles.all(),
        "title": _("Your settings"),
    }
    return render(request, "crm/profile.html", context)


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the language in the browser and, once signed in, with the person."""
    language = request.POST.get("language", "")
    # Django knows many more languages than the pages are written in.
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        User.objects.filter(pk=request.user.pk).update(language=language)
    return set_browser_language(request)


urlpatterns = [
    path("profile/", profile, name="profile"),
    path("language/", set_language, name="set_language"),
]
