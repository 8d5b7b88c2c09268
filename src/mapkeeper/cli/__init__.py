"""The command line: a thin layer that reads options, calls the house and prints what comes back."""

from __future__ import annotations

from mapkeeper.cli.app import app, main

__all__ = ["app", "main"]
