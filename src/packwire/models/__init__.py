"""Protocols of BMSs as data: a YAML file each, and the protocol made from it."""
