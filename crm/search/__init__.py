"""One search over every model; see docs/search.md.

``functions.sql`` makes tokens of texts, ``triggers`` keeps the table of entries,
``query`` reads what somebody typed, ``finding`` answers over all models,
``crm.generic.searching`` inside one list, ``similar`` finds what exists already.
"""
