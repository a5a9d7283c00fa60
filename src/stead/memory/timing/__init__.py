"""Reading the times that people name, by a grammar of its own: `stead.memory.time_expressions` is the way in.

Owns no table and does no I/O. The layers, lowest first: `spans` (stretches of local time), `calendar` (named
times, and when they come round), `tokens` (a text as words), `words` and `foreign` (the vocabularies),
`languages` (other languages in English), `quantities`, `dates`, `names`, `relative`, `parts`, `ranges` and
`phrases` (what a run of words means), and beside them `tense` and `states` (what the sentence says of it).
"""
