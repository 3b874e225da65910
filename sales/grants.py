"""Who may do what in sales by default."""

_REFERENCE = {
    "representative": "view=all",
    "sales_manager": "view=all add=all change=all delete=all import=all export=all",
    "marketer": "view=all",
    "agent": "view=all",
    "service_manager": "view=all",
    "analyst": "view=all export=all",
    "executive": "view=all export=all",
}
_DEALS = {
    "representative": "view=team add=own change=own export=own",
    "sales_manager": (
        "view=subtree add=subtree change=subtree delete=subtree "
        "import=all export=subtree"
    ),
    "analyst": "view=all export=all",
    "executive": "view=all export=all",
}
DEFAULT_GRANTS = {
    "sales.category": _REFERENCE,
    "sales.product": _REFERENCE,
    "sales.pipeline": _REFERENCE,
    "sales.stage": _REFERENCE,
    "sales.lead": _DEALS
    | {"marketer": "view=all add=all change=all import=all export=all"},
    "sales.opportunity": _DEALS | {"marketer": "view=all"},
    "sales.stagechange": {
        "representative": "view=team",
        "sales_manager": "view=subtree",
        "analyst": "view=all",
        "executive": "view=all",
    },
    "sales.order": _DEALS
    | {"agent": "view=all", "service_manager": "view=all", "marketer": "view=all"},
    "sales.orderline": {
        "representative": "view=team add=own change=own delete=own",
        "sales_manager": "view=subtree add=subtree change=subtree delete=subtree",
        "agent": "view=all",
        "service_manager": "view=all",
        "marketer": "view=all",
        "analyst": "view=all",
        "executive": "view=all",
    },
}
