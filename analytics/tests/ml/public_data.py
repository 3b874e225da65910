"""Where the public data sets lie; without them the floors cannot be measured."""

import os
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).resolve().parents[3]


def public(name: str) -> Path:
    """Return the path of a public file; without the data the test does not run.

    Where CRM_DATA_DIR is set, and in CI, the data is meant to be there, so its absence
    fails. Elsewhere the run says loudly at its end what it did not measure.
    """
    given = os.environ.get("CRM_DATA_DIR")
    path = Path(given or ROOT.parent / "shared" / "data") / name
    if not path.exists():
        reason = f"{name} is not in the folder of the public data (CRM_DATA_DIR)"
        pytest.fail(reason) if given or os.environ.get("CI") else pytest.skip(reason)
    return path


def cdnow() -> pd.DataFrame:
    """Return the CDNOW sample with dates."""
    frame = pd.read_csv(public("cdnow/cdnow_transactions.csv"))
    frame["date"] = pd.to_datetime(frame["date"].astype(str), format="%Y%m%d")
    return frame.rename(columns={"id": "customer", "spent": "amount"})


def olist() -> pd.DataFrame:
    """Return the leads with the columns of the deals that were won."""
    folder = "olist_marketing_funnel/olist_"
    leads = pd.read_csv(public(folder + "marketing_qualified_leads_dataset.csv"))
    deals = pd.read_csv(public(folder + "closed_deals_dataset.csv"))
    frame = leads.merge(deals, how="left", on="mql_id")
    frame["outcome"] = frame["won_date"].notna().astype(int)
    return frame


def texts(*names: str) -> pd.DataFrame:
    """Return the rows of several files of texts and categories."""
    return pd.concat([pd.read_csv(public(name)) for name in names], ignore_index=True)
