"""Logs of other programs read into events: what each sentence that they write says, as data.

A program's sentences are a module with `SAYINGS`, a row each (`saying.Sentence`); `reader.read_events` puts
them on one time line. Sentences are the programs' own words, as their sources have them.
"""
