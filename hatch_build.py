"""What a wheel needs beside its files: the C parts, compiled. `geo/compiled.py` says how and why."""

import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
sys.path.insert(0, str(ROOT))

from geo import compiled  # noqa: E402


class CompiledParts(BuildHookInterface[Any]):
    """An editable install has them built in place, a wheel takes them along."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        results = [self._built(ROOT / source) for source in self.config["sources"]]
        if version != "editable":
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data.update(pure_python=False, tag=f"py3-none-{platform}")
            build_data["force_include"].update({str(path): str(path.relative_to(ROOT)) for path in results})

    @staticmethod
    def _built(source: Path) -> Path:
        path = compiled.built_path(source)
        return path if path.exists() else compiled.build(source, path.parent)
