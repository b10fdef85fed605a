"""What `--json` writes: one class a kind of record, by which the views are typed.

docs/reference/json.md is made from these classes (docs/reference/make_json.py), and a test holds what every
command writes against them. `kinds.KINDS` has them all by their `kind`.

A record begins with `kind` and `version` (`packwire.visible.record_text` puts the latter there). What is not
known is null; what makes no sense in a record is not there (`NotRequired`).
"""
