"""Where ./dev setup keeps what Debian does not have."""

import hashlib
import os
import pathlib

TREE = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME", pathlib.Path.home() / ".cache")) / "smsq"


def _sum(*files):
    content = b"".join((TREE / file).read_bytes() for file in files)
    return hashlib.sha256(content).hexdigest()[:16]


PYTHON_FOLDER = CACHE / ("python-" + _sum("deploy/packages/python.txt"))
NODE_MODULES = CACHE / ("node-" + _sum("tests/clients/package-lock.json")) / "node_modules"
