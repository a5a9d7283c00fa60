"""Ground floor: error categories, the clock, identifiers and text hygiene. No I/O happens here."""
