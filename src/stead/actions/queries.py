"""The statements of this part: one a function."""
