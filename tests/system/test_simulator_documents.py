"""The marked examples of the simulator's pages run, each page against a simulator of its own."""

import os
import re
import subprocess

import pytest

from simulator import ACCOUNT, TREE, Simulator

MARK = "<!-- run with a simulator -->\n"
BLOCK = re.compile("^" + MARK + r"```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PAGES = sorted((TREE / "docs").glob("simulator*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_marked_examples_run(tmp_path, page):
    text = page.read_text(encoding="utf-8")
    blocks = BLOCK.findall(text)
    assert blocks and len(blocks) == text.count(MARK)
    token = "0" * 31 + "2"  # the pages' own: no blanks that a shell would split
    sim = Simulator(tmp_path, auth_token=token)
    try:
        for block in blocks:
            done = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", block], cwd=TREE, timeout=60, text=True,
                env={**os.environ, "S": sim.url, "A": ACCOUNT, "T": token},
                stdin=subprocess.DEVNULL, capture_output=True, check=False)
            assert done.returncode == 0, (block, done.stdout, done.stderr)
            assert not any(word in done.stdout for word in ('"code":', "problem")), done.stdout
    finally:
        assert sim.stop() == 0
