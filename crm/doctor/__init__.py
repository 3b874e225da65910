"""Look at the running system: what is well, what is not, and how to mend it.

A check is a function that yields findings, declared by ``@check`` in
``<app>/doctor.py``, or here for what belongs to no app.
"""

from crm.doctor.findings import Finding, check, fail, ok, warn

__all__ = ["Finding", "check", "fail", "ok", "warn"]
