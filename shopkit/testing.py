"""What the tests of the routers and the gateway share: a request as a `pick` sees it."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import parse_qs

from shopkit.proxy import Forward, Pick, Request


@dataclass
class Asked:
    """Stands for `shopkit.proxy.Request`; the end-to-end tests hold it to the real one."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    def header(self, name: str) -> str | None:
        return self.headers.get(name)

    def query_params(self) -> dict[str, list[str]]:
        return parse_qs(self.query)

    async def json(self) -> object:
        return json.loads(self.body)


def picked(pick: Pick, asked: Asked) -> Forward | None:
    """Where the router sends it."""

    async def run() -> Forward | None:
        return await pick(cast(Request, asked))

    return asyncio.run(run())
