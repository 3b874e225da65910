"""Who may do what in marketing by default."""

DEFAULT_GRANTS = {
    "marketing.campaign": {
        "marketer": "view=all add=own change=all delete=own import=all export=all",
        "sales_manager": "view=all",
        "representative": "view=all",
        "analyst": "view=all export=all",
        "executive": "view=all export=all",
    },
}
