"""Data sets for the benchmarks, and the scripts that check them."""
