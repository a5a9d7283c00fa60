"""Guarded actions: what a tenant allows, who has to agree, and what was learned from it."""
