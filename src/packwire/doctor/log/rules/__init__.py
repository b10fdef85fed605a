"""The rules that a log is judged by, by subject."""
