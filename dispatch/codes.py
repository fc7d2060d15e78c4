"""A control room's own codes (of its triage system) mapped to our kinds, or to "never alert".

The file is TOML, one table for each system::

    [mpds]
    "09E01" = "cardiac_arrest"
    "23C01" = "never"
"""

import tomllib
from collections.abc import Container, Mapping
from pathlib import Path

NEVER = "never"
Codes = Mapping[tuple[str, str], str]


class CodesError(ValueError):
    """A file of codes that can not be used; the text names file, key and reason in one line."""


def read_codes(path: Path, kinds: Container[str]) -> Codes:
    """The kind, or ``never``, by (system, value). Raises CodesError."""
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CodesError(f"{path}: can not be read as TOML: {error}") from None
    codes: dict[tuple[str, str], str] = {}
    for system, table in tables.items():
        if not isinstance(table, dict):
            raise CodesError(f"{path}: {system}: stands outside any system; put it below [SYSTEM]")
        for value, kind in table.items():
            if not isinstance(kind, str) or (kind != NEVER and kind not in kinds):
                raise CodesError(f'{path}: {system}.{value}: is neither a known kind nor "{NEVER}"')
            codes[system, value] = kind
    return codes
