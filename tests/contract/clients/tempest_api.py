#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/openstack
# when: long
"""Tempest, OpenStack's own tests of a cloud, as Debian ships it: a fixed selection of it against `dari dev`.

    tests/contract/clients/tempest_api.py [REGEX...]     those of the selection whose names the expressions find

tests/contract/clients/tempest.selection says which tests are meant and which are not, and why; tests/contract/clients/tempest.failing, which of those meant fail, and why.
A test that fails and is not in that list fails here; so does one that is and passes: the list can only become shorter. What
Tempest itself would skip has to be left out by name. Guests are simulated: nothing is asked of one by ssh."""
# limit: 5400 s
import http.server
import os
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import cloud  # noqa: E402
import tempest_run  # noqa: E402
from dev import WEB_ADDRESS, Dev  # noqa: E402
from waiting import HANG_S  # noqa: E402

# ---- tempest.conf for the region

def make_image(admin, name):
    """A small image that Tempest boots from."""
    image = admin.ok("POST", "/image/v2/images", {"name": name, "container_format": "bare", "disk_format": "raw",
                                                  "visibility": "public"})["id"]
    data = {"Content-Type": "application/octet-stream"}
    assert admin.call("PUT", f"/image/v2/images/{image}/file", raw=bytes(4096), headers=data).status == 204
    return image


def make_pool(admin):
    """The subnet pool for projects without networks."""
    pool = {"name": "default", "prefixes": ["10.200.0.0/16"], "default_prefixlen": 24, "is_default": True, "shared": True}
    admin.ok("POST", "/network/v2.0/subnetpools", {"subnetpool": pool})


class Disk(http.server.BaseHTTPRequestHandler):
    """A raw disk, under any path, for web imports."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4096")
        self.end_headers()
        self.wfile.write(bytes(4096))

    def log_message(self, *_):
        pass


def serve_disk():
    """URL of the disk, from which the region may download."""
    web = http.server.ThreadingHTTPServer((WEB_ADDRESS, 0), Disk)
    threading.Thread(target=web.serve_forever, daemon=True).start()
    return f"http://{WEB_ADDRESS}:{web.server_port}/disk.raw"


def settings(dev, folder):
    admin = cloud.admin(dev)
    make_pool(admin)
    images = [make_image(admin, name) for name in ("tempest", "tempest-other")]
    groups = tempest_run.settings(admin, dev.url, folder, images, limit_s=HANG_S)
    groups["image"]["http_image"] = serve_disk()
    return groups


def main():
    with tempfile.TemporaryDirectory(prefix="dari-tempest-") as folder, Dev(instant=False) as dev:
        passed, failed = tempest_run.run_selected(__file__, folder, settings(dev, folder), sys.argv[1:])
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
