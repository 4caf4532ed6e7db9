#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two accounts: nothing of one's is seen or changed by the other, in no action and for no kind of
resource, and the answer is what an id that does not exist gets, but for the id."""
# limit: 120 s
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from dev import Dev, describes, digest, dump  # noqa: E402
from world import ABSENT_DIGITS, ID, World, ids_in, wire  # noqa: E402

TABLES = dump()
ACTIONS = {a["name"]: a for a in TABLES["actions"] if a["service"] == "ec2"}


@pytest.fixture(scope="module")
def worlds():
    with Dev() as dev:
        yield World(dev.account, TABLES), World(dev.new_account("theirs"), TABLES)


def all_ids(world):
    """Everything that an account sees."""
    found = set()
    for answer in world.account.call_all([(name, {}) for name in describes(TABLES)]):
        found |= set(ids_in(answer.text))
    return found - world.public


def by_kind(ids):
    """One of each kind."""
    return {identifier.rpartition("-")[0]: identifier for identifier in sorted(ids)}


def test_nothing_is_shared(worlds):
    mine, theirs = (all_ids(world) for world in worlds)
    assert len(by_kind(mine)) >= 10 and by_kind(mine).keys() == by_kind(theirs).keys()
    assert not mine & theirs


def tell_apart(text, identifier):
    return re.sub(r"<(request(?:Id|ID)|RequestI[dD])>[^<]*", "", text.replace(identifier, "ID"))


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if any(p.get("form") == "id" for p in ACTIONS[a]["params"])))
def test_by_id(action, worlds):
    """Each parameter that takes an id, with each kind of resource of the other account."""
    mine, theirs = worlds
    before, strangers, wrong = digest(TABLES, mine.account, theirs.account), by_kind(all_ids(theirs)), []
    for param in [p for p in ACTIONS[action]["params"] if p.get("form") == "id"]:
        for kind, identifier in strangers.items():
            request, nobody = mine.request(action, param), f"{kind}-{ABSENT_DIGITS}"
            answers = [mine.account.call(action, {**request, wire(param["name"]): value}) for value in (identifier, nobody)]
            if tell_apart(answers[0].text, identifier) != tell_apart(answers[1].text, nobody):
                wrong.append(f"{wire(param['name'])}={kind}-…: {answers[0]} where nobody's gets {answers[1]}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert digest(TABLES, mine.account, theirs.account) == before, "something has changed"


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if ACTIONS[a]["filters"]))
def test_by_filter(action, worlds):
    """Each filter, with each id of the other account's: nothing of it is found."""
    mine, theirs = worlds
    strangers = by_kind(all_ids(theirs))
    requests = [(action, {"Filter.1.Name": name, **{f"Filter.1.Value.{n}": v for n, v in enumerate(strangers.values(), 1)}})
                for name in ACTIONS[action]["filters"] if not name.endswith(":")]
    for request, answer in zip(requests, mine.account.call_all(requests)):
        assert answer.status == 200, f"{request}: {answer}"
        assert not ID.search(answer.text), f"{request[1]['Filter.1.Name']}: {answer}"


def test_names(worlds):
    """Names are an account's own."""
    mine, theirs = worlds
    theirs.account.ok("CreateKeyPair", {"KeyName": "only-theirs"})
    answers = [mine.account.call("DescribeKeyPairs", {"KeyName.1": name}).same() for name in ("only-theirs", "only-nobodys")]
    assert answers[0].replace("only-theirs", "") == answers[1].replace("only-nobodys", "")
    mine.account.ok("DeleteKeyPair", {"KeyName": "only-theirs"})
    assert "only-theirs" in theirs.account.ok("DescribeKeyPairs").text


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
