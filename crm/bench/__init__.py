"""Measure the running product at full size; see docs/performance.md.

The platform brings the scratch database, the server and the clock. What is filled in
and what is measured stands in ``<app>/bench.py``: ``STEPS`` and ``MEASURES``.
"""
