"""Who may do what in service by default."""

_TICKETS = {
    "agent": "view=all add=all change=team export=team",
    "service_manager": ("view=all add=all change=all delete=all import=all export=all"),
    # Who sells has to know what a customer is waiting for.
    "representative": "view=all add=own",
    "sales_manager": "view=all add=own",
    "analyst": "view=all export=all",
    "executive": "view=all export=all",
}
DEFAULT_GRANTS = {
    "service.ticket": _TICKETS,
    "service.message": {
        "agent": "view=all add=all",
        "service_manager": "view=all add=all",
        "representative": "view=all add=own",
        "sales_manager": "view=all add=own",
        "analyst": "view=all",
        "executive": "view=all",
    },
    "service.ticketcategory": {
        "agent": "view=all",
        "service_manager": "view=all add=all change=all delete=all import=all",
        "representative": "view=all",
        "sales_manager": "view=all",
        "analyst": "view=all",
        "executive": "view=all",
    },
}
