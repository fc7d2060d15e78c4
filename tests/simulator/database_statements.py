"""All statements that the model knows, by their SQL text."""

from tests.simulator import database_of_incidents, database_of_medics, database_of_nodes, database_of_sends
from tests.simulator.database_modelled import MODELLED, Statement

__all__ = ["MODELLED", "Statement", "subjects"]

subjects = (database_of_incidents, database_of_medics, database_of_nodes, database_of_sends)
