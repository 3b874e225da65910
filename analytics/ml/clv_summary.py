"""From transactions to one row per customer: frequency, recency, age, value."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import pandas as pd

UNIT_DAYS = {"day": 1.0, "week": 7.0, "month": 365.25 / 12}
SUMMARY = ("frequency", "recency", "T", "monetary")


def periods_per_year(unit: str) -> float:
    """Return how many units make a year."""
    return 365.25 / UNIT_DAYS[unit]


def summarise(
    transactions: pd.DataFrame,
    *,
    customer: str = "customer",
    date_column: str = "date",
    amount: str | None = "amount",
    unit: str = "week",
    calibration_end: date | datetime | str | None = None,
    observation_end: date | datetime | str | None = None,
) -> pd.DataFrame:
    """Return frequency, recency, T and mean repeat value per customer.

    Purchases of one day count once. The first purchase is no repeat purchase, so it
    enters neither the frequency nor the mean value. Without a calibration end the
    whole window is summarised; with one, only purchases up to that day shape these
    columns, and those after it, up to the observation end, give `holdout_frequency`
    and `holdout_value` over `holdout_T` units. Later rows change nothing before it.
    """
    days = _purchase_days(transactions, customer, date_column, amount)
    last = _day(observation_end) if observation_end is not None else days["day"].max()
    end = _day(calibration_end) if calibration_end is not None else last
    size = UNIT_DAYS[unit]
    before = days[days["day"] <= end]
    grouped = before.groupby("customer", sort=True)
    table = grouped["day"].agg(first="min", last="max", count="size")
    table["frequency"] = (table["count"] - 1).astype(np.int64)
    table["recency"] = (table["last"] - table["first"]).dt.days / size
    table["T"] = (end - table["first"]).dt.days / size
    spent = grouped["amount"].sum()
    first_spent = grouped["amount"].first()  # the days are in order
    repeats = table["frequency"].where(table["frequency"] > 0)
    table["monetary"] = ((spent - first_spent) / repeats).fillna(0.0)
    columns = [*SUMMARY, "first"]
    if calibration_end is not None:
        after = days[(days["day"] > end) & (days["day"] <= last)]
        later = after.groupby("customer")["amount"].agg(["size", "sum"])
        later = later.reindex(table.index, fill_value=0)
        table["holdout_frequency"] = later["size"].astype(np.int64)
        table["holdout_value"] = later["sum"].astype(float)
        table["holdout_T"] = max((last - end).days, 0) / size
        columns += ["holdout_frequency", "holdout_value", "holdout_T"]
    return table[columns]


def _purchase_days(
    transactions: pd.DataFrame, customer: str, date_column: str, amount: str | None
) -> pd.DataFrame:
    """Return one row per customer and day, in that order."""
    frame = pd.DataFrame(
        {
            "customer": transactions[customer].to_numpy(),
            "day": pd.to_datetime(transactions[date_column]).to_numpy(),
            "amount": 0.0
            if amount is None
            else transactions[amount].to_numpy(dtype=float),
        }
    )
    frame = frame.dropna(subset=["customer", "day"])
    frame["day"] = frame["day"].astype("datetime64[s]").dt.floor("D")
    days = frame.groupby(["customer", "day"], sort=True, as_index=False)["amount"].sum()
    # A day on which more came back than went out is no purchase.
    return days[days["amount"] >= 0]


def _day(value: date | datetime | str) -> pd.Timestamp:
    stamp = pd.Timestamp(value)
    if stamp.tzinfo is not None:
        stamp = stamp.tz_localize(None)
    return stamp.normalize()
