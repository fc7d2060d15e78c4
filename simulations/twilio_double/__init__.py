"""A Twilio that rings virtual phones: an HTTP server that speaks its Messages API as documented.

    async with TwilioDouble(strict=True) as twilio:
        twilio.expect("+31612345678", containing="Reanimatie")
        ...                                  # the real library, pointed at twilio.url
        await twilio.phone("+31612345678").reply("1")

It answers form-encoded creates, lists and fetches with basic authentication and Twilio's error bodies, posts
signed status callbacks and replies, sends what the answer to a reply says, blocks a sender after an opt-out
word, honours `ValidityPeriod`, and fails, hangs or breaks off when told to. Everything it does is in the
order in which it was told: SIDs count up, and its time stands still between calls of `advance` unless it is
`live`.

What is unrealistic, so that nobody concludes too much from a test that passes here:

- Real networks deliver in seconds, not at once, in no particular order, and some never report it.
- Every number that looks like E.164 exists; landlines and the like are what a test makes them.
- Callbacks to a loopback address are accepted, which Twilio refuses (21609); none is retried.
- No prices, no rate limits or queues per sender of its own accord, no media, no trial accounts, no API keys,
  no automatic reply to an opt-out word, no Advanced Opt-Out, no subaccounts, no updates or deletions.
- Error texts are in our words; only the codes are Twilio's. A `ValidityPeriod` out of range is refused as its
  error 90007 reads; which HTTP status that comes with is a guess.
"""

from simulations.twilio_double.double import TwilioDouble
from simulations.twilio_double.phones import Text, VirtualPhone

__all__ = ["Text", "TwilioDouble", "VirtualPhone"]
