#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/cloudstack
"""Each command of the CloudStack face, from its tables: unsigned, without each of what it requires, with each of its
parameters mutated by itself, and by somebody whom policies deny it. Each is refused in CloudStack's form
and words, and nothing has changed."""
import json
import os
import sys
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from cloudstack import admin_key, call, dump  # noqa: E402
from dev import Dev  # noqa: E402

ACTIONS = {a["name"]: a for a in dump()["actions"]}
SIGNED = sorted(n for n, a in ACTIONS.items() if not a["open"])
ABSENT = "b8dc7e2f-0000-4000-8000-000000000000"
# What is sent for a parameter of the type that cannot be meant.
WRONG = {"id": ["x", "i-0123456789abcdef0", ABSENT[:-1]], "integer": ["x", "1.5", "99999999999999999999"], "boolean": ["maybe"], "ip": ["x", "1.2.3"],
         "list of ids": ["x", ABSENT + ",x"], "cidr": ["x", "10.0.0.0/33"], "mac": ["x"]}
# Parameters that say for whom a command is called are read before the others, and have their own words.
OWNERS = {"account", "domainid", "projectid"}


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        yield region


@pytest.fixture(scope="module")
def admin(dev):
    return admin_key(dev)


@pytest.fixture(autouse=True)
def nothing_changes(request, dev, admin):
    """Nothing is committed, but for the audit log's records."""
    dev.rest()
    before = dev.commits()
    yield
    assert dev.commits() == before or ACTIONS[request.node.callspec.params["name"]]["recorded"] != "never"


def good(action):
    """Values that are right by themselves for all that the command requires."""
    values = {"id": ABSENT, "integer": "1", "boolean": "true", "list of ids": ABSENT, "ip": "10.0.0.1", "cidr": "10.0.0.0/16"}
    given = {}
    for p in action["params"]:
        if p["required"] and p["type"] == "list of objects":
            given.update({f"{p['name']}[0].key": "x", f"{p['name']}[0].value": "x"})
        elif p["required"] and "." not in p["name"]:
            given[p["name"]] = (p.get("words") or ("eA==" if p["base64"] else values.get(p["type"], "x"))).split("|")[0]
    return given


def check_refused(action, status, answer, name, code=431):
    assert (status, name) == (code, action["name"].lower() + "response"), answer
    assert answer["errorcode"] == code and answer["uuidList"] == [] and isinstance(answer["cserrorcode"], int) and answer["errortext"]


# Said of the answer's form: the protocol reads it.
OF_THE_PROTOCOL = {"response"}


def cloudstacks_own():
    with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "parameters.txt")) as lines:
        for line in lines:
            if not line.startswith("#"):
                name, _, parameters = line.partition(": ")
                yield name, set(parameters.split()) - OF_THE_PROTOCOL


@pytest.mark.parametrize("name, known", list(cloudstacks_own()))
def test_every_parameter_has_a_row(name, known):
    """Nothing that CloudStack obeys is ignored here."""
    rows = {word.partition(".")[0].lower() for p in ACTIONS[name]["params"] for word in p["name"].split("|")}
    assert not {p for p in known if p.lower() not in rows}


@pytest.mark.parametrize("name", ["listZones"])
def test_unknown_parameters_are_passed_over(dev, name):
    """CloudStack ignores them with every command."""
    status, answer, _ = call(dev, name, nosuchparameter="x")
    assert status == 200 and answer["zone"]


@pytest.mark.parametrize("name", SIGNED)
def test_unsigned(dev, name):
    for query in ["", "&apiKey=x&signature=x", "&sessionkey=x", f"&apiKey={dev.account.key_id}"]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{dev.port}/client/api?command={name}&response=json{query}")
        (inner,) = json.loads(refused.value.read()).values()
        assert refused.value.code == inner["errorcode"] == 401


@pytest.mark.parametrize("name", sorted(n for n in SIGNED if good(ACTIONS[n])))
def test_missing(dev, admin, name):
    action = ACTIONS[name]
    for parameter in sorted({k.split("[")[0] for k in good(action)}):
        given = {k: v for k, v in good(action).items() if k.split("[")[0] != parameter}
        for value in [None, ""]:  # an empty value is as good as none
            status, answer, wrapper = call(dev, name, **given, **({} if value is None else {parameter: value}), **admin)
            check_refused(action, status, answer, wrapper)
            assert answer["errortext"] == f"Unable to execute API command {name.lower()} due to missing parameter {parameter}"


@pytest.mark.parametrize("name", SIGNED)
def test_each_mutated(dev, admin, name):
    action = ACTIONS[name]
    for p in action["params"]:
        if "." in p["name"] or p["name"] in OWNERS or p["by_name"] or p["name"] in ("page", "pagesize"):
            continue
        values = list(WRONG.get(p["type"], []))
        values += ["_no_such_word_"] if p.get("words") else []
        values += ["x" * (p["max"] + 1)] if p["type"] == "string" and p.get("max") and p["max"] < 4096 and not p["base64"] else []
        values += [str(p["max"] + 1), str(p["min"] - 1)] if p["type"] == "integer" and p.get("max") and p["max"] < 2**31 else []
        for value in values if p["built"] else ["_no_such_value_"]:
            status, answer, wrapper = call(dev, name, **{**good(action), p["name"]: value}, **admin)
            check_refused(action, status, answer, wrapper)
            assert p["name"].lower() in answer["errortext"].lower(), (p["name"], value, answer)


@pytest.mark.parametrize("name", sorted(n for n in SIGNED if any(p["name"] == "page" for p in ACTIONS[n]["params"])))
def test_pages(dev, admin, name):
    for wrong in [{"page": "1"}, {"pagesize": "10"}, {"page": "1", "pagesize": "-1"}, {"page": "1", "pagesize": "501"}, {"page": "0", "pagesize": "1"}]:
        status, answer, wrapper = call(dev, name, **{**good(ACTIONS[name]), **wrong}, **admin)
        check_refused(ACTIONS[name], status, answer, wrapper)
    assert call(dev, name, **{**good(ACTIONS[name]), "page": "1", "pagesize": "1"}, **admin)[0] in (200, 431)


@pytest.mark.parametrize("name", sorted(n for n in SIGNED if ACTIONS[n]["of_account"]))
def test_for_whom(dev, name):
    """Nobody acts for an account in which he has no role, nor learns whether it is there."""
    action = ACTIONS[name]
    root = call(dev, "listAccounts")[1]["account"][0]["domainid"]
    for account in ["admin", "nobody"]:
        status, answer, wrapper = call(dev, name, **{**good(action), "account": account, "domainid": root})
        check_refused(action, status, answer, wrapper, 531)
        assert f"for account {account} in domain ROOT, permission denied" in answer["errortext"]
    if any(p["name"] == "projectid" for p in action["params"]):
        status, answer, wrapper = call(dev, name, projectid=ABSENT, **good(action))
        check_refused(action, status, answer, wrapper)


@pytest.mark.parametrize("name", sorted(n for n in SIGNED if ACTIONS[n]["admin"]))
def test_for_administrators(dev, name):
    status, answer, wrapper = call(dev, name, **good(ACTIONS[name]))
    check_refused(ACTIONS[name], status, answer, wrapper, 401)


@pytest.fixture(scope="module")
def nobody(dev):
    """A user of the account's whom no policy allows anything."""
    iam = dev.account.client("iam")
    iam.create_user(UserName="nobody")
    key = iam.create_access_key(UserName="nobody")["AccessKey"]
    return {"_key": key["AccessKeyId"], "_secret": key["SecretAccessKey"]}


@pytest.mark.parametrize("name", sorted(n for n in SIGNED if not ACTIONS[n]["for_all"]))
def test_policies_decide(dev, nobody, name):
    """One evaluator decides for every face: IAM's user without a policy may call nothing."""
    status, answer, wrapper = call(dev, name, **good(ACTIONS[name]), **nobody)
    check_refused(ACTIONS[name], status, answer, wrapper, 401)
    assert answer["errortext"].startswith(f"The given command '{name}' either does not exist, is not available for user")


@pytest.mark.parametrize("name", SIGNED)
def test_commands_in_any_case(dev, name):
    """Names of commands and of parameters are compared in any case; what nobody knows is ignored."""
    action = ACTIONS[name]
    if action["writes"] or not action["params"]:
        return
    one = call(dev, name, **good(action))
    other = call(dev, name.upper(), **{k.upper(): v for k, v in good(action).items()}, noSuchParameter="x")
    assert one == other


@pytest.mark.parametrize("name", dump()["left_out"])
def test_left_out(dev, name):
    """What docs/coverage.md says is left out is not built, and answers what a command that nobody knows does."""
    assert name not in ACTIONS
    status, answer, wrapper = call(dev, name)
    assert (status, answer["errorcode"], wrapper) == (432, 432, "errorresponse") and name in answer["errortext"]


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
