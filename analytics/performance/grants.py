"""Who may set and see targets by default."""

DEFAULT_GRANTS = {
    "performance.target": {
        "representative": "view=own",
        "agent": "view=own",
        "sales_manager": "view=subtree add=subtree change=subtree delete=subtree",
        "service_manager": "view=subtree add=subtree change=subtree delete=subtree",
        "executive": "view=all add=all change=all",
        "analyst": "view=all",
    },
}
