"""Guarded actions from proposal to result: envelopes under guardrails and approval, carried out by tools."""
