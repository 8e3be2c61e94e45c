"""Servers that speak other runners' APIs."""

from collections.abc import Iterator

import pytest

from server import OTHERS
from tests.harness import Server, serving
from tests.web.apis.site import Site, opened


@pytest.fixture(scope="package")
def site() -> Iterator[Site]:
    """A web site of another origin, with codapi's widget in its page."""
    with opened() as running:
        yield running


@pytest.fixture(scope="package")
def limited(engine: None, site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server at which nobody has anything left."""
    folder = tmp_path_factory.mktemp("limited")
    origins, rate = [site.origin], "1 per 1 hour"
    with serving(folder, apis=[*OTHERS], allowed_origins=origins, rate_limit=rate, warm=0) as running:
        assert running.post({}).status_code == 400
        yield running
