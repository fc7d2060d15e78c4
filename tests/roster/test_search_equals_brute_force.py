"""Whatever has been said of whom: a search finds exactly whom the rules, read one by one, would find."""

import math
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dispatch.core.commands import Search
from dispatch.grace import Grace
from dispatch.records import Fix, Hours, Medic, Place
from dispatch.roster.roster import Roster
from geo.distance import distance_m

NOON = 1_773_144_000_000
"""2026-03-10 12:00 UTC, a Tuesday, 13:00 in Amsterdam."""
GRACE_UNTIL = NOON - 3_600_000
SPEED_M_S = {"foot": 1.7, "bicycle": 4.5, "car": 8.3}

# Few of each, so that medics meet: on one spot, at one hour, under one id.
MEDIC_IDS = st.sampled_from(["anna", "bert", "cees", "dirk", "emma"])
INCIDENT_IDS = st.sampled_from(["i1", "i2"])
LATS = st.sampled_from([52.0, 52.001, 52.01])
LONS = st.sampled_from([-180.0, 180.0, -179.999])
TIMES = st.builds(lambda quarters: f"{quarters // 4:02}:{quarters % 4 * 15:02}", st.integers(40, 60))
DAYS = st.lists(st.integers(1, 3), min_size=1, max_size=2, unique=True).map(tuple)
WEEKLY = st.lists(st.builds(Hours, DAYS, TIMES, TIMES), max_size=2).map(tuple)
# A quarter of an hour apart at most around noon, and the milliseconds at which fixes go stale.
MOMENTS = st.builds(
    lambda quarters, ms: NOON + quarters * 900_000 + ms, st.integers(-8, 8), st.sampled_from([-1, 0, 1])
)
SKILLS = st.lists(st.sampled_from(["doctor", "nurse", "first_aid"]), unique=True, max_size=2).map(tuple)
CHANNELS = st.lists(st.sampled_from(["websocket", "sms", "voice"]), unique=True, max_size=3).map(tuple)
MOSTLY = st.sampled_from([True] * 9 + [False])
SELDOM = st.sampled_from([False] * 9 + [True])


def seldom(usual, other):
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), other)


MEDICS = st.builds(
    Medic,
    id=MEDIC_IDS,
    name=st.just("N"),
    phone=st.sampled_from(["+31600000001"] * 4 + [""]),
    language=st.just("nl"),
    skills=SKILLS,
    mode=st.sampled_from(sorted(SPEED_M_S)),
    cleared_for_homes=MOSTLY,
    verified=MOSTLY,
    suspended=SELDOM,
    certificate_until=seldom(None, MOMENTS),
    registered_by=st.none(),
    available=MOSTLY,
    drills=MOSTLY,
    time_zone=st.sampled_from([None, None, "Europe/London", "America/St_Johns"]),
    quiet_hours=seldom((), WEEKLY),
    places=st.lists(st.builds(Place, st.just("home"), LATS, LONS, WEEKLY), max_size=2).map(tuple),
    channels=seldom(("websocket", "sms"), CHANNELS),
    blocked=seldom((), CHANNELS),
)
FIXES = st.builds(
    Fix, medic_id=MEDIC_IDS, lat=LATS, lon=LONS, accuracy_m=st.sampled_from([None, 20.0]), at=MOMENTS
)
SEARCHES = st.builds(
    Search,
    count=st.sampled_from([0, 1, 2, 2, 3, 5]),
    reach_s=st.sampled_from([0, 60, 120, 720, 7200]),
    fix_stale_s=st.sampled_from([900, 1800, 7200]),
    skills_any=seldom((), SKILLS),
    cleared_only=SELDOM,
    drill=SELDOM,
    priority=st.integers(1, 3),
    channels=seldom(("websocket", "sms"), CHANNELS),
    exclude=st.just(()),
    again=st.lists(st.integers(1, 3), unique=True).map(tuple),
    new_max=seldom(40, st.integers(0, 4)),
)


def holds(hours, zone, at):
    wall = datetime.fromtimestamp(at // 1000, ZoneInfo(zone or "Europe/Amsterdam"))
    shows, today, yesterday = (
        wall.strftime("%H:%M"),
        wall.isoweekday(),
        (wall - timedelta(days=1)).isoweekday(),
    )
    return any(
        (today in one.days and one.from_ <= shows and (shows < one.to or one.to <= one.from_))
        or (yesterday in one.days and one.to <= one.from_ and shows < one.to)
        for one in hours
    )


class World:
    """The same medics as plain objects, and the rules as sentences about one of them."""

    def __init__(self):
        self.medics, self.fixes, self.connected, self.taken, self.claims = {}, {}, set(), set(), {}

    def channels(self, medic, ladder, at):
        now = set()
        if medic.id in self.connected or at < GRACE_UNTIL:
            now.add("websocket")
        if medic.phone:
            now.add("sms")
        return tuple(
            one for one in ladder if one in now and one in medic.channels and one not in medic.blocked
        )

    def free(self, medic, search, incident_id):
        for (claimed_by, _n), (priority, drill, engaged) in self.claims.get(medic.id, {}).items():
            if claimed_by == incident_id:
                return False
            if engaged:
                if not drill:
                    return False
            elif (drill, priority) <= (search.drill, search.priority):
                return False
        return medic.id not in self.taken

    def positions(self, medic, at, fix_stale_s):
        fix = self.fixes.get(medic.id)
        if fix is not None and at - fix.at < fix_stale_s * 1000:
            return [(fix.lat, fix.lon)]
        return [(p.lat, p.lon) for p in medic.places if not p.hours or holds(p.hours, medic.time_zone, at)]

    def way(self, medic, lat, lon, at, fix_stale_s):
        """Seconds and metres, or None."""
        metres = [distance_m(lat, lon, *where) for where in self.positions(medic, at, fix_stale_s)]
        return min(((m / SPEED_M_S[medic.mode], m) for m in metres), default=None)

    def may_be_asked(self, medic, search, at, incident_id):
        return (
            medic.available
            and medic.verified
            and not medic.suspended
            and (medic.certificate_until is None or at < medic.certificate_until)
            and not holds(medic.quiet_hours, medic.time_zone, at)
            and (medic.cleared_for_homes or not search.cleared_only)
            and (medic.drills or not search.drill)
            and (not search.skills_any or any(skill in medic.skills for skill in search.skills_any))
            and self.channels(medic, search.channels, at) != ()
            and self.free(medic, search, incident_id)
        )

    def search(self, search, lat, lon, at, incident_id, firsts):
        found = []
        for medic in self.medics.values():
            way = self.way(medic, lat, lon, at, search.fix_stale_s)
            if way is not None and self.may_be_asked(medic, search, at, incident_id):
                first = firsts.get(medic.id)
                if math.ceil(way[0]) <= search.reach_s and (first is None or first in search.again):
                    found.append((way[0], medic.id, way[1], first))
        found.sort(key=lambda one: one[:2])
        new, chosen = 0, []
        for seconds, medic_id, metres, first in found:
            new += first is None
            if first is None and new > search.new_max:
                continue
            channels = self.channels(self.medics[medic_id], search.channels, at)
            chosen.append((medic_id, round(metres), math.ceil(seconds), channels, first))
        return chosen[: search.count]


def chosen_by_decision(found, search):
    """What a decision takes of candidates: the next best, new ones as far as there is room for them."""
    new, chosen = 0, []
    for one in found:
        new += one.first is None
        if one.first is not None or new <= search.new_max:
            chosen.append((one.medic_id, one.distance_m, one.eta_s, one.channels, one.first))
    return chosen[: search.count]


class RosterMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.world = World()
        self.roster = Roster(default_time_zone="Europe/Amsterdam", sms_on=True, grace=Grace(GRACE_UNTIL))

    @initialize(medics=st.lists(MEDICS, min_size=5, max_size=8), fixes=st.lists(FIXES, max_size=5))
    def begin(self, medics, fixes):
        self.put_many(medics)
        self.move_many(fixes)

    @rule(medics=st.lists(MEDICS, min_size=1, max_size=8))
    def put_many(self, medics):
        self.roster.put_many(medics)
        self.world.medics |= {medic.id: medic for medic in medics}

    @rule(medic=MEDICS)
    def put(self, medic):
        self.roster.put(medic)
        self.world.medics[medic.id] = medic

    @rule(medic_id=MEDIC_IDS)
    def remove(self, medic_id):
        self.roster.remove(medic_id)
        self.world.medics.pop(medic_id, None)
        self.world.fixes.pop(medic_id, None)
        self.world.taken.discard(medic_id)

    @rule(fixes=st.lists(FIXES, min_size=1, max_size=8))
    def move_many(self, fixes):
        self.roster.move_many(fixes)
        for fix in fixes:
            self._moved(fix)

    @rule(fix=FIXES)
    def move(self, fix):
        assert self.roster.move(fix) == self._moved(fix)

    def _moved(self, fix):
        known = self.world.fixes.get(fix.medic_id)
        if fix.medic_id not in self.world.medics or (known is not None and fix.at <= known.at):
            return False
        self.world.fixes[fix.medic_id] = fix
        return True

    @rule(medic_id=MEDIC_IDS, on=MOSTLY)
    def connected(self, medic_id, on):
        self.roster.connected(medic_id, on)
        (self.world.connected.add if on else self.world.connected.discard)(medic_id)

    @rule(medic_id=MEDIC_IDS, incident_id=INCIDENT_IDS, n=st.integers(1, 2), drill=SELDOM, engaged=SELDOM,
          priority=st.integers(1, 3))  # fmt: skip
    def hold_alert(self, medic_id, incident_id, n, drill, engaged, priority):
        self.roster.hold_alert(
            medic_id, incident_id=incident_id, n=n, priority=priority, drill=drill, engaged=engaged
        )
        self.world.claims.setdefault(medic_id, {})[incident_id, n] = (priority, drill, engaged)

    @rule(medic_id=MEDIC_IDS, incident_id=INCIDENT_IDS, n=st.integers(1, 2))
    def release_alert(self, medic_id, incident_id, n):
        self.roster.release_alert(medic_id, incident_id, n)
        self.world.claims.get(medic_id, {}).pop((incident_id, n), None)

    @rule(medic_ids=st.lists(MEDIC_IDS, max_size=2))
    def take(self, medic_ids):
        self.roster.take(medic_ids)
        self.world.taken |= set(medic_ids) & self.world.medics.keys()

    @rule(medic_ids=st.lists(MEDIC_IDS, max_size=8))
    def give_back(self, medic_ids):
        self.roster.give_back(medic_ids)
        self.world.taken -= set(medic_ids)

    @rule(
        searches=st.lists(SEARCHES, min_size=1, max_size=4),
        lat=LATS,
        lon=LONS,
        at=MOMENTS,
        firsts=st.dictionaries(MEDIC_IDS, st.integers(1, 3), max_size=3),
    )
    def search(self, searches, lat, lon, at, firsts):
        for search in searches:
            for incident_id in ("i1", "i2", "i3"):
                self._search(search, lat, lon, at, incident_id, firsts)

    def _search(self, search, lat, lon, at, incident_id, firsts):
        found = self.roster.search(search, lat=lat, lon=lon, at=at, incident_id=incident_id, firsts=firsts)
        expected = self.world.search(search, lat, lon, at, incident_id, firsts)
        assert chosen_by_decision(found, search) == expected
        if search.new_max >= search.count:
            assert len(found) == len(expected)

    @rule(medic_id=MEDIC_IDS, lat=LATS, lon=LONS, at=MOMENTS, fix_stale_s=st.sampled_from([900, 1800]))
    def eta(self, medic_id, lat, lon, at, fix_stale_s):
        medic = self.world.medics.get(medic_id)
        way = None if medic is None else self.world.way(medic, lat, lon, at, fix_stale_s)
        expected = None if way is None else (round(way[1]), math.ceil(way[0]))
        assert self.roster.eta(medic_id, lat=lat, lon=lon, at=at, fix_stale_s=fix_stale_s) == expected

    @invariant()
    def holds_the_same(self):
        assert len(self.roster) == len(self.world.medics)
        for medic_id, medic in self.world.medics.items():
            assert self.roster.get(medic_id) == medic
            assert self.roster.fix(medic_id) == self.world.fixes.get(medic_id)


RosterMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
test_roster_equals_its_brute_force = RosterMachine.TestCase
