"""The page on which administrators edit what a role may do, and look at the outcome."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from crm.access import Verb, require
from crm.exceptions import UserVisibleError
from crm.generic.registry import registry
from crm.models import FieldMode, Grant, Role, User
from crm.rights import matrix, preview
from crm.rights.services import ConflictError, save_rights

PREFIX = "r:"
SEEN = "seen"
# So many fields can be given a rule at a time.
NEW_RULES = 3
LONGEST = 200


def rights(request: HttpRequest, code: str = "") -> HttpResponse:
    """Show, preview and save the rights of one role."""
    require(request.user, Verb.CHANGE, Grant)
    roles = matrix.all_roles()
    role = next((one for one in roles if one.code == code or not code), None)
    if role is None:
        raise Http404
    stored = matrix.state_of(role)
    if request.method != "POST":
        return show(request, roles, role, stored, stored, stored)
    seen = read_seen(request.POST.get(SEEN, ""))
    try:
        wanted = read_wanted(request.POST, stored, seen)
        if "preview" in request.POST:
            return show(request, roles, role, wanted, stored, seen)
        number = save_rights(role=role, seen=seen, wanted=wanted, actor=request.user)
    except ConflictError as conflict:
        now = conflict.stored
        context = {"conflict": conflict, "status": 409}
        return show(request, roles, role, conflict.merged, now, now, **context)
    except UserVisibleError as error:
        context = {"error": str(error), "status": 422}
        wanted = read_wanted(request.POST, stored, seen, is_strict=False)
        return show(request, roles, role, wanted, stored, seen, **context)
    if number:
        text = ngettext(
            "%(number)s right changed.", "%(number)s rights changed.", number
        )
        messages.success(request, text % {"number": number})
    else:
        messages.info(request, _("Nothing was changed."))
    return redirect("crm:rights_role", code=role.code)


def read_seen(text: str) -> matrix.State:
    """Return what the page showed when it was opened; nothing if it cannot be read."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {key: one for key, one in found.items() if isinstance(one, str)}


def read_wanted(
    sent: QueryDict, stored: matrix.State, seen: matrix.State, *, is_strict: bool = True
) -> matrix.State:
    """Return the rights as they were typed; what was not sent stays as it was seen."""
    typed = {
        key.removeprefix(PREFIX): value
        for key, value in sent.items()
        if key.startswith(PREFIX)
    }
    chosen = zip(sent.getlist("new_field"), sent.getlist("new_mode"), strict=False)
    for key, mode in chosen:
        if key:
            typed[key] = mode
    wrong = [key for key, value in typed.items() if not matrix.is_valid(key, value)]
    wrong = [key for key in wrong if typed[key] != stored.get(key)]
    if wrong and is_strict:
        text = _("There is no such right: %(names)s.")
        raise UserVisibleError(text % {"names": ", ".join(wrong)[:LONGEST]})
    wanted = seen | {key: typed[key] for key in typed if key not in wrong}
    return {key: value for key, value in wanted.items() if value}


def show(
    request: HttpRequest,
    roles: list[Role],
    role: Role,
    wanted: matrix.State,
    stored: matrix.State,
    seen: matrix.State,
    *,
    status: int = 200,
    **context: Any,
) -> HttpResponse:
    """Answer with the page: the rights as typed, and the preview if asked for."""
    asked = request.POST if request.method == "POST" else request.GET
    people = User.objects.visible_to(request.user).active()
    chosen = asked.get("person", "")
    person = None
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19:
        person = people.filter(pk=chosen).first()
    context |= {
        "title": _("Rights"),
        "roles": roles,
        "role": role,
        "sections": matrix.sections(wanted, stored),
        "verbs": Verb.labels,
        "rules": matrix.rules(wanted, stored),
        "free_fields": list(matrix.free_fields(wanted)),
        "modes": FieldMode.choices,
        "new_rules": range(NEW_RULES),
        "seen_name": SEEN,
        "seen": json.dumps(seen, sort_keys=True),
        "prefix": PREFIX,
        "is_edited": wanted != stored,
        "people": people,
        "person": person,
        "kinds": [
            (
                pages.model._meta.label_lower,
                matrix.name_of(pages.model._meta.label_lower),
            )
            for pages in registry.pages.values()
        ],
        "kind": asked.get("kind", ""),
        "record": asked.get("record", "")[:LONGEST],
        **(preview_context(request, person, role, wanted, asked) if person else {}),
    }
    return render(request, "rights/role.html", context, status=status)


def preview_context(
    request: HttpRequest,
    person: User,
    role: Role,
    wanted: matrix.State,
    asked: QueryDict,
) -> dict[str, Any]:
    """Return what the person sees now and would see with the rights as typed."""
    now, then = preview.viewers(person, role, wanted)
    text = asked.get("record", "").strip()[:LONGEST]
    found = preview.records(request.user, asked.get("kind", ""), text)
    return {
        "person_roles": list(now.roles.values()),
        "has_role": role in now.roles.values(),
        "lines": preview.seen_by(now, then),
        "answers": [preview.answer(one, now, then) for one in found],
        "is_not_found": bool(text) and not found,
    }


urlpatterns = [
    path("settings/rights/", rights, name="rights"),
    path("settings/rights/<slug:code>/", rights, name="rights_role"),
]
