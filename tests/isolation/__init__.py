"""Whether tenants are kept apart: checks generated from the database's own catalogue."""
