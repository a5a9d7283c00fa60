"""Reading the times that people name. Own grammar: `stead.memory.time_expressions` is the way in.

Owns no table and does no I/O. The layers, lowest first: `spans` (stretches of local time), `calendar`
(named times and when they come round), `tokens` and `languages` (a text as English words), `words` (the
vocabulary), `quantities`, `dates`, `relative` and `phrases` (what a run of words means), `tense`.
"""
