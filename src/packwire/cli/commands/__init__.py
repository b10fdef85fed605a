"""The commands, one file each; `packwire.cli.main` has a row for each and imports it when it is called."""
