"""`python -m simulations.twilio_double`: the double as a process of its own, live, for trying things out.

Prints its URL and credentials as one line of JSON. Beside Twilio's API it answers `GET /double/inbox?phone=`
and `POST /double/reply` with `{"phone", "text"}`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import signal
import sys
from dataclasses import asdict

from aiohttp import web

from simulations.twilio_double.double import ACCOUNT_SID, AUTH_TOKEN, NUMBER, TwilioDouble


def main() -> None:
    """Serve until interrupted."""
    parser = argparse.ArgumentParser(prog="python -m simulations.twilio_double", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free one (default)")
    parser.add_argument("--account-sid", default=ACCOUNT_SID)
    parser.add_argument("--auth-token", default=AUTH_TOKEN)
    parser.add_argument("--number", default=NUMBER)
    parser.add_argument("--reply-url", help="where replies are posted")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


async def _serve(options: argparse.Namespace) -> None:
    twilio = TwilioDouble(
        options.account_sid,
        options.auth_token,
        number=options.number,
        reply_url=options.reply_url,
        live=True,
    )
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    url = await twilio.start(options.port, routes=_routes(twilio))
    line = {"url": url, "account_sid": twilio.account_sid, "number": twilio.number}
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    try:
        await stopped.wait()
    finally:
        await twilio.stop()


def _routes(twilio: TwilioDouble) -> list[web.AbstractRouteDef]:
    async def inbox(request: web.Request) -> web.Response:
        phone = twilio.phone(request.query.get("phone", ""))
        return web.json_response([asdict(text) for text in phone.inbox])

    async def reply(request: web.Request) -> web.Response:
        asked = await request.json()
        status = await twilio.phone(asked["phone"]).reply(asked["text"])
        return web.json_response({"webhook_status": status})

    return [web.get("/double/inbox", inbox), web.post("/double/reply", reply)]


if __name__ == "__main__":
    main()
