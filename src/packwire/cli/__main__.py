"""`python -m packwire.cli`."""

from packwire.__main__ import main

main()
