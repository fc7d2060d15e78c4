"""What medics do comes from a script; what the service makes of it comes from the service's own code."""

import handmade
import numpy as np
import pytest

from dispatch.core import events as e
from dispatch.deciding.orders import opening
from simulations.behaviour import Plan
from simulations.planning.engine import Engine
from simulations.planning.sections import BehaviourKeys
from simulations.planning.watch import OutcomesWatch
from simulations.planning.world import World, new_incident, roster_of

NOON = handmade.MONDAY + 12 * handmade.H
S, MIN, H = handmade.S, handmade.MIN, handmade.H


def plan(answer=None, *, answer_s=20.0, after="arrives", travel_s=100.0, gives_up=0.5, on_scene_s=60.0):
    """``travel_s`` is absolute here: a script's medics are asked with any ``eta_s``."""
    return Absolute(answer_s / 2, answer, answer_s, after, travel_s, gives_up, on_scene_s)


class Absolute(Plan):
    """A plan whose travel time is what it is."""

    def travel_s(self, usual_travel_s):
        return self.travel_factor


class Script:
    """Medics who do what stands here, by their row; who is in no line sees nothing."""

    def __init__(self, **lines):
        self.lines = {name.removeprefix("m"): line for name, line in lines.items()}
        self.asked = []

    def conduct(self, number, asked, at):
        self.asked += [(number, one.medic_id, at) for one in asked]
        nothing = Plan(None, None, None, None, 1.0, 0.5, 60.0)
        return [self.lines.get(one.medic_id, nothing) for one in asked]


class Log(OutcomesWatch):
    """The outcomes, and what led to them."""

    def __init__(self, *about):
        super().__init__(*about)
        self.events, self.answers = [], []

    def committed(self, number, at, record, events):
        super().committed(number, at, record, events)
        self.events += [(number, event) for event in events]

    def answered(self, number, at, n, medic_id, answer, refused):
        super().answered(number, at, n, medic_id, answer, refused)
        self.answers.append((number, medic_id, answer, refused and refused.code))

    def of(self, kind, number=0):
        return [event for one, event in self.events if one == number and type(event) is kind]


def play(population, calls, script, **policy):
    policies = handmade.policies(**policy)
    log = Log(calls, len(population), [policies[kind].wanted for kind in calls.kinds])
    World(population, BehaviourKeys(), 1).play(calls, policies, script, log)
    return log, log.outcomes()


def test_the_nearest_are_asked_and_come_to_the_patient():
    script = Script(m0=plan("accept"), m1=plan("decline"))
    _, outcomes = play(handmade.medics([100, 200, 300]), handmade.calls([NOON]), script, waves=[(0, 2)])
    assert [medic for _, medic, _ in script.asked] == ["0", "1", "2"]  # she replaces who declined
    assert (outcomes.alerts[0], outcomes.medics[0], outcomes.accepts[0]) == (3, 3, 1)
    # Alerted after 180 s, a second to the phone, 20 s to answer, 100 s on the way, 60 s from kerb to patient.
    assert outcomes.at_patient_s[0, 0] == pytest.approx(361.0)
    assert outcomes.at_patient_s[0, 1] == np.inf
    assert outcomes.medic_alerts.tolist() == [1, 1, 1]
    assert not outcomes.nobody[0]


def test_an_arrest_that_nobody_recognised_is_never_reported():
    calls = handmade.calls([NOON, NOON], recognised=[False, True])
    log, outcomes = play(handmade.medics([100]), calls, Script())
    assert {number for number, _ in log.events} == {1}
    assert outcomes.alerts.tolist() == [0, 1]
    assert outcomes.nobody.tolist() == [False, False]


def test_where_the_ambulance_is_first_nothing_is_reported():
    calls = handmade.calls([NOON], ambulance_kerb_at=[NOON + 2 * MIN])
    log, _ = play(handmade.medics([100]), calls, Script())
    assert log.events == []


def test_the_policies_are_told_the_forecast_and_never_when_the_ambulance_truly_comes():
    calls = handmade.calls([NOON, NOON], ambulance_forecast_at=[NOON + 4 * MIN, NOON + 20 * MIN])
    assert [new_incident(calls, row).ambulance_due_at for row in (0, 1)] == [NOON + 4 * MIN, NOON + 20 * MIN]
    log, _ = play(handmade.medics([600]), calls, Script(), before_ambulance_only=True)
    assert [len(log.of(e.AlertRequested, number)) for number in (0, 1)] == [0, 1]


def test_nobody_is_found_where_nobody_lives():
    _, outcomes = play(handmade.medics([90_000]), handmade.calls([NOON]), Script())
    assert outcomes.nobody.tolist() == [True]
    assert outcomes.at_patient_s[0].tolist() == [np.inf] * 5


def test_a_refused_accept_sets_nobody_out():
    """She says yes half a second after it was covered, and before her phone knows."""
    script = Script(m0=plan("accept", answer_s=20.0), m1=plan("accept", answer_s=20.5))
    log, outcomes = play(handmade.medics([100, 1000]), handmade.calls([NOON]), script, wanted=1)
    assert log.answers[:2] == [(0, "0", "accept", None), (0, "1", "accept", "covered")]
    assert (outcomes.accepts[0], outcomes.arrivals[0], outcomes.wasted[0]) == (1, 1, 0)


def test_who_is_told_to_stop_does_not_answer():
    script = Script(m0=plan("accept", answer_s=5.0), m1=plan("accept", answer_s=30.0))
    log, _ = play(handmade.medics([100, 1000]), handmade.calls([NOON]), script, wanted=1)
    assert [event.reason for event in log.of(e.AlertStoodDown)] == ["covered"]
    assert [medic for _, medic, answer, _ in log.answers if answer == "accept"] == ["0"]


def test_who_is_called_off_on_her_way_turns_back_and_went_in_vain():
    """Closed half an hour after the ambulance, she is still an hour away."""
    script = Script(m0=plan("accept", travel_s=2 * 3600.0))
    log, outcomes = play(handmade.medics([100]), handmade.calls([NOON]), script)
    assert [event.reason for event in log.of(e.AlertStoodDown)] == ["closed"]
    assert (outcomes.accepts[0], outcomes.arrivals[0], outcomes.wasted[0]) == (1, 0, 1)


@pytest.mark.parametrize("after", ["withdraws", "goes_silent"])
def test_who_gives_up_or_goes_silent_is_replaced(after):
    script = Script(m0=plan("accept", after=after), m1=plan("accept"))
    population, calls = (
        handmade.medics([100, 900]),
        handmade.calls([NOON], ambulance_kerb_at=[NOON + 50 * MIN]),
    )
    log, outcomes = play(population, calls, script, wanted=1, waves=[(0, 1)], overdue_s_min=120)
    assert [medic for _, medic, _ in script.asked] == ["0", "1"]
    assert (outcomes.accepts[0], outcomes.arrivals[0], outcomes.wasted[0]) == (2, 1, 1)
    assert bool(log.of(e.AlertOverdue)) == (after == "goes_silent")


@pytest.mark.parametrize(
    ("after", "travel_s", "why"),
    [("withdraws", 100.0, "withdrawn"), ("goes_silent", 100.0, "overdue"), ("arrives", 900.0, "overdue")],
)
def test_who_was_stood_down_is_asked_again_when_it_is_uncovered_and_counted_by_why(after, travel_s, why):
    """Two are asked, the first accepts; the other is stood down as covered, and asked again."""
    script = Script(m0=plan("accept", after=after, travel_s=travel_s))
    calls = handmade.calls([NOON], ambulance_kerb_at=[NOON + 50 * MIN])
    log, outcomes = play(
        handmade.medics([100, 200]),
        calls,
        script,
        wanted=1,
        waves=[(0, 2)],
        overdue_s_min=120,
        better_by_s=600,
    )
    assert [medic for _, medic, _ in script.asked][:3] == ["0", "1", "1"]
    assert log.of(e.IncidentUncovered)
    again = {name: int(getattr(outcomes, f"again_{name}")[0]) for name in ("withdrawn", "overdue", "else")}
    assert again == dict.fromkeys(again, 0) | {why: 1}
    assert outcomes.alerts[0] == outcomes.medics[0] + 1
    assert outcomes.overdue_came[0] == (after == "arrives")


def test_what_goes_out_in_one_moment_is_decided_together_when_it_is_there():
    """As the service gathers what devices say of one incident: two commits, not one a phone."""
    commits = []

    class Commits(Log):
        def committed(self, number, at, record, events):
            super().committed(number, at, record, events)
            commits.append([type(event) for event in events])

    population, calls = handmade.medics([100, 200, 300]), handmade.calls([NOON])
    world = World(population, BehaviourKeys(), 1)
    world.play(calls, handmade.policies(), Script(), Commits(calls, 3, [3]))
    delivered = [kinds for kinds in commits if e.AlertDelivered in kinds]
    assert delivered == [[e.NotificationDelivered, e.AlertDelivered] * 3]


def test_a_medic_engaged_on_one_call_is_not_asked_for_another():
    script = Script(m0=plan("accept", on_scene_s=1200.0))
    _, outcomes = play(handmade.medics([100]), handmade.calls([NOON, NOON + MIN]), script)
    assert outcomes.alerts.tolist() == [1, 0]
    assert outcomes.nobody.tolist() == [False, True]


def test_who_accepts_a_more_urgent_call_leaves_the_other():
    kinds = ("cardiac_arrest", "other")
    calls = handmade.calls([NOON, NOON + 15 * S], kinds=kinds, kind=np.array([1, 0], dtype=np.int8))
    policies = {kind: handmade.a_policy(kind) for kind in kinds}
    script = Script(m0=plan("accept", answer_s=50.0, on_scene_s=3000.0))
    population = handmade.medics([100])
    log = Log(calls, 1, [policies[kind].wanted for kind in kinds])
    World(population, BehaviourKeys(), 1).play(calls, policies, script, log)
    assert [event.reason for event in log.of(e.AlertStoodDown, 0)] == ["engaged"]
    assert log.answers[0] == (1, "0", "accept", None)
    assert log.outcomes().arrivals.tolist() == [0, 1]


def test_the_ambulance_at_the_kerb_ends_the_asking():
    calls = handmade.calls([NOON], ambulance_kerb_at=[NOON + 4 * MIN], ambulance_patient_at=[NOON + 5 * MIN])
    log, _ = play(handmade.medics([100, 200]), calls, Script())
    updated = log.of(e.IncidentUpdated)
    assert [event.ambulance_arrived_at for event in updated] == [NOON + 4 * MIN]
    assert {event.reason for event in log.of(e.AlertStoodDown)} == {"ambulance"}
    assert [event.at for event in log.of(e.IncidentClosed)] == [NOON + 35 * MIN]


def test_who_comes_when_enough_are_there_or_the_ambulance_is_comes_in_vain():
    script = Script(m0=plan("accept"), m1=plan("accept", travel_s=200.0), m2=plan("accept", travel_s=900.0))
    _, outcomes = play(
        handmade.medics([100, 200, 300]), handmade.calls([NOON] * 1), script, wanted=2, better_by_s=0
    )
    assert (outcomes.arrivals[0], outcomes.redundant[0]) == (3, 1)
    script = Script(m0=plan("accept"), m1=plan("accept", travel_s=200.0), m2=plan("accept", travel_s=250.0))
    _, outcomes = play(
        handmade.medics([100, 200, 300]), handmade.calls([NOON]), script, wanted=2, better_by_s=0
    )
    assert outcomes.at_patient_s[0, 2] < 13 * 60
    assert (outcomes.arrivals[0], outcomes.redundant[0]) == (3, 1), "the third, before the ambulance"
    calls = handmade.calls([NOON], ambulance_patient_at=[NOON + 6 * MIN], ambulance_kerb_at=[NOON + 5 * MIN])
    _, outcomes = play(handmade.medics([100]), calls, Script(m0=plan("accept")))
    assert (outcomes.arrivals[0], outcomes.redundant[0]) == (1, 1)


def test_by_day_she_is_asked_where_she_works_and_asleep_not_at_all():
    hours = np.arange(168)
    population = handmade.medics(
        [90_000],
        work_lat=np.array([handmade.LAT]),
        work_lon=np.array([handmade.LON]),
        at_work=(hours < 120) & (hours % 24 >= 9) & (hours % 24 < 17),
        available=(hours % 24 != 13)[None, :],
    )
    calls = handmade.calls([NOON, NOON + H, NOON + 6 * H, NOON + 5 * 24 * H])
    _, outcomes = play(population, calls, Script())
    assert outcomes.alerts.tolist() == [1, 0, 0, 0]


def test_a_run_leaves_nothing_behind():
    """The same again, on the same roster; nothing is asked of who held something in the run before."""
    population = handmade.medics(range(0, 3000, 30))
    calls = handmade.calls([NOON + i * 4 * MIN for i in range(60)])
    world = World(population, BehaviourKeys(), 1)
    runs = [world.run(calls, handmade.policies(), replication) for replication in (0, 1, 0)]
    for name in runs[0].__slots__:
        assert np.array_equal(getattr(runs[0], name), getattr(runs[2], name))
    assert not np.array_equal(runs[0].at_patient_s, runs[1].at_patient_s)
    assert all(not world._roster.held(str(medic)) for medic in range(len(population)))


def test_what_the_core_can_not_make_sense_of_is_no_refusal():
    """A mistake in the simulator must not look like a medic who was not wanted."""
    calls = handmade.calls([NOON])
    engine = Engine(
        roster=roster_of(handmade.medics([100])),
        policies=handmade.policies(),
        medics=Script(),
        watch=Log(calls, 1, [1]),
        deliver_ms={"websocket": 0},
    )
    new = new_incident(calls, 0)
    engine.report(0, "one", new)
    with pytest.raises(ValueError, match="opens once"):
        engine._do(engine._cases["one"], opening(new, "k", handmade.a_policy()))
