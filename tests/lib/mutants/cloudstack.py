# SPDX-License-Identifier: Apache-2.0
"""CloudStack's commands that must be refused, in its form and words."""
import contextlib
import json
import urllib.error
import urllib.request

from cloudstack import admin_key, call, dump
from dev import Dev

from . import BY_HTTP, Mutants, Silent, texts

TABLES = dump()
ACTIONS = {a["name"]: a for a in TABLES["actions"]}
SIGNED = [n for n, a in ACTIONS.items() if not a["open"]]
ABSENT = "b8dc7e2f-0000-4000-8000-000000000000"
GOOD = {"id": ABSENT, "integer": "1", "boolean": "true", "list of ids": ABSENT, "ip": "10.0.0.1", "cidr": "10.0.0.0/16"}
# Parameters about the account are read before the others, and have their own messages; so have page parameters.
APART = {"account", "domainid", "projectid", "page", "pagesize"}


def good(action):
    """Valid values for all parameters that the command requires."""
    given = {}
    for p in action["params"]:
        if p["required"] and p["type"] == "list of objects":
            given.update({f"{p['name']}[0].key": "x", f"{p['name']}[0].value": "x"})
        elif p["required"] and "." not in p["name"]:
            given[p["name"]] = (p.get("words") or ("eA==" if p["base64"] else GOOD.get(p["type"], "x"))).split("|")[0]
    return given


def mutated(p):
    if not p["built"]:
        return ["_no_such_value_"]
    is_wide = p["type"] == "integer" and p.get("max", 0) >= 2**31
    return [*texts({**p, "min": 0, "max": 0} if is_wide else p), *([ABSENT[:-1]] if p["type"] == "id" else []),
            *([ABSENT + ",x"] if p["type"] == "list of ids" else [])]


class CloudStack(Mutants):
    name = "cloudstack"
    actions = ACTIONS
    unread = {"names": SIGNED, "headers": [n for n in SIGNED if not ACTIONS[n]["writes"]]}
    # com.cloud.api.ApiServlet.processRequestInContext() makes the command of the request's parameters alone.
    passed_over = {**BY_HTTP, **dict.fromkeys(("If-Match", "If-None-Match"), "com.cloud.api.ApiServlet")}
    cases = {
        "left_out": TABLES["left_out"],
        "strangers": SIGNED, "parameters": SIGNED, "missing": [n for n in SIGNED if good(ACTIONS[n])],
        "pages": [n for n in SIGNED if any(p["name"] == "page" for p in ACTIONS[n]["params"])],
        "for_whom": [n for n in SIGNED if ACTIONS[n]["of_account"]], "by_administrators": [n for n in SIGNED if ACTIONS[n]["admin"]],
        "nobody": [n for n in SIGNED if not ACTIONS[n]["for_all"]]}

    @contextlib.contextmanager
    def make(self):
        with Dev() as dev:
            made = Place(dev)
            yield made
            made.still.look()

    def refused(self, place, name, given, who, code=431, tried=None):
        """(complaint, the error's text)."""
        status, answer, wrapper = call(place.dev, name, **given, **who)
        fine = (status, wrapper) == (code, name.lower() + "response") and answer["errorcode"] == code and answer["uuidList"] == [] \
            and isinstance(answer["cserrorcode"], int) and answer["errortext"]
        return None if fine else f"{tried or given}: {status} {wrapper} {answer}", answer.get("errortext") or ""

    def strangers(self, place, name):
        for query in ["", "&apiKey=x&signature=x", "&sessionkey=x", f"&apiKey={place.dev.account.key_id}"]:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{place.dev.port}/client/api?command={name}&response=json{query}").close()
                yield f"{query}: was not refused"
            except urllib.error.HTTPError as refused:
                (inner,) = json.loads(refused.read()).values()
                if refused.code != 401 or inner["errorcode"] != 401:
                    yield f"{query}: {inner}"

    def missing(self, place, name):
        whole = good(ACTIONS[name])
        for parameter in sorted({k.split("[")[0] for k in whole}):
            given = {k: v for k, v in whole.items() if k.split("[")[0] != parameter}
            for value in ({}, {parameter: ""}):  # an empty value counts as absent
                why, text = self.refused(place, name, {**given, **value}, place.admin)
                if why or text != f"Unable to execute API command {name.lower()} due to missing parameter {parameter}":
                    yield f"without {parameter}: {why or text}"

    def parameters(self, place, name):
        for p in ACTIONS[name]["params"]:
            if "." in p["name"] or p["name"] in APART or p["by_name"]:
                continue
            for value in mutated(p):
                why, text = self.refused(place, name, {**good(ACTIONS[name]), p["name"]: value}, place.admin)
                if why or p["name"].lower() not in text.lower():
                    yield f"{p['name']}={value[:40]}: {why or text}"

    def pages(self, place, name):
        for wrong in [{"page": "1"}, {"pagesize": "10"}, {"page": "1", "pagesize": "-1"}, {"page": "1", "pagesize": "501"}, {"page": "0", "pagesize": "1"}]:
            why, _ = self.refused(place, name, {**good(ACTIONS[name]), **wrong}, place.admin)
            if why:
                yield why
        answer = call(place.dev, name, **good(ACTIONS[name]), page="1", pagesize="1", **place.admin)
        if answer[0] not in (200, 431):
            yield f"a good page: {answer}"

    def for_whom(self, place, name):
        """A caller cannot act for an account without a role there, or find out whether it exists."""
        for account in ["admin", "nobody"]:
            why, text = self.refused(place, name, {**good(ACTIONS[name]), "account": account, "domainid": place.root}, {}, 531)
            if why or f"for account {account} in domain ROOT, permission denied" not in text:
                yield why or text
        if any(p["name"] == "projectid" for p in ACTIONS[name]["params"]):
            why, _ = self.refused(place, name, {**good(ACTIONS[name]), "projectid": ABSENT}, {})
            if why:
                yield why

    def by_administrators(self, place, name):
        why, _ = self.refused(place, name, good(ACTIONS[name]), {}, 401)
        if why:
            yield why

    def nobody(self, place, name):
        """An IAM user without a policy may call nothing."""
        why, text = self.refused(place, name, good(ACTIONS[name]), place.nobody, 401)
        if why or not text.startswith(f"The given command '{name}' either does not exist, is not available for user"):
            yield why or text


    def told(self, place, name, headers):
        return call(place.dev, name, **good(ACTIONS[name]), **place.admin, _headers=headers)[:2]

    def names(self, place, name):
        """Names of commands and parameters are case-insensitive. CloudStack ignores unknown parameters:
        com.cloud.api.dispatch.ParamGenericValidationWorker only logs them. So the answer is the same for commands without side effects."""
        if not ACTIONS[name]["writes"]:
            given = good(ACTIONS[name])
            plain = call(place.dev, name, **given, **place.admin)
            asked = call(place.dev, name.upper(), **{k.upper(): v for k, v in given.items()}, colour="red", **{"colours[0].name": "red"}, **place.admin)
            if plain != asked:
                yield f"{plain[0]} {str(plain[1])[:150]}, and in other letters {asked[0]} {str(asked[1])[:150]}"

    def left_out(self, place, name):
        """Commands that `dari dump coverage` lists as left out answer like unknown commands."""
        status, answer, wrapper = call(place.dev, name)
        if (status, answer["errorcode"], wrapper) != (432, 432, "errorresponse") or name not in answer["errortext"] or name in ACTIONS:
            yield f"{status} {wrapper} {answer}"


class Place:
    """A region; its administrator's key, and the key of a user of the account without any policy."""

    def __init__(self, dev):
        self.dev, self.admin = dev, admin_key(dev)
        iam = dev.account.client("iam")
        iam.create_user(UserName="nobody")
        key = iam.create_access_key(UserName="nobody")["AccessKey"]
        self.nobody = {"_key": key["AccessKeyId"], "_secret": key["SecretAccessKey"]}
        self.root = call(dev, "listAccounts")[1]["account"][0]["domainid"]
        self.still = Silent(dev)
