"""The run loop: models, runs, streams."""
