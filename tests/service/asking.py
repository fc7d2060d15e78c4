"""What a test asks of a service process over HTTP, and a port for it to listen on."""

import json
import socket
import urllib.error
import urllib.request
from typing import Any


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


def ask(
    method: str, url: str, body: Any, *, key: str, seconds: float, headers: dict[str, str]
) -> tuple[int, Any]:
    """Status and body, of a refusal too. Blocks; raises what urllib raises where no answer comes."""
    request = urllib.request.Request(
        url,
        None if body is None else json.dumps(body).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json", **headers},
        method=method,
    )
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)
