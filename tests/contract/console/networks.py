#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: web src/api/native src/engine/network
"""The console's actions on networks, security groups, interfaces and addresses, in one browser: each dialog is opened by the keyboard, filled in and
sent by Enter; the API then shows the change."""
import json
import os
import sys

import pytest
from selenium.webdriver.common.keys import Keys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import browser as web  # noqa: E402
import native  # noqa: E402
from console import BRIEF, go, look  # noqa: E402
from dev import Dev  # noqa: E402


@pytest.fixture(scope="module")
def dev():
    with Dev() as region:
        region.ec2, region.mine = region.account.client(), native.own(region)
        image = region.ec2.describe_images()["Images"][0]["ImageId"]
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web-1"}]}]
        region.web = region.ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags)["Instances"][0]["InstanceId"]
        region.rest()
        yield region


@pytest.fixture(scope="module")
def page(dev):
    with web.browser() as b:
        b.size(1280)
        b.open(web.link_of(dev))
        b.until("return document.querySelector('nav.side')", what="the frame of the pages")
        yield b


def rows(dev, kind, **wanted):
    return [r for r in dev.mine.rows(f"/{kind}?fields=*") if all(r.get(name) == value for name, value in wanted.items())]


def named(dev, kind, name):
    return next(r for r in rows(dev, kind) if r.get("tags", {}).get("Name") == name or r.get("name") == name)


def press(b, words, within="main", at=0):
    """Finds a button by its text or label, and presses it as a keyboard does."""
    button = b.until("const [words, within, at] = arguments; return [...document.querySelectorAll(within + ' button, ' + within + ' a.b')]"
                     ".filter(e => !e.disabled && ((e.getAttribute('aria-label') ?? e.innerText).trim().replace(/…$/, '') === words))[at]", words, within, at, what=f"the button “{words}”")
    b.run("arguments[0].closest('.actions .sheet')?.parentNode.setAttribute('open', ''); arguments[0].focus()", button)
    button.send_keys(Keys.ENTER)


def fill(b, **values):
    """Fills the open dialog's fields: types texts, chooses options by text or value, and ticks boxes."""
    b.until("return document.querySelector('dialog[open] form')", what="the dialog")
    for name, value in values.items():
        field = b.until("return document.querySelector(`dialog[open] [name=${arguments[0]}]`)", name, what=f"the field {name}")
        if field.tag_name == "select":
            b.run("const [f, v] = arguments; f.value = [...f.options].find(o => o.text.startsWith(v) || o.value === v).value; f.dispatchEvent(new Event('input', {bubbles: true})); f.dispatchEvent(new Event('change', {bubbles: true}))", field, value)
        elif field.get_attribute("type") in ("checkbox", "radio"):
            b.run("const [name, v] = arguments; const f = [...document.querySelectorAll(`dialog[open] [name=${name}]`)].find(f => v === true || v === false || f.value === v); if (f.checked !== Boolean(v)) f.click()", name, value)
        else:
            field.send_keys(Keys.CONTROL, "a")
            field.send_keys(value)


def send(b, verb):
    """Command shown by the dialog. Sends it by Enter: the dialog closes unless the server refused."""
    said = b.until("const said = document.querySelector('.cmd pre')?.innerText; return said?.includes(arguments[0]) && said", verb, what=f"the command {verb}")
    assert "undefined" not in said and "null" not in said, said
    b.until("const button = document.querySelector('dialog[open] .bar.end button'); button?.focus(); return button", what="the dialog's button")
    b.press(Keys.ENTER)
    b.until("const d = document.querySelector('dialog[open]'); return !d || d.querySelector('[role=alert]')", what="the end of the dialog")
    assert not b.run("return document.querySelector('dialog[open]')?.innerText"), b.text()


def test_a_vpc_and_a_subnet(page, dev):
    go(page, dev, "networks")
    press(page, "Create VPC")
    fill(page, name="shop", block="10.20.0.0/16")
    page.press(Keys.ENTER)
    page.until("return location.pathname.includes('/networks/vpc-') && [...document.querySelectorAll('.map text')].some(x => x.textContent === '10.20.0.0/20 · ' + 'no internet route')", what="the new VPC's map")
    press(page, "Settings")
    fill(page, name="shop", names=True)
    send(page, "modify-vpc-attribute --vpc-id")
    assert named(dev, "routers", "shop")["dns_hostnames"]
    press(page, "Create subnet")
    assert page.until("return document.querySelector('dialog[open] input[name=block]')?.value").startswith("10.20.")
    fill(page, name="front", block="10.20.200.0/24", public=True)
    send(page, "aws ec2 create-subnet")
    made = named(dev, "subnets", "front")
    assert made["block"] == "10.20.200.0/24" and made["public_on_launch"]
    go(page, dev, f"networks/{made['ec2']}")
    press(page, "Settings")
    dev.ec2.create_tags(Resources=[made["ec2"]], Tags=[{"Key": "Name", "Value": "meanwhile"}])
    page.until("return document.querySelector('dialog[open]')?.innerText.includes('meanwhile')", what="that it was changed meanwhile")
    fill(page, name="back", public=False)
    send(page, "--no-map-public-ip-on-launch")
    made = named(dev, "subnets", "back")
    assert not made.get("public_on_launch")


def test_a_way_out_is_offered(page, dev):
    """A subnet without a way outside gets one: by the internet gateway in a separate table, and by a new NAT gateway."""
    back, vpc = named(dev, "subnets", "back"), named(dev, "routers", "shop")
    go(page, dev, f"networks/{back['ec2']}")
    press(page, "Connect to the internet")
    assert page.until("return [...document.querySelectorAll('dialog[open] input[name=way]')].map(f => f.value)") == ["internet"]
    page.until("return document.querySelector('.cmd pre').innerText.includes('associate-route-table')", what="the command of a table of its own")
    send(page, "gateway=$(aws ec2 create-internet-gateway")
    page.until("return !document.querySelector('.why')", what="that nothing is in its way")
    table = next(t for t in rows(dev, "route-tables", router=vpc["id"]) if t["id"] == named(dev, "subnets", "back")["route_table"])
    gateway = rows(dev, "gateways", router=vpc["id"])[0]
    assert [r["gateway"] for r in rows(dev, "routes", table=table["id"])] == [gateway["id"]]
    other = next(s for s in rows(dev, "subnets", router=vpc["id"]) if s["id"] != back["id"])
    go(page, dev, f"networks/{other['ec2']}")
    press(page, "Connect to the internet")
    fill(page, way="new-nat", alone=False)
    send(page, "nat=$(aws ec2 create-nat-gateway")
    dev.rest()
    nat = rows(dev, "nat-gateways", router=vpc["id"])[0]
    assert nat["subnet"] == back["id"] and nat["state"] == "available"
    assert [r["nat_gateway"] for r in rows(dev, "routes", table=vpc["main_route_table"])] == [nat["id"]]


def test_route_tables(page, dev):
    vpc = named(dev, "routers", "shop")
    go(page, dev, f"networks/{vpc['ec2']}")
    press(page, "Create route table")
    fill(page, name="edge")
    send(page, "create-route-table")
    edge = named(dev, "route-tables", "edge")
    page.until("return location.pathname.endsWith(arguments[0])", edge["ec2"], what="the page of the table")
    press(page, "Add route")
    fill(page, destination="192.0.2.0/24", target="Internet gateway")
    send(page, "create-route --route-table-id")
    page.until("return [...document.querySelectorAll('main td')].some(x => x.innerText === '192.0.2.0/24')", what="the route")
    route = rows(dev, "routes", table=edge["id"])[0]
    assert route["gateway"] and route["destination"] == "192.0.2.0/24"
    press(page, "Remove route to 192.0.2.0/24")
    page.until("return ![...document.querySelectorAll('main td')].some(x => x.innerText === '192.0.2.0/24')", what="the route gone")
    press(page, "Associate subnet")
    fill(page, subnet="back")
    send(page, "replace-route-table-association")
    assert named(dev, "subnets", "back")["route_table"] == edge["id"]
    press(page, "Disassociate back")
    page.until_text("uses the main route table")
    assert not named(dev, "subnets", "back").get("route_table")
    go(page, dev, f"networks/{named(dev, 'subnets', 'back')['ec2']}")
    press(page, "Change route table")
    fill(page, table="edge")
    send(page, "aws ec2 associate-route-table")
    assert named(dev, "subnets", "back")["route_table"] == edge["id"]
    press(page, "Change route table")
    fill(page, table=vpc["main_route_table"])
    send(page, "disassociate-route-table")
    go(page, dev, f"networks/{edge['ec2']}")
    press(page, "Delete")
    send(page, "delete-route-table")
    page.until("return location.pathname.endsWith(arguments[0])", vpc["ec2"], what="the VPC's page")


def test_network_acls(page, dev):
    vpc = named(dev, "routers", "shop")
    go(page, dev, f"networks/{vpc['ec2']}")
    press(page, "Create network ACL")
    fill(page, name="guard")
    send(page, "create-network-acl")
    guard = named(dev, "network-acls", "guard")
    page.until("return location.pathname.endsWith(arguments[0])", guard["ec2"], what="the page of the list")
    press(page, "Add rule")
    fill(page, number="120", allows="no", protocol="udp", ports="5000-5100", block="198.51.100.0/24")
    send(page, "--ingress --rule-number 120 --protocol udp --port-range From=5000,To=5100 --rule-action deny")
    press(page, "Add rule", at=1)
    assert page.until("return document.querySelector('dialog[open] input[name=number]')?.value") == "10"
    fill(page, protocol="any")
    send(page, "--egress --rule-number 10 --protocol -1 --rule-action allow")
    found = sorted((bool(e.get("egress")), e["number"], e["allows"], e["protocol"], e.get("from_port"), e["blocks"]) for e in rows(dev, "network-acl-entries", acl=guard["id"]))
    assert found == [(False, 120, False, 17, 5000, ["198.51.100.0/24"]), (True, 10, True, -1, -1, ["0.0.0.0/0"])]
    press(page, "Remove rule 120")
    page.until("return !document.body.innerText.includes('5000–5100')", what="the entry gone")
    press(page, "Associate subnet")
    fill(page, subnet="back")
    send(page, "replace-network-acl-association")
    assert named(dev, "subnets", "back")["acl"] == guard["id"]
    press(page, "Delete")
    page.until("return document.querySelector('dialog[open]').innerText.includes('Still in use by back')", what="what is in its way")
    page.press(Keys.ESCAPE)
    go(page, dev, f"networks/{named(dev, 'subnets', 'back')['ec2']}")
    press(page, "Change network ACL")
    send(page, "replace-network-acl-association")
    go(page, dev, f"networks/{guard['ec2']}")
    press(page, "Delete")
    send(page, "delete-network-acl")


def test_peerings(page, dev):
    vpc, other = named(dev, "routers", "shop"), next(r for r in rows(dev, "routers") if r.get("is_default"))
    go(page, dev, f"networks/{vpc['ec2']}")
    press(page, "Create peering connection")
    fill(page, peer=other["id"])
    send(page, "create-vpc-peering-connection")
    press(page, "Accept")
    page.until_text("active")
    peering = rows(dev, "peerings", router=vpc["id"])[0]
    table = vpc["main_route_table"]
    go(page, dev, f"networks/{next(t for t in rows(dev, 'route-tables') if t['id'] == table)['ec2']}")
    press(page, "Add route")
    fill(page, destination="172.31.0.0/16", target="Peering")
    send(page, "--vpc-peering-connection-id")
    assert [r["destination"] for r in rows(dev, "routes", peering=peering["id"])] == ["172.31.0.0/16"]
    go(page, dev, f"networks/{vpc['ec2']}")
    press(page, f"Delete {peering['ec2']}")
    send(page, "delete-vpc-peering-connection")
    dev.rest()
    assert rows(dev, "peerings", id=peering["id"])[0]["state"] == "deleted"


def test_groups(page, dev):
    go(page, dev, "security-groups")
    press(page, "Create security group")
    fill(page, name="db", description="databases", router=next(r["id"] for r in rows(dev, "routers") if r.get("is_default")))
    send(page, "create-security-group")
    db = named(dev, "security-groups", "db")
    go(page, dev, f"security-groups/{db['ec2']}")
    press(page, "Add rule")
    page.until("return document.querySelector('dialog[open]')", what="the form")
    press(page, "My IP 127.0.0.1", within="dialog[open]")
    send(page, "--port 22 --cidr 127.0.0.1/32")
    press(page, "Add rule")
    fill(page, ports="5432", peer="group", group="default")
    assert page.run("return [...document.querySelectorAll('dialog[open] label')].filter(x => x.offsetParent).map(x => x.querySelector('[name]').name)") == ["protocol", "ports", "peer", "group", "description"]
    send(page, "--source-group sg-")
    found = {(r["from_port"], r.get("peer_block"), bool(r.get("peer_group"))) for r in rows(dev, "security-group-rules", group=db["id"], direction="ingress")}
    assert found == {(22, "127.0.0.1/32", False), (5432, None, True)}
    press(page, "Name and description")
    fill(page, name="store", description="of the shop")
    page.until("return [...document.querySelectorAll('.cmd .chip')].map(x => x.innerText).join() === 'openstack,curl'", what="the tools that can do it")
    send(page, "openstack security group set --name store")
    assert rows(dev, "security-groups", id=db["id"])[0]["description"] == "of the shop"
    go(page, dev, "security-groups?show=matrix")
    cell = page.until("const table = document.querySelector('table.matrix'); if (!table) return; const at = [...table.querySelectorAll('thead th')].findIndex(x => x.innerText === 'store');"
                      "return [...table.querySelectorAll('tbody tr')].filter(tr => tr.querySelector('th').innerText === 'default').map(tr => tr.children[at].innerText)[0]", what="what default reaches in store")
    assert cell == "tcp 5432"


def test_many_groups(page, dev):
    """With more groups than a matrix holds, a list with a filter is shown."""
    for k in range(30):
        dev.mine.api_ok("POST", "/security-groups", {"name": f"g{k}", "description": "one of many"})
    go(page, dev, "security-groups?show=matrix")
    page.until("return !document.querySelector('table.matrix') && document.querySelector('#q')", what="the list").send_keys("5432")
    page.until("return [...document.querySelectorAll('main tbody tr')].map(tr => [...tr.children].map(td => td.innerText.trim()).join()).join() === 'default,store,tcp 5432'", what="what fits the filter")
    for r in rows(dev, "security-groups"):
        if r["description"] == "one of many":
            dev.mine.api_ok("DELETE", f"/security-groups/{r['id']}")


def test_interfaces_and_addresses(page, dev):
    subnet = next(s for s in rows(dev, "subnets") if s.get("is_default") and s["zone"] == rows(dev, "instances", ec2=dev.web)[0]["zone"])
    go(page, dev, "interfaces")
    press(page, "Create network interface")
    fill(page, subnet=subnet["id"], description="spare")
    send(page, "create-network-interface")
    port = rows(dev, "ports", description="spare")[0]
    go(page, dev, f"interfaces/{port['ec2']}")
    assert page.until("return [...document.querySelectorAll('main [role=toolbar] button')].find(e => e.textContent === 'Detach')", what="the button").get_attribute("disabled"), "it is attached to nothing"
    press(page, "Attach")
    fill(page, instance="web-1")
    send(page, "attach-network-interface")
    dev.rest()
    page.until("return [...document.querySelectorAll('main dd')].some(x => x.innerText === 'web-1')", what="whose it is")
    press(page, "Security groups")
    fill(page, groups=named(dev, "security-groups", "store")["id"])
    send(page, "modify-network-interface-attribute")
    port = rows(dev, "ports", id=port["id"])[0]
    assert port["instance"] and len(port["groups"]) == 2
    go(page, dev, "addresses")
    press(page, "Allocate Elastic IP")
    page.until("return [...document.querySelectorAll('tr[data-id]')].some(x => x.innerText.includes('unassociated'))", what="an address that leads nowhere")
    given = next(a for a in rows(dev, "addresses") if a["is_elastic"] and not a.get("port"))
    go(page, dev, f"addresses/{given['ec2']}")
    press(page, "Associate")
    fill(page, target=f"web-1, {port['ip']}")
    send(page, "--network-interface-id")
    assert rows(dev, "addresses", id=given["id"])[0]["port"] == port["id"]
    page.until("return ![...document.querySelectorAll('main button')].find(x => x.innerText === 'Disassociate').disabled", what="that it leads somewhere")
    press(page, "Disassociate")
    send(page, "disassociate-address")
    page.until_text("Address disassociated")
    go(page, dev, f"interfaces/{port['ec2']}")
    press(page, "Detach")
    send(page, "detach-network-interface")
    dev.rest()
    press(page, "Delete")
    send(page, "delete-network-interface")
    dev.rest()
    assert not [p for p in rows(dev, "ports", id=port["id"]) if p["state"] != "deleted"]


def test_the_end_of_a_vpc(page, dev):
    """Resources that prevent a deletion are named, and are deleted with it when nothing else uses them."""
    vpc = named(dev, "routers", "shop")
    back = named(dev, "subnets", "back")
    go(page, dev, f"networks/{back['ec2']}")
    press(page, "Delete")
    page.until("return document.querySelector('dialog[open]').innerText.includes('1 network interface still uses its addresses')", what="what is in its way")
    page.press(Keys.ESCAPE)
    go(page, dev, f"networks/{vpc['ec2']}")
    nat = next(n for n in rows(dev, "nat-gateways", router=vpc["id"]))
    press(page, f"Delete {nat['ec2']}")
    send(page, "delete-nat-gateway")
    dev.rest()
    go(page, dev, f"networks/{vpc['ec2']}")
    press(page, "Detach")
    send(page, "detach-internet-gateway")
    assert not rows(dev, "gateways", router=vpc["id"])
    press(page, "Attach internet gateway")
    page.until_text("Internet gateway attached")
    press(page, "Delete VPC")
    count = page.until("return /(\\d+) resources are deleted with it/.exec(document.querySelector('dialog[open]')?.innerText)?.[1]", what="what goes with it")
    field = page.run("return document.querySelector('dialog[open] input')")
    if field:
        field.send_keys(count)
    send(page, "delete-vpc --vpc-id")
    page.until("return location.pathname === '/console/networks'", what="the other networks")
    assert not [r for r in rows(dev, "routers") if r["id"] == vpc["id"]]


@pytest.mark.parametrize("path", ["networks/table", "networks/acl", "networks/subnet", "security-groups?show=matrix", "security-groups/group", "interfaces/port"])
def test_looks(page, dev, path):
    kinds = {"table": "route-tables", "acl": "network-acls", "subnet": "subnets", "group": "security-groups", "port": "ports"}
    name, _, word = path.partition("/")
    wrong = look(page, dev, f"{name}/{rows(dev, kinds[word])[0]['ec2']}" if word else path, BRIEF)
    assert not wrong, wrong
    if word == "" and "matrix" in path:
        page.size(360)
        go(page, dev, path)
        assert page.until("return document.querySelector('.matrix tbody th')?.offsetHeight") < 60
        page.size(1280)


def test_dialogs_look(page, dev):
    """The widest form, and one with a list."""
    axe = web.axe_source()
    for path, words in (("security-groups/" + rows(dev, "security-groups")[0]["ec2"], "Add rule"), ("networks/" + rows(dev, "network-acls")[0]["ec2"], "Add rule"), ("networks/" + rows(dev, "routers")[0]["ec2"], "Create subnet")):
        for width in (1280, 360):
            page.size(width)
            go(page, dev, path)
            press(page, words)
            page.until("return document.querySelector('dialog[open]')", what=words)
            assert not page.axe(axe) and not page.overflow() and not page.run("const d = document.querySelector('dialog'); return d.scrollWidth > d.clientWidth"), (path, width)
            page.press(Keys.ESCAPE)
            page.until("return !document.querySelector('dialog')", what="the dialog gone")
    page.size(1280)


def test_readers_see_no_verbs(dev):
    """A read-only user sees no buttons of changes, and a policy hides the actions that it denies."""
    iam = dev.account.client("iam")
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": ["ec2:CreateSubnet", "ec2:DeleteVpc", "ec2:CreateNetworkInterface"], "Resource": "*"}]}
    iam.create_user(UserName="ann")
    iam.put_user_policy(UserName="ann", PolicyName="most", PolicyDocument=json.dumps(document))
    key = iam.create_access_key(UserName="ann")["AccessKey"]
    with web.browser() as b:
        b.size(1280)
        b.open(dev.url + "/console/networks")
        b.click("return [...document.querySelectorAll('.sign button')].find(e => e.innerText === 'Access key')", what="the way in by a key")
        b.until("return document.querySelector('input[name=access_key]')", what="the field").send_keys(key["AccessKeyId"], Keys.TAB, key["SecretAccessKey"], Keys.ENTER)
        b.until("return document.querySelector('.map')", what="the map")
        b.until("return ![...document.querySelectorAll('main button')].some(x => /^Create subnet|^Delete VPC/.test(x.innerText))", what="no button for what is denied")
        assert b.run("return [...document.querySelectorAll('main button')].some(x => /^Create route table/.test(x.innerText))")
        go(b, dev, "interfaces")
        b.until("return document.querySelector('tr[data-id]') && ![...document.querySelectorAll('main button')].some(x => x.innerText === 'Create network interface')", what="no button to make one")
        assert not b.faults()


def test_nothing_was_reported(page):
    assert not page.faults()


if __name__ == "__main__":
    sys.exit(pytest.main([__file__, "-q", *sys.argv[1:]]))
