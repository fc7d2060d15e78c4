"""The world of a scenario: its medics in a roster of the service's own, and its control room.

The roster is filled once and serves every replication and policy: who is where, and who may be asked at what
hour of the week, it judges by its own rules from the medics' places and quiet hours. When a run has ended,
every incident has, and nobody holds an alert.
"""

from copy import copy

import numpy as np

from dispatch.core.policy import Policies
from dispatch.grace import Grace
from dispatch.records import Change, Details, NewIncident, Position
from dispatch.roster.roster import Roster
from simulations.planning.behaviour import Behaviour
from simulations.planning.draws import Draws
from simulations.planning.engine import Engine, Medics, Watch
from simulations.planning.records import Calls, Outcomes, Population
from simulations.planning.sections import BehaviourKeys
from simulations.planning.watch import OutcomesWatch

DELIVER_MS = {"websocket": 1000}
"""From a request to its being on the phone. Over all other channels it fails for certain, and at once."""
CLOSES_AFTER_MS = 30 * 60 * 1000
"""The control room closes an incident so long after the ambulance's crew came to the patient."""


class World:
    """``population`` in a roster: 250,000 medics take some seconds, once."""

    def __init__(self, population: Population, behaviour: BehaviourKeys, seed: int) -> None:
        self._population, self._behaviour, self._seed = population, behaviour, seed
        self._roster = roster_of(population)

    def acting(self, behaviour: BehaviourKeys) -> "World":
        """The same medics, who act otherwise; the roster is shared."""
        other = copy(self)
        other._behaviour = behaviour
        return other

    def run(self, calls: Calls, policies: Policies, replication: int) -> Outcomes:
        """What becomes of one replication's calls; ``policies`` has one for each of their kinds."""
        medics = Behaviour(self._behaviour, Draws(self._seed, replication), self._population, calls)
        watch = OutcomesWatch(calls, len(self._population), [policies[kind].wanted for kind in calls.kinds])
        self.play(calls, policies, medics, watch)
        return watch.outcomes()

    def play(self, calls: Calls, policies: Policies, medics: Medics, watch: Watch) -> None:
        """The same with medics and a tracker of the caller's own; calls are numbered by their rows."""
        engine = Engine(
            roster=self._roster, policies=policies, medics=medics, watch=watch, deliver_ms=DELIVER_MS
        )
        ControlRoom(engine, calls).take()
        engine.run()


def roster_of(population: Population) -> Roster:
    """The medics as the service knows them, each within reach of her websocket at all times."""
    roster = Roster(default_time_zone=population.time_zone, sms_on=False, grace=Grace())
    roster.put_many(population.roster())
    return roster


class ControlRoom:
    """It reports calls, tells when the ambulance is there, and closes.

    It reports nothing where nobody has recognised an arrest, or the ambulance is there already.
    """

    def __init__(self, engine: Engine, calls: Calls) -> None:
        self._engine, self._calls = engine, calls
        reported = calls.recognised & (calls.alert_at < calls.ambulance_kerb_at)
        rows = np.flatnonzero(reported)
        self._to_report = iter(rows[np.argsort(calls.alert_at[rows], kind="stable")].tolist())

    def take(self) -> None:
        """The next call, when its time has come; one after the other, so that little waits at once."""
        row = next(self._to_report, None)
        if row is not None:
            self._engine.at(int(self._calls.alert_at[row]), self._report, row)

    def _report(self, row: int) -> None:
        calls, engine, incident_id = self._calls, self._engine, str(row)
        engine.report(row, incident_id, new_incident(calls, row))
        engine.at(int(calls.ambulance_kerb_at[row]), self._ambulance_arrived, incident_id)
        engine.at(int(calls.ambulance_patient_at[row]) + CLOSES_AFTER_MS, engine.close, incident_id)
        self.take()

    def _ambulance_arrived(self, incident_id: str) -> None:
        self._engine.change(incident_id, ambulance_there(self._engine.now))


def new_incident(calls: Calls, row: int) -> NewIncident:
    """A call as the control room reports it; of the ambulance it knows the forecast."""
    return NewIncident(
        reference=str(row),
        kind=calls.kinds[int(calls.kind[row])],
        details=Details(Position(float(calls.lat[row]), float(calls.lon[row]))),
        called_at=int(calls.answered_at[row]),
        ambulance_due_at=int(calls.ambulance_forecast_at[row]),
    )


def ambulance_there(at: int) -> Change:
    """What the control room says when the ambulance is at the kerb."""
    nowhere = Details(Position(0.0, 0.0))  # not named in the fields, and so not taken over
    return Change(fields=("ambulance_arrived_at",), details=nowhere, ambulance_arrived_at=at)
