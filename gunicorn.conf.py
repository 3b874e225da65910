"""What every start of the web server has in common; gunicorn reads it by itself."""

# A list's address says all that narrows it: groups of conditions with hundreds of
# values, or people by the dozen. Gunicorn would refuse it from 4,094 signs on, in a
# sentence of its own.
# 0: up to a megabyte.
limit_request_line = 0
# htmx sends the address of the page along, browsers that of the page before.
limit_request_field_size = 128 * 1024
