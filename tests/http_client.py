"""An HTTP client for services on loopback."""

from typing import Any

import httpx


def http_client(**options: Any) -> httpx.AsyncClient:
    """Reads no certificates, which takes 50 ms of a processor: nothing here speaks TLS."""
    return httpx.AsyncClient(verify=False, **options)
