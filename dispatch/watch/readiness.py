"""What /readyz looks at: the database, the decisions, and the ways to a medic's phone."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from dispatch import logs
from dispatch.check import Check
from dispatch.core.policy import Policies
from dispatch.embedded_postgres import EmbeddedPostgres
from dispatch.kinds import SENT_BY, reaching_nobody
from dispatch.service.node import Node
from dispatch.settings import Settings
from dispatch.store.trouble import DATABASE_TROUBLE
from dispatch.watch.disk import disk
from dispatch.watch.question import Question

READ_ONLY = "select current_setting('transaction_read_only')::boolean"
TAKES_NOTHING = "It is a standby, or default_transaction_read_only is on: name the primary, or set that off."
ANSWER_S_MAX = 2.0
ASK_S_MAX = 5.0


class Readiness:
    """``embedded`` is None where Postgres runs elsewhere."""

    def __init__(
        self,
        settings: Settings,
        policies: Policies,
        node: Node,
        embedded: EmbeddedPostgres | None,
        data_dir: Path,
        more: Sequence[Callable[[], Check]],
    ) -> None:
        self._settings, self._policies = settings, policies
        self._node = node
        self._embedded = embedded
        self._data_dir = data_dir
        self._more = more
        self._read_only = Question(lambda: node.pool.fetchval(READ_ONLY, timeout=ASK_S_MAX))

    async def checks(self) -> Sequence[Check]:
        """Within ``ANSWER_S_MAX``, whatever hangs."""
        return [
            await self._database(),
            *([disk(self._data_dir)] if self._embedded else []),
            *self._node.checks(),
            *self.ways(),
            self._medics(),
            *(check() for check in self._more),
        ]

    def close(self) -> None:
        self._read_only.give_up()

    def ways(self) -> Iterator[Check]:
        """The ways to a phone that are not there: never silently."""
        yield from self._sms()
        yield from self._ladders()

    def _ladders(self) -> Iterator[Check]:
        channels = [one for one in SENT_BY if one != "sms" or self._settings.sms_on]
        if (told := reaching_nobody(self._policies, channels)) is not None:
            hint = "Change DISPATCH_POLICY_FILE; `dispatch policy check` tells it too."
            yield Check("ladders", False, told, hint, needed=False)

    def _sms(self) -> Iterator[Check]:
        """Who could be reached by SMS alone is not available where it is off."""
        if not self._settings.sms_on:
            yield Check(
                "sms",
                False,
                "SMS is off: medics without a socket are not asked, and nobody can enrol by code",
                "Set DISPATCH_TWILIO_ACCOUNT_SID, _AUTH_TOKEN and _FROM.",
                needed=False,
            )
        elif self._settings.public_url is None:
            yield Check(
                "sms_replies",
                False,
                "SMS go out, but nothing is known of their delivery, and answers do not come back",
                "Set DISPATCH_PUBLIC_URL to where Twilio reaches this service.",
                needed=False,
            )

    async def _database(self) -> Check:
        trouble = self._embedded.trouble if self._embedded else None
        try:
            read_only = await self._read_only.answer(ANSWER_S_MAX)
        except DATABASE_TROUBLE as error:
            hint = (
                "See postgres.log in the data dir."
                if self._embedded
                else "Check DISPATCH_DATABASE_URL's server."
            )
            return Check("database", False, trouble or f"does not answer ({logs.describe(error)})", hint)
        if read_only:
            return Check("database", False, "answers, and takes nothing: it is read-only", TAKES_NOTHING)
        return Check("database", True, "answers")

    def _medics(self) -> Check:
        count = len(self._node.roster)
        hint = "" if count else "Register them: `dispatch medics import`, or POST /v1/medics."
        return Check("medics", count > 0, f"{count} registered", hint, needed=False)
