"""Runs the command line as ``python -m mapkeeper``."""

from mapkeeper.cli import main

if __name__ == "__main__":
    main()
