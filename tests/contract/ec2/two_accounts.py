#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# when: always
# subjects: src/api/ec2 src/engine/resolve src/auth/guard
"""Two accounts: nothing of one's is seen or changed by the other, in no action and for no kind of
resource, and the answer is what an id that does not exist gets, but for the id."""
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
from dev import ASKED, Dev, Unchanged, describes, dump  # noqa: E402
from world import ABSENT_DIGITS, HOSTS, ID, World, ids_in, wire  # noqa: E402

TABLES = dump()
ACTIONS = {a["name"]: a for a in TABLES["actions"] if a["service"] == "ec2"}


@pytest.fixture(scope="module")
def worlds():
    with Dev(*HOSTS) as dev:
        yield World(dev.account, TABLES), World(dev.new_account("theirs"), TABLES)


@pytest.fixture(scope="module")
def unchanged(worlds):
    it = Unchanged(TABLES, *(world.account for world in worlds))
    yield it
    it.ends()


@pytest.fixture(scope="module")
def strangers(worlds):
    """Of the other account, one of each kind; which stays so, for nothing changes."""
    return one_of_each(worlds[1])


def all_ids(world):
    """Everything that an account sees."""
    found = set()
    for answer in world.account.call_all([(name, {}) for name in describes(TABLES)]):
        found |= set(ids_in(answer.text))
    return found - world.public


def by_kind(ids):
    """One of each kind."""
    return {identifier.rpartition("-")[0]: identifier for identifier in sorted(ids)}


def one_of_each(world):
    """Likewise, of what is alive where there is such."""
    return {**by_kind(all_ids(world)), **{label: i for label, i in world.ids.items() if " " not in label and i not in world.public}}


def all_texts(world):
    """Every word that an account reads in its lists."""
    answers = world.account.call_all([(name, {}) for name in describes(TABLES)])
    return {e.text for answer in answers for e in answer.root.iter() if e.text} | set(world.names.values())


def test_nothing_is_shared(worlds):
    mine, theirs = (all_ids(world) for world in worlds)
    assert len(by_kind(mine)) >= 10 and by_kind(mine).keys() == by_kind(theirs).keys()
    assert not mine & theirs


def tell_apart(text, identifier):
    return re.sub(r"<(request(?:Id|ID)|RequestI[dD])>[^<]*", "", text.replace(identifier, "ID"))


# Whatever is named, a peering is made, and has failed: tests/golden/ec2/CreateVpcPeeringConnection.
FAILS_LATER = {("CreateVpcPeeringConnection", "PeerVpcId")}


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if any(p.get("form") == "id" for p in ACTIONS[a]["params"])))
def test_by_id(action, worlds, strangers, unchanged):
    """Each parameter that takes an id, with each kind of resource of the other account."""
    mine, wrong = worlds[0], []
    for param in [p for p in ACTIONS[action]["params"] if p.get("form") == "id" and (action, p["name"]) not in FAILS_LATER]:
        for kind, identifier in strangers.items():
            request, nobody = mine.request(action, param), NOBODYS_FLEET if kind == "fleet" else f"{kind}-{ABSENT_DIGITS}"
            answers = [mine.account.call(action, {**request, wire(param["name"]): value}) for value in (identifier, nobody)]
            if tell_apart(answers[0].text, identifier) != tell_apart(answers[1].text, nobody):
                wrong.append(f"{wire(param['name'])}={kind}-…: {answers[0]} where nobody's gets {answers[1]}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert unchanged.holds_so_far(), "something has changed, in this test or one of the seven before it"


NOBODYS_FLEET = "fleet-01234567-89ab-cdef-0123-456789abcdef"  # their ids are whole UUIDs
# Parameters that take a name or a number of an account's own, and one that is nobody's.
NOBODYS = {"KeyName": "only-nobodys", "LaunchTemplateName": "only-nobodys", "GroupName": "only-nobodys", "SecurityGroup": "only-nobodys", "PublicIp": "192.0.2.77",
           "Owner": "999999999999", "ExecutableBy": "999999999999", "RestorableBy": "999999999999"}
MAKES_NAMES = ("CreateKeyPair", "ImportKeyPair", "CreateSecurityGroup", "CreatePlacementGroup", "CreateLaunchTemplate")


def named(action):
    """But what a launch template or a fleet's override says: its launch looks that up."""
    return [p for p in ACTIONS[action]["params"] if not p["name"].startswith(("LaunchTemplateData.", "LaunchTemplateConfigs.")) and
            p["name"].removesuffix(".N").split(".")[-1] in NOBODYS and action not in MAKES_NAMES]


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if named(a)))
def test_by_name(action, worlds, unchanged):
    """Names, public addresses and account numbers: as what nobody has."""
    (mine, theirs), wrong = worlds, []
    number = theirs.account.ok("DescribeVpcs").first(".//ownerId")
    for param in named(action):
        leaf = param["name"].removesuffix(".N").split(".")[-1]
        request, values = mine.request(action, param), (theirs.names.get(leaf, number), NOBODYS[leaf])
        answers = [mine.account.call(action, {**request, wire(param["name"]): value}) for value in values]
        if tell_apart(answers[0].text, values[0]) != tell_apart(answers[1].text, values[1]):
            wrong.append(f"{wire(param['name'])}={values[0]}: {answers[0]} where nobody's gets {answers[1]}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert unchanged.holds_so_far(), "something has changed, in this test or one of the seven before it"


@pytest.fixture(scope="module")
def words(worlds):
    """What the other account reads and this one does not."""
    mine, theirs = worlds
    return sorted(all_texts(theirs) - all_texts(mine))


OF_IDS = {("DescribeSecurityGroupRules", "group-id"): "sg-"}  # filters whose values are refused unless they are ids


def parts(words, prefix):
    """As many requests' values as there are words with that prefix."""
    words = [w for w in words if w.startswith(prefix)]
    assert words
    return [dict(zip((f"Filter.1.Value.{n}" for n in range(1, 151)), words[at:at + 150])) for at in range(0, len(words), 150)]


@pytest.mark.parametrize("action", sorted(a for a in ACTIONS if ACTIONS[a]["filters"]))
def test_by_filter(action, worlds, words):
    """Each filter, with each id and each word of the other account's: nothing is found."""
    assert len(words) > 100
    requests = [(action, {**ASKED.get(action, {}), **worlds[0].asked(action), "Filter.1.Name": name, **part}) for name in ACTIONS[action]["filters"]
                if not name.endswith(":") for part in parts(words, OF_IDS.get((action, name), ""))]
    for request, answer in zip(requests, worlds[0].account.call_all(requests)):
        assert answer.status == 200, f"{request}: {answer}"
        assert not ID.search(answer.text), f"{request[1]['Filter.1.Name']}: {answer}"


if __name__ == "__main__":
    sys.exit(pytest.main(["-q", "--maxfail=20", "--tb=short", "-p", "no:cacheprovider", "--import-mode=importlib", *sys.argv[1:], __file__]))
