"""`python -m packwire.cli`."""

from packwire.cli.main import main

main()
