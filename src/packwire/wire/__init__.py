"""Bytes <-> frames and fields, without I/O: what every protocol here is built from."""
