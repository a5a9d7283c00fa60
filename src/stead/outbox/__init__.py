"""The outbox: actions that were accepted, each carried out once or visibly not."""
