"""Forms of the import pages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.template.defaultfilters import filesizeformat
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from crm.importing.dialects import Dialect
from crm.importing.encodings import ENCODINGS
from crm.importing.importer import KEEP, Importer, Mode, all_importers
from crm.models import ImportRun, User
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
SHOWN_CONSTANTS = 40


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

    def __init__(self, *args: Any, user: User, refused: bool = False, **kwargs: Any):
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
            self.add_error("file", self.too_large())
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
        super().__init__(*args, initial=initial, **kwargs)
        self.columns = importer.columns_for(run.owner)
        self.importer = importer
        self.header = header
        zones = sorted(available_timezones())
        self.fields["time_zone"].choices = [(name, name) for name in zones]
        self._add_columns(run)
        self._add_constants(options.get("constants", {}))

    def _add_columns(self, run: ImportRun) -> None:
        choices = [
            ("", _("– leave out –")),
            *((one.key, self._label(one)) for one in self.columns),
        ]
        if self.importer.keeps_details:
            choices.append((KEEP, _("Further details (kept as they are)")))
        for number, name in enumerate(self.header):
            self.fields[f"column_{number}"] = forms.ChoiceField(
                label=name,
                choices=choices,
                required=False,
                initial=run.mapping.get(name, ""),
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
        return {**self.kept_options, **chosen, "constants": constants}
