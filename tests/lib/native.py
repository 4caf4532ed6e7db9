# SPDX-License-Identifier: Apache-2.0
"""Calls of the native API, and its live stream, for the contract tests."""
import contextlib
import http.client
import json
import socket
import subprocess
import threading

import cloud
import waiting
from dev import DARI

PREFIX = "/api/v1"


def dump():
    return json.loads(subprocess.run([DARI, "dump", "native"], check=True, capture_output=True).stdout)


class Native(cloud.Project):
    """A project that calls /api/v1."""

    def api(self, method, path, body=None, **headers):
        return self.call(method, PREFIX + path, body, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def api_ok(self, method, path, body=None, **headers):
        answer = self.api(method, path, body, **headers)
        if answer.status == 401:  # a token ends after an hour, which a long script outlives on a slow machine
            self.sign_in()
            answer = self.api(method, path, body, **headers)
        assert answer.status < 300, f"{method} {path} {body}: {answer}"
        return answer.json

    def rows(self, path):
        """Rows of a list, page by page."""
        found, after = [], ""
        while True:
            page = self.api_ok("GET", f"{path}{'&' if '?' in path else '?'}limit=1000{after}")
            found += page["items"]
            if "next" not in page:
                return found
            after = "&after=" + page["next"]

    def watch(self, query="", **headers):
        return Stream(self, query, headers)


class Stream:
    """An open stream: a thread reads its events."""

    def __init__(self, project, query, headers, reads=True):
        self.events, self.is_over = [], False
        self.connection = http.client.HTTPConnection("127.0.0.1", project.dev.port, timeout=waiting.HANG_S)
        self.connection.request("GET", f"{PREFIX}/stream{query}", headers={"X-Auth-Token": project.token, **headers})
        self.socket = self.connection.sock  # the answer takes over the socket
        self.answer = self.connection.getresponse()
        self.status = self.answer.status
        if self.status == 200 and reads:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        event = {}
        try:
            for line in self.answer:
                name, _, value = line.decode().rstrip("\n").partition(": ")
                if name:
                    event[name] = value
                elif event:
                    self.events.append(event)
                    event = {}
        except (OSError, http.client.HTTPException, ValueError, AttributeError):  # closed by this side meanwhile
            pass
        self.is_over = True

    def of(self, name):
        return [dict(e, data=json.loads(e["data"])) for e in list(self.events) if e.get("event") == name]

    def rows(self):
        """The rows after applying all events, without null members: {(kind, id): row}."""
        rows = {}
        for event in self.of("rows"):
            for put in event["data"]["put"]:
                rows[put["kind"], put["row"]["id"]] = {k: v for k, v in put["row"].items() if v is not None}
            for gone in event["data"]["gone"]:
                rows.pop((gone["kind"], gone["id"]), None)
        return rows

    def soon(self, holds, what="what was awaited"):
        waiting.wait_until(holds, what, shows=lambda: self.events[-3:], every_s=0.01)

    def last_id(self):
        return [e["id"] for e in self.events if "id" in e][-1]

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


def own(dev):
    return Native(dev, cloud.said(dev, "OS_PROJECT_NAME"), cloud.said(dev, "OS_USERNAME"), cloud.said(dev, "OS_PASSWORD"))


def admin(dev):
    mine = cloud.admin(dev)
    return Native(dev, "admin", "admin", mine.password)


def another(dev, name):
    return cloud.another(dev, name, Native)


def image_of(dev):
    return next(i["id"] for i in admin(dev).rows("/images") if i["state"] == "available")


