"""Say in the reader's language what the analyses say in codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import formats
from django.utils.dateparse import parse_date
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from crm import formatting

Words = dict[str, str | Promise]

# Reasons and warnings; the codes of analytics/ml/messages.py and our own.
NOTES: Words = {
    "too_few_rows": _("Not enough history: {rows} usable rows, {needed} are needed."),
    "too_few_positive": _(
        "Not enough history: {rows} rows with the outcome, {needed} are needed."
    ),
    "too_few_negative": _(
        "Not enough history: {rows} rows without the outcome, {needed} are needed."
    ),
    "one_class": _("Not enough history: every row has the same class, {label}."),
    "no_classes": _("Not enough history: no class has {needed} examples or more."),
    "no_repeat": _(
        "Not enough history: {rows} customers bought more than once, "
        "{needed} are needed."
    ),
    "constant_columns": _("Not enough history: every column is constant."),
    "short_window": _(
        "Not enough history: the data covers {days} days, {needed} are needed."
    ),
    "no_fit": _("The model cannot be fitted on this data."),
    "does_not_beat_rule": _(
        "The model does not beat the simple rule on {figure}: {model} against {rule}."
    ),
    "within_chance": _(
        "The model differs from the simple rule by {difference} on {figure}; "
        "chance alone could do as much ({margin})."
    ),
    "rare_classes_dropped": _(
        "{count} classes with fewer than {needed} examples were left out."
    ),
    "empty_texts_dropped": _("{count} rows without text were left out."),
    "rows_left_out": _("{count} rows without a customer or a date were left out."),
    "unreadable_values": _("{count} values of column {column} could not be read."),
    "random_split": _(
        "The rows carry no usable time order, so the hold-out was drawn at random."
    ),
    "no_holdout_positive": _("The hold-out has no row with the outcome."),
    "censored_rows": _(
        "{count} rows of the last {days} days were not used: "
        "they had too little time to convert."
    ),
    "filled_after_outcome": _(
        "Column {column} is filled in {positive} of the rows with the outcome "
        "and in {negative} of the others: it looks filled in afterwards."
    ),
    "separates_outcome": _(
        "Column {column} alone tells the outcome almost perfectly "
        "(AUC {auc}): it looks filled in afterwards."
    ),
    "missing_tied_to_outcome": _(
        "Whether column {column} is filled is tied to the outcome "
        "(AUC {auc}): check that it is known beforehand."
    ),
    "later_than_time": _(
        "Column {column} holds dates later than {time} in {share} of the rows "
        "with the outcome: it looks filled in afterwards."
    ),
    "strong_alone": _(
        "Column {column} alone reaches an AUC of {auc}: "
        "check that it is known before the outcome."
    ),
    "stretch_of_time": _(
        "Column {column} was left out: each value is one stretch of time, "
        "which no newer row has."
    ),
    "suspicious_excluded": _("Column {column} was left out for that reason."),
    "interval_coverage": _(
        "The {nominal} interval held {measured} of the hold-out values."
    ),
    "value_depends_on_frequency": _(
        "Purchase value and frequency correlate by {correlation}; "
        "the value model assumes that they do not."
    ),
    "negative_amounts_dropped": _(
        "{count} purchase days with a value of zero or less were left out of the "
        "value model."
    ),
    "sampled": _("Trained on a sample of {sample} of {rows} rows."),
    "weak_clusters": _("The clusters overlap (silhouette {silhouette})."),
    "other_currencies_left_out": _(
        "{count} orders in currencies other than {currency} were left out: "
        "there are no exchange rates here."
    ),
}
SHARES = {"positive", "negative", "share", "nominal", "measured"}

# Figures: name, kind (share, number), what it means.
FIGURES: dict[str, tuple[str | Promise, str, str | Promise]] = {
    "accuracy": (_("Accuracy"), "share", _("Share of right answers.")),
    "macro_f1": (_("Macro F1"), "share", _("Mean of F1 over all classes.")),
    "coverage": (
        _("Answered"),
        "share",
        _("Share of cases in which the model was sure enough to answer."),
    ),
    "answered_accuracy": (
        _("Accuracy where it answers"),
        "share",
        _("Share of right answers among those the model was sure of."),
    ),
    "auc": (
        _("AUC"),
        "number",
        _("Chance that a won case is ranked above a lost one; 0.5 is guessing."),
    ),
    "log_loss": (_("Log loss"), "number", _("How surprised the model was.")),
    "brier": (_("Brier score"), "number", _("Mean squared error of the chances.")),
    "calibration_error": (
        _("Calibration error"),
        "share",
        _("How far said chances lie from what happened, on average."),
    ),
    "top_fifth_share": (
        _("Found in the best fifth"),
        "share",
        _("Share of all conversions among the fifth of the cases ranked best."),
    ),
    "mae": (
        _("Mean absolute error"),
        "number",
        _("Purchases by which the forecast missed, on average per customer."),
    ),
    "rmse": (
        _("Root mean squared error"),
        "number",
        _("Like the mean error, but large misses weigh more."),
    ),
    "bias": (
        _("Bias of the total"),
        "share",
        _("By how much the sum of all forecasts missed the sum that came."),
    ),
    "value_mae": (
        _("Mean absolute error of the value"),
        "number",
        _("Money by which the forecast missed, on average per customer."),
    ),
    "top_decile_share": (
        _("Purchases made by the tenth ranked best"),
        "share",
        _("How well the model finds the customers who will buy most."),
    ),
    "silhouette": (
        _("Silhouette"),
        "number",
        _("How clearly the clusters are apart: 1 clear, 0 not at all."),
    ),
    "stability": (
        _("Stability"),
        "number",
        _("How alike the clusters come out on other halves of the customers."),
    ),
    "explained_variance": (
        _("Shown by the picture"),
        "share",
        _("Share of the differences that the two axes of the picture show."),
    ),
}

RULES: Words = {
    "same_rate": _("The same rate as before"),
    "base_rate": _("Base rate"),
    "base_rate_by_source": _("Base rate by source"),
    "source_rate": _("Base rate by source"),
    "majority": _("The most frequent class"),
    "TF-IDF + multinomial naive Bayes": _("TF-IDF + multinomial naive Bayes"),
    "TF-IDF + linear SVM + neural nets": _("TF-IDF + linear SVM + neural nets"),
    "random forest, calibrated": _("Random forest, calibrated"),
    "group-by": _("Group by"),
    "multinomial naive Bayes": _("Multinomial naive Bayes"),
    "complement naive Bayes": _("Complement naive Bayes"),
    "logistic regression": _("Logistic regression"),
    "linear SVM": _("Linear SVM"),
    "random forest": _("Random forest"),
    "boosted trees": _("Boosted trees"),
    "gradient boosting": _("Gradient boosting"),
}
PARAMS: Words = {
    "discount_rate": _("Discount rate"),
    "years": _("Horizon in years"),
    "margin": _("Margin"),
    "acquisition_cost": _("Cost of winning a customer"),
}
# Those that are not here go by a letter or by the name of a formula.
FITTED: Words = {
    "clusters": _("Groups found"),
    "min_clusters": _("Fewest groups tried"),
    "max_clusters": _("Most groups tried"),
    "random_state": _("Seed of chance"),
    "log_likelihood": _("Log-likelihood"),
    "classes": _("Classes"),
    "threshold": _("Answers from this certainty on"),
    "target_accuracy": _("Accuracy aimed at"),
}

RFM: Words = {
    "champions": _("Champions"),
    "loyal": _("Loyal customers"),
    "potential_loyalist": _("Becoming loyal"),
    "new": _("New customers"),
    "promising": _("Promising"),
    "need_attention": _("Need attention"),
    "about_to_sleep": _("About to sleep"),
    "at_risk": _("At risk"),
    "cannot_lose": _("Must not be lost"),
    "hibernating": _("Hibernating"),
    "lost": _("Lost"),
    "never_bought": _("Never bought"),
}
POWER: Words = {"A": _("A – high"), "B": _("B – medium"), "C": _("C – low")}
GENDERS: Words = {"female": _("Female"), "male": _("Male"), "other": _("Other")}
# A cluster's name is put together from what sets it apart.
CLUSTER_PARTS: dict[str, Words] = {
    "value": {
        "high": _("high value"),
        "medium": _("medium value"),
        "low": _("low value"),
    },
    "frequency": {
        "often": _("buys often"),
        "sometimes": _("buys now and then"),
        "seldom": _("buys seldom"),
    },
    "recency": {
        "recent": _("bought lately"),
        "lapsing": _("is drifting away"),
        "long_ago": _("bought long ago"),
    },
}
FEATURES: Words = {
    "p_alive": _("Chance that the customer still buys"),
    "purchase_rate": _("Purchases per week"),
    "expected_value": _("Value of a purchase"),
    "source": _("Source"),
    "landing_page": _("Landing page"),
    "month": _("Month of the first contact"),
    "recency_days": _("Days since the last order"),
    "frequency": _("Orders"),
    "monetary": _("Net value"),
}
SPLITS: Words = {
    "time": _("older rows to learn from, the newest to measure"),
    "given": _("the split that came with the data"),
    "public": _("the split that came with the data"),
    "random": _("drawn at random"),
}


def word(words: Words, key: object) -> str:
    """Return the word for a key; the key itself, made readable, if there is none."""
    found = words.get(str(key))
    return str(found) if found is not None else str(key).replace("_", " ")


def note(data: Mapping[str, Any] | None) -> str:
    """Return a note of a card as a sentence in the reader's language."""
    if not data:
        return ""
    sentence = NOTES.get(data.get("code", ""))
    if sentence is None:
        return str(data.get("text") or data.get("code", ""))
    params = {
        name: _param(name, value) for name, value in data.get("params", {}).items()
    }
    try:
        return str(sentence).format(**params)
    except (KeyError, IndexError):
        return str(data.get("text", ""))


def _param(name: str, value: Any) -> str:
    if name in SHARES and isinstance(value, int | float):
        return formatting.percent(value, 0)
    if name == "figure":
        return figure_name(str(value))
    if name == "column":
        return word(FEATURES, value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    return formatting.number(value)


def figure_name(name: str) -> str:
    """Return what people call a figure."""
    return str(FIGURES[name][0]) if name in FIGURES else name.replace("_", " ")


def figure_text(name: str, value: float | None) -> str:
    """Write a figure the way that suits it."""
    if value is None:
        return formatting.NOTHING
    if name in FIGURES and FIGURES[name][1] == "share":
        return formatting.percent(value, 1)
    return formatting.number(value, 0 if abs(value) >= 1000 else 3)


def with_unit(name: str, text: str) -> str:
    """Add the unit to a figure that stands alone."""
    if name == "mae":
        return gettext("%(figure)s purchases") % {"figure": text}
    return text


def cluster_name(name_key: Mapping[str, Any] | None) -> str:
    """Put a cluster's name together: "High value, buys often, bought lately"."""
    key = name_key or {}
    parts = [
        str(words[key[part]])
        for part, words in CLUSTER_PARTS.items()
        if key.get(part) in words
    ]
    separator = gettext(", ")
    text = separator.join(parts) or gettext("Group")
    if number := key.get("number"):
        text = f"{text} ({number})"
    return text[:1].upper() + text[1:]


def age_band(key: str) -> str:
    """Return an age band in words."""
    if key in ("", "unknown"):
        return gettext("unknown")
    return key.replace("-", "–")


def region(key: str) -> str:
    """Return a region, or that it is unknown."""
    return gettext("unknown") if key in ("", "unknown") else key


def reason_text(reason: Mapping[str, Any]) -> str:
    """Return one reason of a chance: the column and its value."""
    value = str(reason.get("value", ""))
    feature = str(reason.get("feature", ""))
    if feature == "month" and value.isdigit() and 1 <= int(value) <= 12:
        value = formats.date_format(parse_date(f"2024-{int(value):02d}-01"), "F")
    elif feature == "source":
        from customers.choices import Source

        value = str(dict(Source.choices).get(value, value))
    return f"{word(FEATURES, feature)}: {value or gettext('none')}"


def listing(names: Sequence[str]) -> str:
    """Join words the way the language does."""
    return gettext(", ").join(names)
