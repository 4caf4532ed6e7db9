#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
# subjects: src/api/ec2
"""The examples of the AWS CLI's documentation, as Debian's awscli carries them: each of a built action of EC2 that shows an
answer is sent, with ids of what is there, through the stock command in this process; each member that the documented answer
has must be in ours, of the same type. tests/lib/world/documented.py makes what an example needs besides. What differs has its
reason in DIFFERS; what cannot be sent, in UNSENT.

src/api/ec2/core/examples.def says how many of an action's examples were sent and equal; `tests/contract/ec2/examples.py --accept` rewrites it.
`tests/contract/ec2/examples.py --tell` prints what came of each."""
import contextlib
import glob
import io
import json
import os
import re
import shlex
import sys

import awscli
import awscli.clidriver

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../lib"))
import dev as ec2  # noqa: E402
from world import HOSTS, World  # noqa: E402
from world.documented import BEFORE, forget_file  # noqa: E402

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../..")
TABLE = os.path.join(ROOT, "src/api/ec2/core/examples.def")
EXAMPLES = os.path.join(os.path.dirname(awscli.__file__), "examples/ec2")
# Options that choose among existing resources, or format the output: the example's resources differ from these.
CHOOSING = {"--filters", "--filter", "--query", "--output", "--region", "--profile", "--max-items", "--max-results", "--starting-token",
            "--page-size", "--next-token", "--owners", "--executable-users", "--start-time", "--end-time", "--client-token"}
FILTERED = {"search-transit-gateway-routes"}  # needs a filter
TABLE_HEAD = """/* SPDX-License-Identifier: Apache-2.0
 * EXAMPLES(action, how many are answered alike, how many there are): the AWS CLI's documented examples that show an answer.
 * tests/contract/ec2/examples.py writes and holds it; `dari dump coverage` prints it. */
"""
ID = re.compile(r"\b(ipv6pool-ec2|[a-z]+(?:-[a-z]+)*)-(?:(?=\w*\d)[0-9a-z]{8,20}|[0-9a-z]+EXAMPLE)\b")

# Reasons why an example is not answered alike, and the examples: refused ones in UNSENT, differing ones in DIFFERS.
UNSENT = {
    "there is none of the kind here": """describe-fleets 1,
        describe-fleet-instances 1,
        describe-spot-fleet-requests 2, modify-spot-fleet-request 1, describe-traffic-mirror-targets 1, create-vpc-endpoint 2, create-vpc-endpoint 3,
        modify-vpc-endpoint 1, modify-vpc-endpoint 2, create-vpc-endpoint-service-configuration 1, create-instance-export-task 1""",
    "a parameter that is refused by name": """allocate-hosts 2, attach-network-interface 2, create-vpc 4,
        modify-vpc-peering-connection-options 1, modify-vpc-peering-connection-options 2, register-image 1,
        create-flow-logs 1, create-vpc-endpoint-service-configuration 2""",
    "transit gateways are not shared among accounts here, so no attachment awaits acceptance": "accept-transit-gateway-vpc-attachment 1",
    "the documentation names no fleet in the parameter that the command has": "modify-fleet 1, modify-spot-fleet-request 2",
    "it needs a start time, and those of examples are left out": "describe-fleet-history 1",
    "a format of disks that is not read here": "import-image 1",
    "its end date has passed": "create-capacity-reservation 2",
    "an earlier example has cancelled its reservation": "modify-capacity-reservation 1",
    "the documentation's id of an instance is none": """modify-instance-capacity-reservation-attributes 1,
        modify-instance-capacity-reservation-attributes 2""",
    "the documentation's id of an export task is none": "describe-export-tasks 1",
    "it asks about a change that was not made": "describe-volumes-modifications 1",
    "routes of VPN connections are static here, and they end at VPN gateways": "create-vpn-connection 1, create-vpn-connection 3, create-vpn-connection 4",
    "the documentation's address of a tunnel is none": "modify-vpn-tunnel-options 1",
    "the world's VPN gateway is attached": "attach-vpn-gateway 1",
}
DIFFERS = {
    "disks come from web servers here, none of which this world has": """describe-import-image-tasks 1,
        describe-import-snapshot-tasks 1""",
    "the world's request has neither interfaces of its own nor a price": "describe-spot-fleet-requests 1",
    "how fast the type's network and processors are is unknown here": "describe-instance-types 1",
    "the documentation has another name, or another action's answer, there": """describe-security-group-references 1,
        disable-image-deprecation 1, enable-image-deprecation 1, modify-vpc-tenancy 1, modify-instance-placement 3, modify-vpc-endpoint-service-configuration 1,
        modify-vpn-connection-options 1""",
    "VPN connections end at VPN gateways here, and not at transit gateways": "describe-vpn-connections 1",
    "flow logs go to files here, and none to CloudWatch Logs": "describe-flow-logs 1",
    "services have neither Gateway Load Balancers nor private DNS names here": "describe-vpc-endpoint-service-configurations 1",
}


def read_blocks(text):
    """Indented paragraphs, and lines of text between them."""
    block = []
    for line in text.split("\n"):
        if line.startswith((" ", "\t")) or (not line.strip() and block):
            block.append(line)
            continue
        if block:
            yield "\n".join(block).strip()
            block = []
    if block:
        yield "\n".join(block).strip()


def read_examples():
    """(command, its number in the file, arguments, the documented answer) of each example with an answer in JSON."""
    for path in sorted(glob.glob(os.path.join(EXAMPLES, "*.rst"))):
        command, number = os.path.basename(path)[:-4], 0
        asked = None
        with open(path, encoding="utf-8") as file:
            blocks = list(read_blocks(file.read()))
        for block in blocks:
            if re.match(r"(\$ *)?aws ec2 ", block):
                asked = block
            elif asked and "file://" in asked and block[:1] in "{[":
                asked = None  # a request file, not an answer
            elif asked and block[:1] in "{[" and "--query" in asked:
                asked = None  # other output, not an answer
            elif asked and block[:1] in "{[":
                number += 1
                try:
                    yield command, number, asked, json.loads(block)
                except ValueError:
                    pass  # truncated, or not JSON
                asked = None


class Sender:
    """Runs the stock command in this process."""

    def __init__(self, account, world):
        os.environ.update(AWS_ACCESS_KEY_ID=account.key_id, AWS_SECRET_ACCESS_KEY=account.secret, AWS_DEFAULT_REGION=ec2.REGION,
                          AWS_EC2_METADATA_DISABLED="true", AWS_PAGER="")
        self.driver, self.world, self.url = awscli.clidriver.create_clidriver(), world, account.dev.url
        key, address = account.ok("DescribeKeyPairs").first(".//keyName"), account.ok("DescribeAddresses").first(".//publicIp")
        self.named = {"--key-name": key, "--key-names": key, "--public-ip": address, "--public-ips": address}
        self.number = account.ok("GetCallerIdentity", {}, service="sts", version="2011-06-15").first(".//Account")

    def rewrite(self, word, instead):
        if word.startswith("--"):
            return word

        def there(match):
            if match[0] in instead.values():
                return match[0]
            return instead.get(match[0]) or instead.get(match[1]) or self.world.ids.get(match[1]) or match[0]
        for shown, ours in instead.items():
            word = word if shown in self.world.ids else word.replace(shown, ours)
        word = re.sub(r"\b(us|eu|ap|sa|ca|cn)-[a-z]+-\d([a-f])\b", r"us-east-1a", word)
        word = re.sub(r"\b(us|eu|ap|sa|ca|cn)-[a-z]+-\d\b", ec2.REGION, word)
        word = re.sub(r"\b\d{12}\b", self.number, word)
        word = re.sub(r"\b(?:[cmrtpgix]\d[a-z]*)\.(?:\d*x?large|medium|small|micro|nano|metal)\b", "t3.micro", word)
        return ID.sub(there, word)

    def arguments(self, text, instead):
        for shown in (words for words in instead if re.search(r"[ \\]", words)):
            text = text.replace(shown, instead[shown])
        words = shlex.split(re.sub(r"[\\^]\s*\n", " ", text).replace("\n", " "))
        words = words[words.index("aws") + 1:]
        kept, skipping = [], False
        for word in words:
            if word.startswith("--"):
                skipping = word.split("=")[0] in CHOOSING and words[1] not in FILTERED
                if skipping:
                    continue
            if not skipping:
                is_new = words[1].startswith(("create-key", "import-key", "delete-key"))
                name = None if is_new or word.startswith("--") else self.named.get(kept[-1] if kept else "")
                kept.append(name or self.rewrite(word, instead))
        return kept

    def send(self, text, instead):
        """(answer, None), or (None, the reason)."""
        try:
            arguments = self.arguments(text, instead)
        except ValueError:
            return None, "the example's quotes do not match"
        if any("file://" in word for word in arguments):
            return None, "needs a file"
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                code = self.driver.main([*arguments, "--endpoint-url", self.url, "--output", "json"])
            except SystemExit as end:
                code = end.code
        if code:
            said = err.getvalue().strip().split("\n")
            found = re.search(r"\((\w[\w.]*)\) when calling", err.getvalue())
            return None, found[1] if found else said[-1][:120]
        return json.loads(out.getvalue() or "{}"), None


def differences(shown, ours, path=""):
    """Paths of members of the documented answer that ours lacks, or that have another type."""
    if isinstance(shown, dict):
        if not isinstance(ours, dict):
            yield f"{path}: {type(ours).__name__}"
            return
        for key, value in shown.items():
            if key not in ours:
                yield f"{path}.{key}".lstrip(".")
            else:
                yield from differences(value, ours[key], f"{path}.{key}".lstrip("."))
    elif isinstance(shown, list):
        if not isinstance(ours, list):
            yield f"{path}: {type(ours).__name__}"
        elif shown and ours:
            for one in shown:  # one of our elements must have each member of an element of theirs
                lists = [set(differences(one, other, path + "[]")) for other in ours]
                yield from set.intersection(*lists)
    elif isinstance(shown, bool) != isinstance(ours, bool) or isinstance(shown, (int, float)) != isinstance(ours, (int, float)):
        yield f"{path}: {type(ours).__name__}"


def order(command):
    """Reads come before all changes, deletions last."""
    first = command.split("-")[0]
    return 0 if first in ("describe", "get") else 2 if first in ("delete", "terminate", "release", "deregister") else 1


def names_of(reasons):
    return {name.strip(): why for why, names in reasons.items() for name in names.replace("\n", " ").split(",")}


def send_all():
    """{"describe-vpcs 1": (action, reason for a refusal, missing members)}"""
    tables, results = ec2.dump(), {}
    names = {a["name"].lower(): a["name"] for a in tables["actions"]}
    with ec2.Dev(*HOSTS) as dev:
        account = dev.new_account("examples")
        world = World(account, tables)
        sender = Sender(account, world)
        for command, number, text, shown in sorted(read_examples(), key=lambda e: (order(e[0]), e[0], e[1])):
            action = names.get(command.replace("-", ""))
            if not action:
                continue
            name = f"{command} {number}"
            instead = BEFORE[name](world) if name in BEFORE else {}
            ours, why = sender.send(text, instead)
            forget_file(world)
            results[name] = (action, why, sorted(set(differences(shown, ours))) if why is None else [])
    return results


def faults_of(results):
    unsent, differs = names_of(UNSENT), names_of(DIFFERS)
    for name, (_, why, missing) in results.items():
        if why and name not in unsent:
            yield f"{name}: {why}"
        if missing and name not in differs:
            yield f"{name}: the answer has not {', '.join(missing)}"
    for name in [*unsent, *differs]:
        if name not in results:
            yield f"{name}: there is no such example"
        elif name in unsent and not results[name][1]:
            yield f"{name}: it is answered, and has a reason why it is not"
        elif name in differs and not results[name][2]:
            yield f"{name}: it is equal, and has a reason why it is not"


def table_of(results):
    counts = {}
    for action, why, missing in results.values():
        equal, count = counts.get(action, (0, 0))
        counts[action] = equal + (not why and not missing), count + 1
    return TABLE_HEAD + "".join(f"EXAMPLES({action}, {equal}, {count})\n" for action, (equal, count) in sorted(counts.items()))


def main():
    results = send_all()
    if "--tell" in sys.argv:
        for name, (_, why, missing) in results.items():
            print(f"{name}: {why or ', '.join(missing) or 'equal'}")
    table = table_of(results)
    if "--accept" in sys.argv:
        with open(TABLE, "w", encoding="utf-8") as file:
            file.write(table)
    faults = list(faults_of(results))
    with open(TABLE, encoding="utf-8") as file:
        if file.read() != table:
            faults.append("src/api/ec2/core/examples.def is another: tests/contract/ec2/examples.py --accept rewrites it")
    for fault in faults:
        print(f"FAILED {fault}")
    print(f"{len(results) - len(faults)} passed, {len(faults)} failed")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
