"""The `Context` that every operation takes first, under a name that `api`, `web` and `smtp` may import."""

from kaisoumail.workflows.context import Context as Context
