"""A stop begins no send and lets those in flight come to their outcome; the next start does the rest."""

import asyncio

from texting import Texting
from town import a_policy, asked_by, some_medics, until

(PHONE,) = [medic.phone for medic in some_medics(1)]
TRAUMA = {"trauma": a_policy(waves=[(0, 1)], ladder=[("sms", 0)], answer_within_s=90)}


async def alerted(start_town, texting: Texting):
    town = await start_town(channels=texting.channels, policies=TRAUMA)
    texting.node = town
    await town.add(some_medics(1), connected=False)
    return town, await town.report()


async def test_a_call_in_flight_has_its_outcome_before_the_end(start_town, texting):
    """Held back on its way, it is answered while the node stops."""
    answered = asyncio.Event()

    def slow(channel):
        send = channel.send

        async def send_slowly(message, address):
            outcome = await send(message, address)
            await answered.wait()
            return outcome

        channel.send = send_slowly
        return channel

    town = await start_town(
        channels=lambda clock: {"sms": slow(texting.channels(clock)["sms"])}, policies=TRAUMA
    )
    await town.add(some_medics(1), connected=False)
    record = await town.report()
    await until(lambda: texting.twilio.messages)
    stopping = asyncio.create_task(town.dispatcher.close())
    await asyncio.sleep(0.05)
    assert not stopping.done()
    answered.set()
    await stopping
    (note,) = [note for note in (await town.stored(record)).state.alerts[0].notes if note.channel == "sms"]
    assert note.state == "sent"


async def test_what_waits_for_its_provider_is_left_to_the_next_start(start_town, texting):
    texting.twilio.fail_next(429, retry_after_s=60)
    town, record = await alerted(start_town, texting)
    await town.quiet()
    async with asyncio.timeout(5):
        await town.stop()
    again = await start_town(channels=texting.channels, policies=TRAUMA, node_id="node-b")
    texting.node = again
    await again.pass_time(6)
    await texting.twilio.settle()
    await again.quiet()
    assert len(texting.texts_to(PHONE)) == 1
    assert asked_by(await again.now(record))["medic-000"].state == "delivered"


async def test_a_call_that_hung_is_asked_about_by_the_next_start(start_town, texting):
    texting.timeout_s = 0.5
    texting.twilio.callback_delay_s = 10**6
    texting.twilio.hang_next(accepted=True)
    town, record = await alerted(start_town, texting)
    await until(lambda: texting.twilio.messages)
    await town.stop()
    again = await start_town(channels=texting.channels, policies=TRAUMA, node_id="node-b")
    await again.pass_time(6)
    await again.quiet()
    assert len(texting.twilio.messages) == 1
    assert asked_by(await again.now(record))["medic-000"].state == "delivered"


async def test_orders_under_way_are_committed_before_the_end(start_town):
    town = await start_town()
    await town.add(some_medics(30))
    records = [asyncio.create_task(town.report()) for _ in range(5)]
    await asyncio.sleep(0)
    await town.dispatcher.close()
    ids = {(await record).id for record in records}
    rows = await town.pool.fetch("select id from incident")
    assert {row["id"] for row in rows} == ids


async def test_no_timer_goes_off_after_a_stop(start_town):
    town = await start_town()
    await town.add(some_medics(6))
    record = await town.report()
    await town.dispatcher.close()
    town.clock.move(61)
    town.dispatcher.decisions.tick_all_due()
    await asyncio.sleep(0.05)
    assert len((await town.stored(record)).asked) == 3
