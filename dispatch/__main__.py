"""``python -m dispatch``."""

from dispatch.cli.main import main

main()
