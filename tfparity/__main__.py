"""`python -m tfparity` is the command `tfparity`."""

from tfparity.cli import main

main()
