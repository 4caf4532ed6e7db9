# SPDX-License-Identifier: Apache-2.0
"""CloudStack's request formats: GET and POST, signatures and their expiry, JSON and XML, unusual texts."""
import contextlib
import datetime
import json
import urllib.parse
import xml.etree.ElementTree as ET

import cloudstack as lib
from cloudstack import call, sign
from dev import Dev

ACTIONS = {a["name"]: a for a in lib.dump()["actions"]}
LISTS = sorted(n for n, a in ACTIONS.items() if n.startswith("list") and not a["open"] and not a["admin"] and not any(p["required"] for p in a["params"]))
TEXTS = ["plain", "a b+c&d=e%", "다리 \u00fc \U0001f309", "<&>\"'", "a*b~c", "line\nline\ttab"]
NOW = datetime.datetime.now(datetime.timezone.utc)
IN_AN_HOUR, AN_HOUR_AGO = ((NOW + datetime.timedelta(hours=h)).strftime("%Y-%m-%dT%H:%M:%S+0000") for h in (1, -1))
SIGNATURES = {  # further signed parameters → the status
    "plain": ({}, 200), "version 2": ({"signatureversion": "2"}, 200),
    "in time": ({"signatureversion": "3", "expires": IN_AN_HOUR}, 200), "too late": ({"signatureversion": "3", "expires": AN_HOUR_AGO}, 401),
    "never": ({"signatureversion": "3"}, 401), "no time": ({"signatureversion": "3", "expires": "tomorrow"}, 401),
    "other letters": ({"signatureVersion": "3", "EXPIRES": AN_HOUR_AGO}, 401)}
BAD_COMMANDS = {"noSuchCommand": 432, "list": 432, "listZonesX": 432}


def signed(dev, given, change=lambda parameters: parameters):
    """(status, text) of a request with exactly these parameters."""
    parameters = {"apiKey": dev.account.key_id, **given}
    parameters["signature"] = sign(dev.account.secret, parameters)
    return lib.send(dev.port, urllib.parse.urlencode(change(parameters), quote_via=urllib.parse.quote), False)


class CloudStack:
    name = "cloudstack"
    actions = ACTIONS
    cases = {
        "get_and_post": LISTS, "xml": LISTS, "signature": list(SIGNATURES), "strangers": ["changed", "of nobody", "of two"], "bad_command": list(BAD_COMMANDS),
        "text_comes_back": TEXTS, "methods": ["PUT", "DELETE", "PATCH", "OPTIONS"]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            yield dev

    def get_and_post(self, dev, name):
        got, posted = call(dev, name), call(dev, name, post=True)
        assert got[0] == 200 and got[2] == name.lower() + "response" and got == posted, f"{got} {posted}"

    def xml(self, dev, name):
        """XML, by default and on request, has the same content as JSON."""
        parameters = {"command": name}
        (status, plain), (_, named) = signed(dev, parameters), signed(dev, {**parameters, "response": "xml"})
        root, said = ET.fromstring(plain), call(dev, name)[1]
        assert status == 200 and root.tag == name.lower() + "response" and plain == named, plain
        assert [r.tag for r in root] == [k for k, v in said.items() for _ in (v if isinstance(v, list) else [v])], f"{plain[:300]} {said}"

    def signature(self, dev, how):
        more, status = SIGNATURES[how]
        answer = signed(dev, {"command": "listZones", "response": "json", **more})
        assert answer[0] == status, answer
        assert status == 200 or json.loads(answer[1])["listzonesresponse"]["errorcode"] == 401, answer

    def strangers(self, dev, how):
        def change(parameters):
            if how == "changed":
                return {**parameters, "signature": parameters["signature"].swapcase()}
            return {**parameters, "apiKey": "nobody's"} if how == "of nobody" else {**parameters, "command": "listUsers"}
        status, text = signed(dev, {"command": "listZones", "response": "json"}, change)
        (said,) = json.loads(text).values()
        assert (status, said["errorcode"]) == (401, 401), text

    def bad_command(self, dev, name):
        status, said, wrapper = call(dev, name)
        assert (status, said["errorcode"], wrapper) == (BAD_COMMANDS[name], BAD_COMMANDS[name], "errorresponse"), said

    def text_comes_back(self, dev, text):
        """A description is returned unchanged, by GET and by POST."""
        for post in (False, True):
            name = f"{TEXTS.index(text)}-{post}"
            made = lib.ok(dev, "createAffinityGroup", name=name, type="host anti-affinity", description=text, post=post)["affinitygroup"]
            (listed,) = call(dev, "listAffinityGroups", name=name, post=post)[1]["affinitygroup"]
            assert made["description"] == listed["description"] == text, listed

    def methods(self, dev, method):
        """Other methods are refused, and the server keeps working."""
        answer = dev.account.send(method, "/client/api?command=listZones&response=json", {})
        assert 400 <= answer.status < 500, answer
        assert call(dev, "listZones")[0] == 200
