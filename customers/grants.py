"""Who may do what with customers by default."""

_CUSTOMERS = {
    "representative": "view=team add=own change=own export=own",
    "sales_manager": (
        "view=subtree add=subtree change=subtree delete=subtree "
        "import=all export=subtree"
    ),
    "marketer": "view=all import=all export=all",
    "agent": "view=all",
    "service_manager": "view=all",
    "analyst": "view=all export=all",
    "executive": "view=all export=all",
}
_BELOW = {
    "representative": "view=team add=own change=own delete=own export=own",
    "sales_manager": (
        "view=subtree add=subtree change=subtree delete=subtree export=subtree"
    ),
    "marketer": "view=all",
    "agent": "view=all add=all",
    "service_manager": "view=all add=all",
    "analyst": "view=all",
    "executive": "view=all",
}
DEFAULT_GRANTS = {
    "customers.customer": _CUSTOMERS,
    "customers.contact": _BELOW
    | {"sales_manager": _BELOW["sales_manager"] + " import=all"},
    "customers.interaction": _BELOW,
    "customers.duplicatepair": {
        "representative": "view=team change=own",
        "sales_manager": "view=subtree change=subtree run=all",
        "marketer": "view=all",
        "agent": "view=all",
        "service_manager": "view=all",
        "analyst": "view=all run=all",
        "executive": "view=all",
    },
}
