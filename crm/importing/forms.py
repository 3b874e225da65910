"""Forms of the import pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm.custom.adding import KINDS, MAX_NEW, may_add, too_many
from crm.custom.labels import label_problem
from crm.importing import new_fields
from crm.importing.dialects import Dialect
from crm.importing.encodings import ENCODINGS
from crm.importing.importer import KEEP, NEW, Importer, Mode, all_importers
from crm.models import ImportRun, User
from crm.models.custom import MAX_LABEL
from crm.uploads import LimitedUpload

DELIMITERS = (
    (",", _("Comma ,")),
    (";", _("Semicolon ;")),
    ("\t", _("Tab")),
    ("|", _("Bar |")),
    ("^", "^"),
    ("~", "~"),
    (":", _("Colon :")),
    (" ", _("Blank")),
    ("\x1f", _("Unit separator")),
    ("\x01", "Ctrl-A"),
)
QUOTES = (('"', '"'), ("'", "'"), ("", _("none")))
# Of so many columns it is asked what they could become.
MAX_ASKED = 300


def importers_for(user: User) -> list[Importer]:
    """Return the imports that the person may begin."""
    return [one for one in all_importers() if not one.missing_rights(user)]


class ImportUpload(LimitedUpload):
    """Stop a file at its limit while it comes in."""

    limit_name = "IMPORT_MAX_BYTES"


class UploadForm(forms.Form):
    """What to import, and from which file."""

    importer = forms.ChoiceField(label=_("What to import"))
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV with any delimiter, also packed as .gz, XLSX, or vCard."),
        allow_empty_file=True,
    )

    def __init__(
        self, *args: Any, user: User, refused: bool | str = False, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        choices = [(one.name, one.label) for one in importers_for(user)]
        self.fields["importer"].choices = choices
        self.fields["file"].widget.attrs["accept"] = (
            ".csv,.tsv,.txt,.gz,.xlsx,.xls,.ods,.vcf"
        )
        self.refused = refused

    def clean_file(self) -> Any:
        """Refuse what is too large."""
        file = self.cleaned_data["file"]
        if file.size > settings.IMPORT_MAX_BYTES:
            raise forms.ValidationError(self.too_large())
        return file

    def too_large(self) -> str:
        """Return the sentence that names the limit."""
        limit = filesizeformat(settings.IMPORT_MAX_BYTES)
        return _("The file is larger than %(limit)s.") % {"limit": limit}

    def clean(self) -> dict[str, Any]:
        """Say that an upload was stopped half-way."""
        if self.refused:
            self.errors.pop("file", None)
            text = self.too_large() if self.refused is True else self.refused
            self.add_error("file", text)
        return super().clean()


class DialectForm(forms.Form):
    """How the file is to be read."""

    encoding = forms.ChoiceField(label=_("Encoding"), choices=ENCODINGS)
    delimiter = forms.ChoiceField(label=_("Delimiter"), choices=DELIMITERS)
    quotechar = forms.ChoiceField(
        label=_("Quotation mark"), choices=QUOTES, required=False
    )
    header_row = forms.IntegerField(
        label=_("Row with the column names"),
        help_text=_("0: there is none."),
        min_value=0,
        max_value=1000,
    )
    sheet = forms.ChoiceField(label=_("Sheet"))

    def __init__(self, *args: Any, dialect: Dialect, sheets: list[str], **kwargs: Any):
        super().__init__(*args, initial=dialect.dump(), **kwargs)
        self.dialect = dialect
        self.fields["sheet"].choices = [(name, name) for name in sheets]
        text = ("encoding", "delimiter", "quotechar")
        unfit = {"csv": ("sheet",), "vcard": (*text[1:], "sheet", "header_row")}
        for name in unfit.get(dialect.kind, text):
            del self.fields[name]
        for name, known in (("encoding", ENCODINGS), ("delimiter", DELIMITERS)):
            value = getattr(dialect, name)
            if name in self.fields and value not in dict(known):
                self.fields[name].choices = [*known, (value, value)]

    # A tab and a blank are values here.
    def clean_delimiter(self) -> str:
        """Return the sign as it was chosen."""
        return self.cleaned_data["delimiter"]

    def result(self) -> Dialect:
        """Return the dialect that was chosen; what a person chose is certain."""
        chosen = dict(self.cleaned_data)
        if chosen.get("encoding", "") != self.dialect.encoding:
            chosen["is_certain"] = True
        return replace(self.dialect, **chosen)


def kind_choices() -> list[tuple[str, str]]:
    """Return the kinds of field that a column can become."""
    return [(str(kind), capfirst(str(kind.label))) for kind in KINDS]


class PlanForm(forms.Form):
    """Which column goes where, and what every row has."""

    mode = forms.ChoiceField(label=_("Rows that exist"), choices=Mode.choices)
    time_zone = forms.ChoiceField(label=_("Time zone of the file"))
    decimal = forms.ChoiceField(
        label=_("Decimal sign"), choices=((".", "1234.5"), (",", "1234,5"))
    )
    day_first = forms.TypedChoiceField(
        label=_("Dates such as 3/4/2025"),
        choices=(("", _("month first")), ("1", _("day first"))),
        coerce=bool,
        required=False,
        empty_value=False,
    )

    def __init__(
        self,
        *args: Any,
        run: ImportRun,
        importer: Importer,
        header: list[str],
        rows: Sequence[Sequence[str]],
        **kwargs: Any,
    ):
        options = dict(run.options)
        self.kept_options = options
        initial = {
            "mode": run.mode,
            "time_zone": options.get("time_zone") or settings.TIME_ZONE,
            "decimal": options.get("decimal", "."),
            "day_first": "1" if options.get("day_first") else "",
        }
        initial |= kwargs.pop("initial", {})
        super().__init__(*args, initial=initial, **kwargs)
        self.columns = importer.columns_for(run.owner)
        self.importer = importer
        self.header, self.rows = header, rows
        self.may_add = new_fields.can_take(importer) and may_add(run.owner)
        zones = sorted(available_timezones())
        self.fields["time_zone"].choices = [(name, name) for name in zones]
        self._add_columns(run)
        self._add_new_fields(run)
        self._add_constants(options.get("constants", {}))

    def _add_columns(self, run: ImportRun) -> None:
        choices = [
            ("", _("– leave out –")),
            *((one.key, self._label(one)) for one in self.columns),
        ]
        if self.importer.keeps_details:
            choices.append((KEEP, _("Further details (kept as they are)")))
        if self.may_add:
            choices.insert(1, (NEW, _("+ New field")))
        for number, name in enumerate(self.header):
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=name,
                choices=choices,
                required=False,
                initial=run.mapping.get(name, ""),
            )

    def _add_new_fields(self, run: ImportRun) -> None:
        """Ask what the columns that match no field would become."""
        open_keys = {KEEP, *(one.key for one in self.columns)}
        mapping = {name: key for name, key in run.mapping.items() if key in open_keys}
        self.unknown = new_fields.unknown(self.header, mapping)
        self.proposals = {}
        if self.may_add:
            columns = new_fields.cells_of(self.header, self.rows)
            self.proposals = new_fields.proposals(run, self.importer.model, columns)
        asked = set(self.unknown[:MAX_ASKED]) & self.proposals.keys()
        for number, name in enumerate(self.header):
            if name in asked:
                one = self.proposals[name]
                self.fields[f"label_{number}"] = forms.CharField(
                    label=_("Name"),
                    max_length=MAX_LABEL,
                    required=False,
                    initial=one["label"],
                )
                self.fields[f"kind_{number}"] = forms.ChoiceField(
                    label=_("Kind"),
                    choices=kind_choices(),
                    required=False,
                    initial=one["kind"],
                )

    def _label(self, column: Any) -> str:
        name = capfirst(str(column.label))
        return f"{name} *" if column.required else name

    def _add_constants(self, constants: dict[str, str]) -> None:
        for column in self.columns:
            self.fields[f"constant_{column.key}"] = forms.CharField(
                label=capfirst(str(column.label)),
                required=False,
                max_length=300,
                help_text=_(column.hint) if column.hint else "",
                initial=constants.get(column.key, ""),
            )

    def column_fields(self) -> list[forms.BoundField]:
        """Return the fields of the file's columns, in their sequence."""
        return [self[f"column_{number}"] for number in range(len(self.header))]

    def asked_fields(self, number: int) -> list[forms.BoundField]:
        """Return the fields about what a column would become, if it is asked."""
        names = (f"label_{number}", f"kind_{number}")
        return [self[name] for name in names if name in self.fields]

    def offered(self) -> dict[str, Any]:
        """Return what was sent, with each column that matches no field as a new one."""
        found = {name: self[name].value() for name in self.fields}
        for number, name in enumerate(self.header):
            if name in self.unknown and not found[f"column_{number}"]:
                found[f"column_{number}"] = NEW
        return found

    def wanted_fields(self) -> dict[str, dict[str, str]]:
        """Return {header: {"label", "kind"}} of the custom fields to be made."""
        found = {}
        for number, name in enumerate(self.header):
            if self.cleaned_data.get(f"column_{number}") == NEW:
                one = self.proposals[name]
                found[name] = {
                    part: self.cleaned_data.get(f"{part}_{number}") or one[part]
                    for part in ("label", "kind")
                }
        return found

    def clean(self) -> dict[str, Any]:
        """Say beside its column why a custom field cannot be called so."""
        cleaned = super().clean()
        wanted = self.wanted_fields()
        if len(wanted) > MAX_NEW:
            self.add_error(None, too_many(len(wanted)))
            return cleaned
        labels = [one["label"].casefold() for one in wanted.values()]
        for number, name in enumerate(self.header):
            if name not in wanted:
                continue
            label = wanted[name]["label"]
            problem = label_problem(self.importer.model, label)
            if labels.count(label.casefold()) > 1:
                problem = gettext("Two new fields would have this name.")
            if problem:
                self.add_error(f"column_{number}", f"“{label}”: {problem}")
        return cleaned

    def constant_fields(self) -> list[forms.BoundField]:
        """Return the fields for values that every row has."""
        return [self[f"constant_{one.key}"] for one in self.columns]

    def mapping(self) -> dict[str, str]:
        """Return {header: column key} as chosen."""
        chosen = {
            name: self.cleaned_data[f"column_{number}"]
            for number, name in enumerate(self.header)
        }
        return {name: key for name, key in chosen.items() if key}

    def options(self) -> dict[str, Any]:
        """Return the options with the values for every row."""
        data = self.cleaned_data
        constants = {
            one.key: data[f"constant_{one.key}"]
            for one in self.columns
            if data[f"constant_{one.key}"]
        }
        chosen = {name: data[name] for name in ("time_zone", "decimal", "day_first")}
        found = {**self.kept_options, **chosen, "constants": constants}
        found.pop(new_fields.OPTION, None)
        wanted = self.wanted_fields()
        return {**found, new_fields.OPTION: wanted} if wanted else found
