"""The error of a server that cannot start."""


class CannotStart(Exception):
    """The server cannot run here, for the reason in one sentence; nothing that was opened is left open."""
