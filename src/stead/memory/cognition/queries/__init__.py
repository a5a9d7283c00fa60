"""The statements of this part."""
