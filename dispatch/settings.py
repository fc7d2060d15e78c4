"""Settings: from the environment (``DISPATCH_...``), checked at start, each with its meaning for ``--help``.

A secret never shows in a message or a log: it is a ``SecretStr``, and errors name the variable alone.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated
from urllib.parse import SplitResult, parse_qs, urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from dispatch.ids import may_be_id

PREFIX = "DISPATCH_"
OF_THE_TESTS = "DISPATCH_TEST_"


class SettingsError(ValueError):
    """A setting that can not be used; the text is one line that names the variable and the reason."""


def _http_url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("is not an http(s) URL without a query")
    _ensure_port(parts)
    return text.rstrip("/")


def _ensure_port(parts: SplitResult) -> None:
    """Raises ValueError, without what was given: where a password holds a slash, it stands there."""
    try:
        _ = parts.port
    except ValueError:
        raise ValueError(
            "its port is no number up to 65535 (in a password / is %2F, @ is %40, : is %3A)"
        ) from None


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise ValueError("is not a time zone such as Europe/Amsterdam") from None
    return text


def _dsn(text: SecretStr) -> SecretStr:
    parts = urlsplit(text.get_secret_value())
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError("is not a postgresql:// URL")
    login, at, hosts = parts.netloc.rpartition("@")
    for host in hosts.split(","):  # several hosts, each with a port of its own
        _ensure_port(parts._replace(netloc=f"{login}{at}{host}"))
    return SecretStr(_of_the_primary(text.get_secret_value(), hosts))


def _of_the_primary(dsn: str, hosts: str) -> str:
    """Of several servers the one that takes writes, unless it says otherwise: another may answer first."""
    query = urlsplit(dsn).query
    asked = parse_qs(query)
    if "target_session_attrs" in asked or not any("," in one for one in (hosts, *asked.get("host", ()))):
        return dsn
    return f"{dsn}{'&' if query else '?'}target_session_attrs=read-write"


def _id(text: str) -> str:
    if not may_be_id(text):
        raise ValueError("is not an id")
    return text


def _file(path: Path) -> Path:
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def default_data_dir() -> Path:
    """Where the embedded database lives unless told otherwise, by the XDG Base Directory Specification."""
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "responder-alert-dispatch"


Url = Annotated[str, AfterValidator(_http_url)]
File = Annotated[Path, AfterValidator(_file)]


class Settings(BaseSettings):
    """All settings. ``Settings()`` reads the environment; use ``read_settings`` for errors in one line."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, hide_input_in_errors=True, extra="ignore", env_ignore_empty=True
    )

    database_url: Annotated[SecretStr, AfterValidator(_dsn)] | None = Field(
        default=None,
        description="Postgres to use, as postgresql://... ; without it one is embedded in the data dir.",
    )
    public_url: Url | None = Field(
        default=None,
        description="Where the outside (Twilio) reaches this service, as https://... ; Twilio's signatures "
        "are checked against it. Without it there are no delivery reports and no answers by SMS.",
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] = Field(
        default="UTC",
        description="Time zone of medics' hours where they chose none, such as Europe/Amsterdam.",
    )
    twilio_account_sid: str | None = Field(default=None, description="Twilio account; without it SMS is off.")
    twilio_auth_token: SecretStr | None = Field(default=None, description="Twilio's auth token.")
    twilio_from: str | None = Field(default=None, description="The number that SMS are sent from (E.164).")
    twilio_messaging_service_sid: str | None = Field(
        default=None, description="A Twilio messaging service to send from, instead of a number."
    )
    twilio_api_url: Url | None = Field(
        default=None, description="Another base URL than Twilio's own, for a double."
    )
    policy_file: File | None = Field(
        default=None,
        description="TOML that overrides the shipped policies key by key; see `dispatch policy check`.",
    )
    codes_file: File | None = Field(
        default=None,
        description="TOML that maps a control room's codes to kinds: a table for each system, "
        'CODE = "kind" or "never" (never alert).',
    )

    watchdog_medic: Annotated[str, AfterValidator(_id)] | None = Field(
        default=None,
        description="Id of the medic with the test device that the watchdog's drills go to; without it there "
        "are none. She needs the skill `watchdog`, and is asked by nothing else.",
    )
    watchdog_s: int = Field(
        default=180, ge=20, le=3600, description="Seconds from one drill of the watchdog to the next."
    )
    key_requests_per_s: float = Field(
        default=200,
        gt=0,
        le=1_000_000,
        description="Requests a second that a key may make for long, ten times as many at once; more is 429.",
    )
    device_requests_per_s: float = Field(
        default=10,
        gt=0,
        le=1_000_000,
        description="Requests and frames a second that one medic's devices may make for long, ten times as "
        "many at once; more requests are 429, more frames wait.",
    )

    @model_validator(mode="after")
    def _twilio_whole(self) -> "Settings":
        senders = [self.twilio_from, self.twilio_messaging_service_sid]
        given = [self.twilio_account_sid, self.twilio_auth_token]
        if not any([*given, *senders]):
            return self
        if not all(given):
            raise ValueError("DISPATCH_TWILIO_ACCOUNT_SID and DISPATCH_TWILIO_AUTH_TOKEN belong together")
        if (senders[0] is None) == (senders[1] is None):
            raise ValueError(
                "give DISPATCH_TWILIO_FROM or DISPATCH_TWILIO_MESSAGING_SERVICE_SID, and not both, for SMS"
            )
        return self

    @property
    def sms_on(self) -> bool:
        return self.twilio_account_sid is not None


def read_settings() -> Settings:
    """The environment's settings. Raises SettingsError with one line."""
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_told(error))) from None


def _told(error: ValidationError) -> Iterator[str]:
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        name = f"{PREFIX}{fault['loc'][0]}".upper() + ": " if fault["loc"] else ""
        yield name + fault["msg"].removeprefix("Value error, ")


def unknown_variables() -> list[str]:
    """Variables that begin as ours and are none of ours: a slip of the pen, worth a warning."""
    known = {f"{PREFIX}{name}".upper() for name in Settings.model_fields}
    ours = (name for name in os.environ if name.startswith(PREFIX) and not name.startswith(OF_THE_TESTS))
    return sorted(name for name in ours if name not in known)


def explained() -> list[tuple[str, str]]:
    """Every variable with its meaning, for ``dispatch serve --help``."""
    return [
        (
            f"{PREFIX}{name}".upper(),
            (field.description or "") + (f" Default {field.default}." if field.default is not None else ""),
        )
        for name, field in Settings.model_fields.items()
    ]
