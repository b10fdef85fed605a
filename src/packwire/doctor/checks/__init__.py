"""The experiments: one file for a few close ones; `packwire.doctor.order` puts them in order."""
