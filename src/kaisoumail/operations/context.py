"""The `Context` that every operation takes first, under the name doors may import."""

from kaisoumail.workflows.context import Context as Context
