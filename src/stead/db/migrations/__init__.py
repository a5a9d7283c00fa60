"""The migrations, as files: plain SQL named ``<timestamp>_<name>.sql``, applied in the order of their names."""
