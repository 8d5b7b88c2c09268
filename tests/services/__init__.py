"""Real servers for the tests: each module starts one, as a context manager; `fixtures` hands them to pytest."""


class Unavailable(Exception):
    """A server cannot be had on this machine; the text says why."""
