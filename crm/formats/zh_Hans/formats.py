"""Figures in business Chinese are grouped by three with commas, as in English."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3
