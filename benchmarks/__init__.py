"""Benchmarks of Stead, and the data that they run on."""
