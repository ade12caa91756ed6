"""`python -m latax` is the command `latax`."""

import sys

from latax.cli import main

if __name__ == "__main__":
    sys.exit(main())
