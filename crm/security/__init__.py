"""Sign-in, second factors, sessions, and the log of what happened at the doors.

docs/security.md says which requirement is met where, and by which test.
"""
