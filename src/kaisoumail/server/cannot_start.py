"""Why a server does not start."""


class CannotStart(Exception):
    """Why the server cannot run here: one sentence, nothing half done."""
