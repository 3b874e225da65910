"""Who may read the analyses and start them by default."""

_READ = "view=all"
_RUN = "view=all run=all"
DEFAULT_GRANTS = {
    label: {
        "representative": _READ,
        "agent": _READ,
        "marketer": _RUN,
        "sales_manager": _RUN,
        "service_manager": _RUN,
        "analyst": _RUN,
        "executive": _READ,
    }
    for label in ("analytics.run", "analytics.modelversion")
}
