"""The doctor on a log that somebody posted: events and messages to facts, judged by the same engine."""
