"""`python -m packwire`."""

from packwire.cli.main import main

main()
