"""Starts a broker and three databases, says as JSON which variables name them, and stops them when its input ends."""

import json
import sys

from tests.conftest import started
from tests.mutation.stores import NAMES

if __name__ == "__main__":
    with started() as (brokers, uris):
        found = {"LINLI_KAFKA": brokers, **{f"LINLI_MONGO_{name.upper()}": uri for name, uri in uris.items()}}
        sys.stdout.write(json.dumps({name: found[name] for name in NAMES}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
