"""The lifecycle tables in ``lifecycle.py`` are those of the rules."""

from dispatch.core.lifecycle import ALERT, ALERT_COLUMNS, ENDED_ALERT, INCIDENT, INCIDENT_COLUMNS
from tests.core.lifecycle_rules import AFTER_THE_END, alert_spec, incident_spec, meaning


def test_the_alert_table_is_the_rules() -> None:
    assert {state: dict(row) for state, row in ALERT.items()} == alert_spec()
    assert all(set(row) == set(ALERT_COLUMNS) for row in ALERT.values())


def test_the_incident_table_is_the_rules() -> None:
    assert {state: dict(row) for state, row in INCIDENT.items()} == incident_spec()
    assert all(set(row) == set(INCIDENT_COLUMNS) for row in INCIDENT.values())


def test_the_ended_table_is_the_rules() -> None:
    assert {column: meaning(words) for column, words in AFTER_THE_END.items()} == dict(ENDED_ALERT)
