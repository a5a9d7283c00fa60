"""What Stead asks of others: models that answer and embedders that place texts in a space.

Owns no table. What always holds: no call is made while a transaction is open; time-outs and retries are
explicit; nothing leaves the machine unless a provider is configured.
"""
