"""A service of the test's own, ended whatever happens."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.service.serving import Serving


@pytest.fixture
async def serving(tmp_path: Path) -> AsyncIterator[Serving]:
    service = Serving(tmp_path / "data")
    await service.start()
    try:
        yield service
    finally:
        if service.process is not None and service.process.returncode is None:
            await service.stop()
        await service.until_no_postgres()
