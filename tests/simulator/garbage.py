"""The garbage collector while a world runs.

Left to itself it looks through the world, and through all else that the process has, again and again: a tenth
of a run. Nothing that runs needs it, and in tens of megabytes a whole run has room. A world looks for its
garbage itself when it is over, since a future may lie there whose exception nobody has asked for.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def looked_for_by_the_world() -> Iterator[None]:
    """Nothing is collected meanwhile; afterwards what was made then, and nothing that was there before."""
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.collect()
        gc.unfreeze()
        if was_on:
            gc.enable()
