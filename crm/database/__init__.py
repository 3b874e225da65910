"""Django's PostgreSQL, which looks at a connection before it asks over it."""
