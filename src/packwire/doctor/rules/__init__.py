"""The verdicts as data: one table a file; `packwire.doctor.verdicts` puts them in order."""
