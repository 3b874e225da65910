"""Backups: one file with the database and the attachments; see docs/backup.md.

sealing   chunks that cannot be changed unnoticed, encrypted where there is a key
archive   members (tables, files) in a stream of chunks
database  what PostgreSQL is asked for: tables, sums, sequences, constraints
create    write a backup while people work
scratch   a database beside the configured one, and the exchange of the two
loading   fill a scratch database from a backup and compare
media     attachments out and in
restore   all of it together: check, load, compare, exchange
jobs      the nightly backup and the weekly trial of the newest
"""
