"""The command line. Machine-readable to stdout, all else to stderr; exit 0 done, 1 failed, 2 wrong use.

Heavy modules are imported by the command that needs them, so that ``--help`` is there at once.
"""

import sys
from contextlib import closing
from pathlib import Path

import click

from dispatch import garbage
from dispatch.cli.db import db_group
from dispatch.cli.keys import keys_group
from dispatch.cli.medics import medics_group
from dispatch.cli.options import FAILED, data_dir_option, json_option, plainly, to_json
from dispatch.cli.replay import replay_command
from dispatch.cli.simulate import simulate_command


class _ServeCommand(click.Command):
    """Its help explains the settings, which stand in one place with their checks."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        from dispatch.settings import explained

        with formatter.section("Settings, by environment"):
            formatter.write_dl(explained())


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="responder-alert-dispatch", message="%(version)s")
def main() -> None:
    """Alerts the volunteer medics who can be at a casualty before the ambulance."""


main.add_command(keys_group)
main.add_command(medics_group)
main.add_command(db_group)
main.add_command(replay_command)
main.add_command(simulate_command)


@main.command("serve", cls=_ServeCommand)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option(
    "--port", default=8000, show_default=True, type=click.IntRange(0, 65535), help="0: any free one."
)
@data_dir_option
@plainly
def serve_command(host: str, port: int, data_dir: Path) -> None:
    """Run the service until Ctrl-C or SIGTERM."""
    from dispatch.settings import read_settings, unknown_variables

    settings = read_settings()

    from dispatch import logs
    from dispatch.kinds import read_kinds
    from dispatch.listening import listening_socket

    logs.set_up()
    for name in unknown_variables():
        logs.logger(__name__).warning("this setting is not known", variable=name)
    with closing(listening_socket(host, port)) as bound:
        kinds = read_kinds(settings)

        # What the operator gave is right: only now what takes a second and more to import.
        import asyncio

        import uvloop

        from dispatch.serving import serve

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings, kinds, bound, data_dir))


@main.command("demo")
@click.option("--once", is_flag=True, help="Handle one incident, then stop.")
@json_option
@click.option("--port", type=click.IntRange(0, 65535), help="The service's; 0: any free one.")
@click.option("--medics", default=2000, show_default=True, help="How many simulated medics.")
@click.option("--speed", default=10.0, show_default=True, help="How many times faster than life.")
@click.option("--seed", default=1, show_default=True, help="Another seed, other medics and deeds.")
@click.option(
    "--calls",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A CSV of other emergency calls instead of the collisions in Dublin.",
)
@click.option("--calls-lat-column", "lat", help="Its column of latitudes; detected if not given.")
@click.option("--calls-lon-column", "lon", help="Its column of longitudes.")
@click.option("--calls-time-column", "time", help="Its column of times.")
@click.option("--calls-kind-column", "kind", help="Its column of kinds or titles.")
@click.option("--calls-address-column", "address", help="Its column of addresses.")
@click.option(
    "--data-dir", type=click.Path(path_type=Path, file_okay=False), help="Kept; else a temporary one."
)
def demo_command(
    once: bool,
    as_json: bool,
    port: int | None,
    medics: int,
    speed: float,
    seed: int,
    calls: Path | None,
    data_dir: Path | None,
    **columns: str | None,
) -> None:
    """Watch real collisions become alerts on simulated medics' phones, through the real service."""
    from simulations.calls import CallColumns
    from simulations.demo.command import DemoOptions, run

    options = DemoOptions(
        once=once,
        as_json=as_json,
        port=port,
        medics=medics,
        speed=speed,
        seed=seed,
        calls=calls,
        columns=CallColumns(**columns),
        data_dir=data_dir,
    )
    garbage.started()
    sys.exit(run(options))


@main.group("policy")
def policy_group() -> None:
    """Policies: how each kind of incident is alerted."""


@policy_group.command("check")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@json_option
def check_policy(file: Path, as_json: bool) -> None:
    """Check FILE as DISPATCH_POLICY_FILE would be; prints each kind with its policy's hash."""
    from dispatch.core.policy import PolicyError, digest, override
    from dispatch.kinds import SENT_BY, reaching_nobody

    try:
        policies = override(file.read_text("utf-8"), file=str(file))
    except PolicyError as error:
        click.echo(f"dispatch: {error}", err=True)
        sys.exit(FAILED)
    except (OSError, UnicodeError) as error:
        click.echo(f"dispatch: {file}: can not be read: {error}", err=True)
        sys.exit(FAILED)
    if (told := reaching_nobody(policies, SENT_BY)) is not None:
        click.echo(f"dispatch: {file}: {told}", err=True)
    if as_json:
        click.echo(to_json({kind: {"hash": digest(one), "policy": one} for kind, one in policies.items()}))
        return
    for kind, policy in policies.items():
        click.echo(f"{kind} {digest(policy)}")
