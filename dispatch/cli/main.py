"""The way into the command line, kept small: Ctrl-C ends it quietly from its first moment on.

To import the commands takes a good part of a second, in which nothing is begun that would have to be ended.
"""

import signal


def main() -> None:
    """Runs the command that the arguments name; never returns."""
    # Not where Ctrl-C is ignored, as by a job in the background.
    ends_it = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if ends_it:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dispatch import garbage  # light, so that little is imported with the collector on

    garbage.not_while_starting()
    from dispatch.cli.commands import main as commands

    if ends_it:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        commands()
    finally:
        garbage.ends()
