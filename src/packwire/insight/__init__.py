"""From messages to findings: groups, bits, checksums, counters, pairs, and what changed between states.

Pure functions on `Messages` and arrays: nothing here reads a file or prints.
"""
