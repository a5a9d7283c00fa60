"""Tools: the catalogue of what agents may do, and who carries it out."""
