"""Forge (document 004): projects that agents plan, build, check and teach."""
