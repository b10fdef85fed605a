"""The experiments: one file for a few close ones; `packwire.doctor.ladder` puts them in order."""
