"""Where the public data sets lie; without them the floors cannot be measured."""

import os
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).resolve().parents[3]


def public(name: str) -> Path:
    """Return the path of a public file; fail loudly where it is not."""
    folder = Path(os.environ.get("CRM_DATA_DIR") or ROOT.parent / "shared" / "data")
    path = folder / name
    assert path.exists(), (
        f"The public data set {name} is not in {folder}. Set CRM_DATA_DIR to the "
        "folder of the public data: the accuracy floors are tested on it."
    )
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
