"""What a person fills in for many rows at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.access import Verb, people_condition, scope_of
from crm.generic import formats
from crm.generic.filters import value_in_words
from crm.generic.forms import VisibleModelForm
from crm.models import Tag
from crm.models.custom import PREFIX

if TYPE_CHECKING:
    from crm.generic.pages import Pages
    from crm.models import User

LEAVE, SET, EMPTY = "", "set", "empty"
MODE = "mode_"


def form_for_many(pages: Pages, actor: User) -> VisibleModelForm:
    """Return the model's form as it is for a row that exists, whichever it is."""
    instance = pages.model()
    instance._state.adding = False
    return pages.form(instance=instance, actor=actor)


def fields_for_many(pages: Pages) -> list[str]:
    """Return the fields that several rows can sensibly share."""
    return [
        name
        for name, field in (pages.form.base_fields if pages.form else {}).items()
        if name != "owner" and _is_shareable(pages.model, name, field)
    ]


def _is_shareable(model: type[models.Model], name: str, field: forms.Field) -> bool:
    stored = formats.field_of(model, name)
    if stored is None or stored.many_to_many or stored.unique:
        return False
    if isinstance(field, forms.FileField) or isinstance(
        field.widget, forms.MultiWidget
    ):
        return False
    # A name is never the same for many rows; what may be empty can be emptied.
    is_free_text = isinstance(field, forms.CharField) and not stored.choices
    return not (is_free_text and field.required)


class ManyRowsForm(forms.Form):
    """Values for the fields of a model, the same for every row.

    ``values()`` are what the fields get, ``row_data()`` the same as a row's own form
    takes it.
    """

    def __init__(self, data: QueryDict | None, *, pages: Pages, actor: User) -> None:
        super().__init__(data)
        self.pages, self.actor = pages, actor

    def names(self) -> list[str]:
        """Return the model fields that get a value."""
        raise NotImplementedError

    def values(self) -> dict[str, Any]:
        """Return {field: value} as it is stored."""
        return {name: self.cleaned_data.get(name) for name in self.names()}

    def row_data(self) -> QueryDict:
        """Return what a row's own form would have been sent."""
        data = QueryDict(mutable=True)
        for name, value in self.values().items():
            is_set = value not in (None, "", [])
            data.setlist(name, self.data.getlist(name) if is_set else [""])
        return data

    def words(self) -> list[tuple[str, str]]:
        """Return (field, new value) as people read them."""
        return [
            (
                str(self.fields[name].label),
                value_in_words(self.fields[name], value) or _("(empty)"),
            )
            for name, value in self.values().items()
        ]

    def check_stored(self, name: str, value: Any) -> None:
        """Say beside the field what the model's own rules refuse."""
        if name.startswith(PREFIX):
            # Its rules are those of the form's field.
            return
        raw = value.pk if isinstance(value, models.Model) else value
        try:
            formats.field_of(self.pages.model, name).clean(raw, None)
        except ValidationError as error:
            self.add_error(name, error.messages)


class EditRowsForm(ManyRowsForm):
    """Each field with a choice before it: leave it, set it, empty it."""

    def __init__(self, data: QueryDict | None, *, only: list[str], **kwargs: Any):
        super().__init__(data, **kwargs)
        source = form_for_many(self.pages, self.actor)
        only = [*only, *source.custom]
        self.offered = [
            name
            for name in only
            if name in source.fields and not source.fields[name].disabled
        ]
        for name in self.offered:
            field = source.fields[name]
            if isinstance(field, forms.BooleanField):
                field = _yes_or_no(field)
            modes = [(LEAVE, _("Leave as it is")), (SET, _("Set to"))]
            if not field.required:
                modes.append((EMPTY, _("Empty")))
            self.fields[f"{MODE}{name}"] = forms.ChoiceField(
                choices=modes, required=False, label=field.label
            )
            field.required = False
            field.help_text = ""
            self.fields[name] = field

    def rows(self) -> list[tuple[Any, Any]]:
        """Return (choice, control) of each field."""
        return [(self[f"{MODE}{name}"], self[name]) for name in self.offered]

    def names(self) -> list[str]:
        """Return the fields that are not left as they are."""
        return [name for name in self.offered if self.cleaned_data.get(f"{MODE}{name}")]

    def full_clean(self) -> None:
        """Check the fields that are set; what stands in the others does not matter."""
        super().full_clean()
        if not self.is_bound:
            return
        for name in self.offered:
            mode = self.cleaned_data.get(f"{MODE}{name}", LEAVE)
            if mode != SET:
                self._errors.pop(name, None)
                self.cleaned_data[name] = self.fields[name].clean("")
            elif name not in self._errors:
                if self.cleaned_data.get(name) in (None, "", []):
                    self.add_error(name, _("Enter a value."))
                else:
                    self.check_stored(name, self.cleaned_data[name])
        if not self._errors and not self.names():
            self.add_error(None, _("Choose at least one field to change."))


def _yes_or_no(field: forms.BooleanField) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=field.label,
        choices=[("True", _("Yes")), ("False", _("No"))],
        coerce=lambda text: text == "True",
        empty_value=None,
    )


class AssignRowsForm(ManyRowsForm):
    """Whose the rows are from now on."""

    nobody = forms.BooleanField(
        label=gettext_lazy("Nobody: take the owner away"), required=False
    )

    def __init__(self, data: QueryDict | None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        owner = form_for_many(self.pages, self.actor).fields["owner"]
        if owner.required:
            del self.fields["nobody"]
        owner.required = False
        self.fields = {"owner": owner, **self.fields}

    def names(self) -> list[str]:
        """Return the one field."""
        return ["owner"]

    def clean(self) -> dict[str, Any]:
        """Refuse to give rows to where the giver could not reach them."""
        owner = self.cleaned_data.get("owner")
        if self.cleaned_data.get("nobody"):
            owner = self.cleaned_data["owner"] = None
        elif owner is None:
            if "owner" not in self.errors:
                self.add_error("owner", _("Choose a person."))
            return self.cleaned_data
        model = self.pages.model
        if getattr(model, "access_path", "") == "owner" and not self._reaches(owner):
            message = _("You could not reach these rows yourself any more.")
            self.add_error("owner", message)
        return self.cleaned_data

    def _reaches(self, owner: User | None) -> bool:
        scope = scope_of(self.actor, Verb.CHANGE, self.pages.model)
        if owner is None:
            return people_condition("pk", self.actor, scope) == models.Q()
        condition = people_condition("pk", self.actor, scope)
        return type(owner)._base_manager.filter(condition, pk=owner.pk).exists()


class TagRowsForm(ManyRowsForm):
    """Tags to add and tags to take away."""

    add = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Add"), queryset=Tag.objects.none(), required=False
    )
    remove = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Take away"), queryset=Tag.objects.none(), required=False
    )

    def __init__(self, data: QueryDict | None, **kwargs: Any) -> None:
        super().__init__(data, **kwargs)
        for name in ("add", "remove"):
            self.fields[name].queryset = Tag.objects.visible_to(self.actor)
            self.fields[name].widget.attrs["data-enhance"] = ""

    def names(self) -> list[str]:
        """Return nothing: tags are no value of a field."""
        return []

    def words(self) -> list[tuple[str, str]]:
        """Return what is added and what is taken away."""
        return [
            (str(self.fields[name].label), ", ".join(map(str, self.cleaned_data[name])))
            for name in ("add", "remove")
            if self.cleaned_data[name]
        ]

    def clean(self) -> dict[str, Any]:
        """Refuse nothing at all, and both at once."""
        both = [set(self.cleaned_data.get(name) or ()) for name in ("add", "remove")]
        if not any(both) and not self.errors:
            self.add_error(None, _("Choose at least one tag."))
        elif both[0] & both[1]:
            message = _("A tag cannot be added and taken away at once.")
            self.add_error("remove", message)
        return self.cleaned_data
