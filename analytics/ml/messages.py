"""Reasons and warnings as codes: a page says them in its reader's language."""

MESSAGES = {
    # Why there is no model.
    "too_few_rows": "Not enough history: {rows} usable rows, {needed} are needed.",
    "too_few_positive": (
        "Not enough history: {rows} rows with the outcome, {needed} are needed."
    ),
    "too_few_negative": (
        "Not enough history: {rows} rows without the outcome, {needed} are needed."
    ),
    "one_class": "Not enough history: every row has the same class, {label}.",
    "no_classes": "Not enough history: no class has {needed} examples or more.",
    "no_repeat": (
        "Not enough history: {rows} customers bought more than once, "
        "{needed} are needed."
    ),
    "constant_columns": "Not enough history: every column is constant.",
    "short_window": (
        "Not enough history: the data covers {days} days, {needed} are needed."
    ),
    "no_fit": "The model cannot be fitted on this data: {detail}.",
    # What a reader of the figures has to know.
    "within_chance": (
        "The model differs from the simple rule by {difference:.3f} on {figure}; "
        "chance alone could do as much ({margin:.3f})."
    ),
    "rare_classes_dropped": (
        "{count} classes with fewer than {needed} examples were left out."
    ),
    "empty_texts_dropped": "{count} rows without text were left out.",
    "rows_left_out": "{count} rows without a customer or a date were left out.",
    "unreadable_values": "{count} values of column {column} could not be read.",
    "random_split": (
        "The rows carry no usable time order, so the hold-out was drawn at random."
    ),
    "no_holdout_positive": (
        "Not enough history: the newest rows hold fewer than {needed} of one outcome."
    ),
    "censored_rows": (
        "{count} rows of the last {days} days were not used: "
        "they had too little time to convert."
    ),
    "filled_after_outcome": (
        "Column {column} is filled in {positive:.0%} of the rows with the outcome "
        "and in {negative:.0%} of the others: it looks filled in afterwards."
    ),
    "separates_outcome": (
        "Column {column} alone tells the outcome almost perfectly "
        "(AUC {auc:.3f}): it looks filled in afterwards."
    ),
    "strong_alone": (
        "Column {column} alone reaches an AUC of {auc:.3f}: check that it is known "
        "before the outcome."
    ),
    "missing_tied_to_outcome": (
        "Whether column {column} is filled is tied to the outcome "
        "(AUC {auc:.3f}): check that it is known beforehand."
    ),
    "later_than_time": (
        "Column {column} holds dates later than {time} in {share:.0%} of the rows "
        "with the outcome: it looks filled in afterwards."
    ),
    "suspicious_excluded": "Column {column} was left out of the model.",
    "stretch_of_time": (
        "Column {column} was left out: each value is one stretch of time, which no "
        "newer row has."
    ),
    "interval_coverage": (
        "The {nominal:.0%} interval held {measured:.0%} of the hold-out values."
    ),
    "value_depends_on_frequency": (
        "Purchase value and frequency correlate by {correlation:.2f}; "
        "the value model assumes that they do not."
    ),
    "negative_amounts_dropped": (
        "{count} purchase days with a value of zero or less were left out of the "
        "value model."
    ),
    "sampled": "Trained on a sample of {sample} of {rows} rows.",
    "weak_clusters": "The clusters overlap (silhouette {silhouette:.2f}).",
}


def say(code: str, params: dict | None = None) -> str:
    """Return the English sentence for a code; an unknown code is said as it is."""
    return MESSAGES.get(code, code).format(**(params or {}))
