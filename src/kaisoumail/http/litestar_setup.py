"""Litestar without what costs a start 0.3 s of CPU and 10 MB of memory, and is not used here."""

from typing import Any

from litestar import Litestar, Router
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin


class LitestarWithoutPydantic(Litestar):
    """
    Litestar 2.25 imports Pydantic wherever it is installed; typer requires it, and nothing here has a model of it.

    If a later release no longer asks this method, Pydantic is imported again, and `tests/server/test_start.py` fails.
    """

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


class UncopiedRouter(Router):
    """A router that is registered once, as it is: Litestar copies a router deeply, with all handlers, at each level."""

    def __deepcopy__(self, memo: dict[int, Any]) -> "UncopiedRouter":
        return self
