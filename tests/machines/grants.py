DEFAULT_GRANTS = {
    "machines.machine": {"representative": "view=team add=own change=own"}
}
