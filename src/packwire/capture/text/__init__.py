"""What text formats have in common: lines, times, bytes written as text, and the table that they become.

A text format is a file in `packwire.capture.formats` and a row in its `TEXTS`; `grammar` says what is in it.
"""
