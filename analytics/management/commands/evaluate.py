"""Try an analysis on files, without touching the database."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from crm.exceptions import UserVisibleError

if TYPE_CHECKING:
    import pandas as pd

    from analytics.ml.base import Card, NotEnoughHistory, Trained

KEYS = ("ticket-class", "ltv", "conversion", "segmentation", "duplicates")
NEEDED = {
    "ticket-class": ("train",),
    "ltv": ("transactions", "customer", "date", "calibration_end"),
    "conversion": ("table", "outcome", "outcome_value", "time"),
    "segmentation": ("transactions", "customer", "date", "amount"),
    "duplicates": ("table", "truth"),
}


class Command(BaseCommand):
    """Print the figures of a model, its simple rule and its rivals."""

    help = "Measure an analysis on your own files. The last line is JSON."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the arguments; which are needed depends on the analysis."""
        parser.add_argument("key", choices=KEYS)
        text = parser.add_argument_group("ticket-class")
        text.add_argument("--train", action="append", nargs="+", metavar="FILE")
        text.add_argument("--test", action="append", nargs="+", metavar="FILE")
        text.add_argument("--text", metavar="COLUMN")
        text.add_argument("--label", metavar="COLUMN")
        ltv = parser.add_argument_group("ltv, segmentation")
        ltv.add_argument("--transactions", metavar="FILE")
        ltv.add_argument("--customer", metavar="COLUMN")
        ltv.add_argument("--date", metavar="COLUMN")
        ltv.add_argument("--amount", metavar="COLUMN")
        ltv.add_argument("--calibration-end", metavar="DATE")
        ltv.add_argument("--observation-end", metavar="DATE")
        ltv.add_argument("--unit", default="week", choices=("day", "week", "month"))
        ltv.add_argument("--discount-rate", type=float, default=0.10)
        ltv.add_argument("--years", type=int, default=3)
        ltv.add_argument("--margin", type=float, default=1.0)
        ltv.add_argument("--acquisition-cost", type=float, default=0.0)
        lead = parser.add_argument_group("conversion, duplicates")
        lead.add_argument("--table", metavar="FILE")
        lead.add_argument("--outcome", metavar="COLUMN")
        lead.add_argument("--outcome-value", metavar="VALUE", help='"any": any text')
        lead.add_argument("--time", metavar="COLUMN")
        lead.add_argument("--source", metavar="COLUMN", help="for the simple rule")
        lead.add_argument("--exclude", default="", metavar="COLUMN,COLUMN")
        pairs = parser.add_argument_group("duplicates")
        pairs.add_argument(
            "--truth", metavar="COLUMN", help="rows with the same value are one"
        )
        pairs.add_argument(
            "--truth-pattern", metavar="REGEX", help="the part of it that counts"
        )
        pairs.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="FIELD=COLUMN,COLUMN",
            help="where a field of a customer stands; may be given again",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run the analysis; anything wrong with the input is one sentence."""
        key = options["key"]
        missing = [name for name in NEEDED[key] if not options[name]]
        if missing:
            flags = ", ".join("--" + name.replace("_", "-") for name in missing)
            raise CommandError(f"evaluate {key} needs {flags}.")
        from analytics.ml.inputs import InputError

        run = getattr(self, "evaluate_" + key.replace("-", "_"))
        try:
            result = run(options)
        except (InputError, UserVisibleError) as error:
            raise CommandError(str(error)) from error
        self.show(result.card)
        self.stdout.write(json.dumps(result.card.to_json(), ensure_ascii=False))
        if result.model is None:
            self.stdout.flush()
            raise CommandError(result.card.reason.text)

    def evaluate_ticket_class(
        self, options: dict[str, Any]
    ) -> Trained | NotEnoughHistory:
        """Learn from the training files and measure on the test files."""
        import pandas as pd

        from analytics.ml import inputs, text

        parts = []
        for split in ("train", "test"):
            for name in [file for group in options[split] or [] for file in group]:
                frame = read(name)
                columns = inputs.text_columns(frame, options["text"], options["label"])
                part = frame[list(columns)].set_axis(["text", "label"], axis=1)
                parts.append(part.assign(split=split))
        rows = pd.concat(parts, ignore_index=True)
        given = rows["split"] if options["test"] else None
        return text.train(rows["text"], rows["label"], split=given, refit=False)

    def evaluate_ltv(self, options: dict[str, Any]) -> Trained | NotEnoughHistory:
        """Fit up to the end of calibration and foretell the purchases after it."""
        from analytics.ml import clv, inputs

        if not 1 <= options["years"] <= 30:
            raise CommandError("--years must lie between 1 and 30.")
        if options["discount_rate"] <= -1:
            raise CommandError("--discount-rate must be above -1.")
        rows, notes = inputs.transactions(
            read(options["transactions"]),
            options["customer"],
            options["date"],
            options["amount"],
        )
        end = day(options["calibration_end"], "--calibration-end")
        last = rows["date"].max()
        if options["observation_end"]:
            last = day(options["observation_end"], "--observation-end")
        if not rows["date"].min() <= end < last:
            raise CommandError(
                f"The calibration must end between {rows['date'].min():%Y-%m-%d} and "
                f"{last:%Y-%m-%d}, the days of the first and the last transaction."
            )
        summary = clv.summarise(
            rows,
            amount="amount" if options["amount"] else None,
            unit=options["unit"],
            calibration_end=end,
            observation_end=last,
        )
        if not options["amount"]:
            summary = summary.drop(columns="monetary")
        settings = clv.Options(
            unit=options["unit"],
            years=options["years"],
            discount_rate=options["discount_rate"],
            margin=options["margin"],
        )
        result = clv.train(None, summary, options=settings)
        return clv.with_values(result, summary, options["acquisition_cost"], notes)

    def evaluate_conversion(
        self, options: dict[str, Any]
    ) -> Trained | NotEnoughHistory:
        """Learn from the older rows and measure on the newest."""
        from analytics.ml import inputs, lead_score
        from analytics.ml.lead_features import split_columns

        frame = read(options["table"])
        exclude = split_columns(options["exclude"])
        column, source = options["outcome"], options["source"]
        inputs.need(frame, column, options["time"], source, *exclude)
        rows = frame.drop(columns=column)
        rows[OUTCOME] = inputs.outcome(frame, column, options["outcome_value"])
        rows[options["time"]], _ = inputs.dates(frame, options["time"])
        moment = None
        if rows[OUTCOME].sum() and options["outcome_value"].lower() == inputs.ANY:
            moment = decided_when(frame[column])
        if moment is not None:
            rows[DECIDED] = moment
        return lead_score.train(
            rows,
            outcome=OUTCOME,
            time=options["time"],
            source=source or inputs.guess(rows, inputs.SOURCE_NAMES),
            outcome_time=DECIDED if moment is not None else None,
            exclude=tuple(exclude),
            refit=False,
        )

    def evaluate_segmentation(
        self, options: dict[str, Any]
    ) -> Trained | NotEnoughHistory:
        """Group the customers as they stood on the day of the last transaction."""
        from analytics.ml import inputs, rfm, segmentation

        rows, _ = inputs.transactions(
            read(options["transactions"]),
            options["customer"],
            options["date"],
            options["amount"],
        )
        return segmentation.train(rfm.features(rows))

    def evaluate_duplicates(
        self, options: dict[str, Any]
    ) -> Trained | NotEnoughHistory:
        """Look for the rows of a file that are one, and compare with the truth."""
        from analytics.duplicates import normaliser
        from analytics.ml import duplicate_evaluation as evaluation

        frame = read(options["table"])
        truth = evaluation.truth_of(frame, options["truth"], options["truth_pattern"])
        rows = evaluation.rows_of(frame, options["column"], normaliser())
        return evaluation.evaluate(rows, [0] * len(rows), truth)

    def show(self, card: Card) -> None:
        """Print the card as a small table."""
        write = self.stdout.write
        write(f"{card.key}: {card.algorithm}, {card.rows} rows, split: {card.split}")
        for name, value in card.parameters.items():
            if isinstance(value, float):
                write(f"  {name:24s} {value:12.4f}")
        lines = [("this model", card.figures)]
        if card.simple_rule:
            rule = card.simple_rule
            lines.append((f"simple rule: {rule.name}", rule.figures))
        lines += [(f"rival: {rival.name}", rival.figures) for rival in card.rivals]
        names = list(card.figures)
        width = max((len(label) for label, _ in lines), default=10) + 2
        write("".join([" " * width, *(f"{name[:18]:>19s}" for name in names)]))
        for label, found in lines:
            cells = [
                f"{found[name].value:19.4f}" if name in found else f"{'-':>19s}"
                for name in names
            ]
            write(f"{label:{width}s}" + "".join(cells))
        for note in card.warnings:
            write(f"! {note.text}")
        if card.simple_rule and card.enough_history:
            verb = "beats" if card.beats_rule else "does NOT beat"
            write(f"The model {verb} the simple rule on {card.main_figure}.")


OUTCOME = "outcome (0 or 1)"
DECIDED = "time of the outcome"


def read(name: str) -> pd.DataFrame:
    """Return a file as text columns, whatever its encoding, delimiter or packing."""
    import pandas as pd

    from crm.importing.reader import Table, sniff

    path = Path(name)
    if not path.is_file():
        raise CommandError(f"There is no file {name}.")
    try:
        table = Table(path, sniff(path))
        table.read_header()
        width = len(table.header)
        rows = [
            row if len(row) == width else (row + [""] * width)[:width]
            for batch in table.batches()
            for row in batch.rows
        ]
    except UserVisibleError as error:
        raise CommandError(f"{name}: {error}") from error
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    if not rows:
        raise CommandError(f"{name} has a header but no rows.")
    return pd.DataFrame(rows, columns=table.header)


def day(text: str, flag: str) -> pd.Timestamp:
    """Return a date of the command line."""
    import pandas as pd

    try:
        return pd.Timestamp(text).tz_localize(None).normalize()
    except (ValueError, TypeError) as error:
        raise CommandError(f"{flag}: {text} is not a date (use 1997-09-30).") from error


def decided_when(column: pd.Series) -> pd.Series | None:
    """Return the times in an outcome column that holds times, else None."""
    from analytics.ml import inputs

    try:
        return inputs.dates(column.to_frame("outcome"), "outcome")[0]
    except inputs.InputError:
        return None
