"""Tests of guarded actions."""
