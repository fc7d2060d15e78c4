"""One thing that /readyz looks at."""

import msgspec


class Check(msgspec.Struct, frozen=True):
    """``hint``: what to do when it is not ok. Without ``needed`` it is told, and the service is ready."""

    name: str
    ok: bool
    detail: str
    hint: str = ""
    needed: bool = True
