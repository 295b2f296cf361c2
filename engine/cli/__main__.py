"""`python -m engine.cli …`: the commands without the window's launcher."""

import sys

from engine.cli import main

sys.exit(main(sys.argv[1:]))
