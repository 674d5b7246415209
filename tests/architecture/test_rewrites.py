"""firebase.json sends each path of the API to the function that serves it: the first that fits wins."""

from __future__ import annotations

import json

import pytest
from wcmatch import glob

from shared.web.openapi import AREAS
from tests.architecture.source import ROOT

REWRITES = json.loads((ROOT / "firebase.json").read_text(encoding="utf-8"))["hosting"]["rewrites"]
PATHS = [(route.path, function) for function, routes in AREAS.items() for route in routes]
WEBHOOKS = [(f"/webhooks/stripe/{endpoint}", "stripe_webhook") for endpoint in ("platform", "connect")]


@pytest.mark.parametrize(("path", "function"), [*PATHS, *WEBHOOKS])
def test_a_path_leads_to_its_function(path: str, function: str) -> None:
    plain = path.replace("{", "").replace("}", "")
    fitting = [
        rewrite["function"]["functionId"]
        for rewrite in REWRITES
        if glob.globmatch(plain, rewrite["source"], flags=glob.GLOBSTAR | glob.BRACE | glob.DOTGLOB)
    ]
    assert fitting[0] == function
