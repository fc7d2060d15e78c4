"""The report's end: what it stands on, and how to do it again."""

import shlex
import sys
from collections.abc import Iterator

from dispatch.core import policy
from simulations.planning import assumptions, spread
from simulations.planning.page import Html, code, items, table, text
from simulations.planning.runs import Results
from simulations.planning.scenario import Scenario

LEFT_OUT = (
    "How wrong the inputs may be: vary those that you know least, and see whether the answer stays.",
    "AEDs, seasons and bad days, streets, an ambulance service that runs out, medics who tire of alerts or "
    "live beyond the border.",
    "Lives: survival functions disagree. Only differences between policies are worth a look.",
)


def assumed(scenario: Scenario) -> Iterator[Html]:
    yield table(
        "What is taken for given",
        ("Key of the scenario", "Value", "Source"),
        [
            (text(one.key), text(one.value), text(one.source))
            for one in assumptions.of(scenario.keys, scenario.kinds)
        ],
    )
    yield Html("<h3>What the model leaves out</h3>")
    yield items(LEFT_OUT)


def again(scenario: Scenario, results: Results) -> Iterator[Html]:
    size = ("--seed", str(scenario.seed), "--replications", str(scenario.replications))
    yield code(shlex.join(("dispatch", "simulate", *scenario.words, *size)))
    versions = {"python": ".".join(map(str, sys.version_info[:3])), **spread.versions()}
    yield table(
        "The same seed, digest and versions give the same results",
        ("What", "Value"),
        [
            (text("Seed"), text(scenario.seed)),
            (text("Digest of the scenario and all its files"), text(scenario.digest)),
            (text("Replications done"), text(len(results.rows))),
            *((text(name), text(version)) for name, version in versions.items()),
        ],
    )
    yield table(
        "Policies compared",
        ("Policy and kind", "Wanted", "Waves", "Digest"),
        [
            (
                text(f"{name}: {kind}"),
                text(several[kind].wanted),
                text(", ".join(f"{wave.alerts} at {wave.after_s} s" for wave in several[kind].waves)),
                text(policy.digest(several[kind])),
            )
            for name, several in scenario.policies.items()
            for kind in scenario.kinds
        ],
    )
