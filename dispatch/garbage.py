"""The garbage collector's pauses, kept rare.

A collection stands in the way of every alert while it looks: for 20 ms at what one second of load has made,
for a good part of a second at everything that a node with thousands of sockets has. So nothing that is done
over and over leaves objects in a cycle, and all of it is freed without the collector (a test in tests/api
holds it to that); looked for is only when there are ever more objects, and never at what a start made.

A command imports far more than it makes, and all of that stays: it is looked at neither as it grows nor when
the process ends.
"""

import gc

MORE_MAX = 50_000
"""More objects than at the last look after which there is another, of those that are new: some 50 ms. A life
from its report to its close makes none that stay, a thousand sockets some 60,000."""
LOOKS_MAX = 100
"""Looks at what is new after which whatever came since the start is looked at."""


def not_while_starting() -> None:
    """No collection of the whole process before `started`.

    What a start imports and makes stays, the roster above all: to look at it again and again as it grows
    takes a fifth of the time that it is imported and read in.
    """
    gc.disable()


def started() -> None:
    """From now on there are collections, of what is made from now on."""
    gc.freeze()
    gc.enable()


def serving() -> None:
    """The same, and as rarely as a service can afford. Of the whole process."""
    gc.set_threshold(MORE_MAX, LOOKS_MAX, LOOKS_MAX)
    started()


def ends() -> None:
    """Nothing is collected any more, though Python would look at everything: it all goes with the process."""
    gc.freeze()
    gc.disable()
