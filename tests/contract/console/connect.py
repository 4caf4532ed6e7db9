#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/daemon/environment src/api/native/sign_in
"""Snippets of the page "CLI & SDK setup" work as shown: a key is created on the page, the stock client of each tab runs the blocks, and the page's
indicator turns on. Over TLS, which az requires."""
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
from azure import Cloud  # noqa: E402
from console import go  # noqa: E402
from dev import Dev  # noqa: E402

BLOCKS = "return [...document.querySelectorAll('.block pre')].map(pre => pre.textContent)"
LIGHT = "return document.querySelector('main .card .head h2').innerText"


@pytest.fixture(scope="module")
def dev():
    with Dev("--tls") as region:
        yield region


@pytest.fixture(scope="module")
def page(dev):
    """The page with a new key."""
    with web.browser(insecure=True) as b:
        b.size(1280)
        b.open(web.link_of(dev))
        b.until("return document.querySelector('nav.side')", what="the frame of the pages")
        go(b, dev, "connect")
        b.click("return [...document.querySelectorAll('main button')].find(e => e.innerText === 'Create access key')", what="the button")
        b.click("return [...document.querySelectorAll('dialog button')].find(e => e.innerText === 'Create')", what="the dialog's button")
        b.until_text("waiting for its first call")
        yield b


def run_blocks(dev, page, tool, home, **env):
    """Output of a tab's blocks, pasted into one shell."""
    page.click(f"return [...document.querySelectorAll('[role=group] button')].find(e => e.innerText === '{tool}')", what=f"the tab {tool}")
    done = subprocess.run(["/bin/bash", "-e"], input="\n".join(page.run(BLOCKS)), capture_output=True, text=True, check=False,
                          env={"PATH": "/usr/bin:/bin", "HOME": str(home), **env})
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_az(dev, page, tmp_path):
    """Its tenant is the account's domain; the page shows what the key was used for."""
    ca = Cloud(dev).ca
    said = run_blocks(dev, page, "az", tmp_path, AZURE_CORE_COLLECT_TELEMETRY="0", REQUESTS_CA_BUNDLE=ca)
    assert '"state": "Enabled"' in said and "dari-default" in said
    page.until(f"{LIGHT}.includes('for azure')", what="the light")


def test_curl(dev, page, tmp_path):
    assert '"items"' in run_blocks(dev, page, "curl", tmp_path, CURL_CA_BUNDLE=Cloud(dev).ca)


def test_nothing_was_reported(page):
    assert not page.faults()


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
