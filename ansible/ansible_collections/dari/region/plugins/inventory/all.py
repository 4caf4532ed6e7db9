# SPDX-License-Identifier: Apache-2.0
"""The inventory plugin dari.region.all. It reads Dari's own API page by page, and signs requests as AWS's clients do. Python's standard library and
Ansible suffice, so that an Ansible of any machine can load it."""
import collections
import datetime
import hashlib
import hmac
import json
import re
import urllib.error
import urllib.parse

from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_native
from ansible.module_utils.urls import open_url
from ansible.plugins.inventory import BaseInventoryPlugin, Constructable
from ansible.utils.unsafe_proxy import wrap_var

DOCUMENTATION = r"""
name: all
short_description: Machines of a Dari region and of the clouds that it lists
description:
  - Lists the instances of the region and the machines of its providers together.
  - The configuration is a YAML file whose name ends in C(dari.yml) or C(dari.yaml).
  - Groups are made for each cloud (C(cloud_dari), C(cloud_aws)), provider (C(provider_prod)) and power state (C(power_running)).
  - A machine is named by its name or its tag Name. Of machines with the same name, each is named NAME-ID. A machine whose name has other
    characters than letters, digits, C(.), C(_) and C(-), or is C(localhost), is named by its id.
extends_documentation_fragment: [constructed]
options:
  plugin:
    description: The name of this plugin.
    required: true
    choices: [dari.region.all]
  url:
    description: URL of the region, such as C(https://cloud.example.com:8788).
    required: true
    env: [{name: DARI_URL}]
  access_key_id:
    description: Id of an access key.
    env: [{name: DARI_ACCESS_KEY_ID}]
  secret_access_key:
    description: Its secret.
    env: [{name: DARI_SECRET_ACCESS_KEY}]
  region:
    description: The region's name, for the signature.
    default: us-east-1
    env: [{name: DARI_REGION}]
  token:
    description: A token of Keystone in place of an access key.
    env: [{name: DARI_TOKEN}]
  ca_path:
    description: File with the CA certificates that the server is checked with.
    type: path
  scope:
    description: Machines of the region (C(here)), of providers (C(elsewhere)), or both.
    default: all
    choices: [all, here, elsewhere]
  states:
    description: Only machines in these power states.
    type: list
    elements: str
    default: [pending, running, stopping, stopped]
"""

EXAMPLES = r"""
plugin: dari.region.all
url: https://cloud.example.com:8788
keyed_groups:
  - {key: dari_tags.team, prefix: team}
compose:
  ansible_user: "'azureuser' if dari_cloud == 'azure' else 'admin'"
"""

PAGE = 1000
TIMEOUT_S = 60


def signed(secret, *words):
    key = ("AWS4" + secret).encode()
    for word in words:
        key = hmac.new(key, word.encode(), hashlib.sha256).digest()
    return key


def signature(url, key_id, secret, region):
    """The headers of AWS's signature, version 4, of a GET without a body."""
    parts = urllib.parse.urlsplit(url)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = "/".join([now[:8], region, "ec2", "aws4_request"])
    query = urllib.parse.urlencode(sorted(urllib.parse.parse_qsl(parts.query, keep_blank_values=True)), quote_via=urllib.parse.quote)
    request = "\n".join(["GET", parts.path, query, f"host:{parts.netloc}", f"x-amz-date:{now}", "", "host;x-amz-date", hashlib.sha256(b"").hexdigest()])
    text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
    digest = hmac.new(signed(secret, now[:8], region, "ec2", "aws4_request"), text.encode(), hashlib.sha256).hexdigest()
    return {"X-Amz-Date": now, "Authorization": f"AWS4-HMAC-SHA256 Credential={key_id}/{scope}, SignedHeaders=host;x-amz-date, Signature={digest}"}


def of_region(row, types, zones):
    addresses = row.get("addresses", [])
    tags = row.get("tags", {})
    power = {"shelved": "stopped", "suspended": "stopped", "destroyed": "terminated"}.get(row["state"], row["state"])
    return {"kind": "instance", "id": row["id"], "ref": row.get("ec2", row["id"]), "name": row.get("name") or tags.get("Name", ""), "cloud": "dari",
            "provider": "", "power": power, "type": types.get(row["type"], ""), "zone": zones.get(row.get("zone"), ""), "platform": row.get("platform", ""),
            "tags": tags, "private_ips": [a["ip"] for a in addresses if "ip" in a], "public_ips": [a["public_ip"] for a in addresses if "public_ip" in a]}


def of_provider(row, providers):
    provider = providers.get(row["provider"], {})
    return {"kind": "remote_machine", "id": row["id"], "ref": row["ref"], "name": row.get("name", ""), "cloud": provider.get("cloud", ""),
            "provider": provider.get("name", ""), "power": row["power"], "type": row.get("type", ""), "zone": row.get("zone", ""),
            "platform": row.get("platform", ""), "tags": row.get("remote_tags", {}), "private_ips": row.get("private_ips", []),
            "public_ips": row.get("public_ips", []), "refreshed_us": row.get("refreshed_us", 0)}


def harmless(value):
    """Marks texts that Ansible would take for templates. Texts from clouds are data, such as a machine named {{ lookup('pipe', …) }}."""
    if isinstance(value, dict):
        return {harmless(k): harmless(v) for k, v in value.items()}
    if isinstance(value, list):
        return [harmless(v) for v in value]
    return wrap_var(value) if isinstance(value, str) and re.search(r"\{[{%#]", value) else value


def is_fit(name):
    return re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name) and not re.fullmatch(r"localhost.*|[0-9.]+|all|ungrouped", name)


class InventoryModule(BaseInventoryPlugin, Constructable):
    NAME = "dari.region.all"

    def verify_file(self, path):
        return super().verify_file(path) and path.endswith(("dari.yml", "dari.yaml"))

    def parse(self, inventory, loader, path, cache=True):
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        machines = [m for m in self.machines() if m["power"] in self.get_option("states")]
        for name, machine in self.named(machines):
            self.add(name, machine)

    def machines(self):
        scope = self.get_option("scope")
        found = []
        if scope != "elsewhere":
            types = {t["id"]: t["name"] for t in self.rows("instance-types", "id,name")}
            zones = {z["id"]: z["name"] for z in self.rows("zones", "id,name")}
            found += [of_region(row, types, zones) for row in self.rows("instances", "*")]
        if scope != "here":
            providers = {p["id"]: p for p in self.rows("providers", "id,name,cloud")}
            found += [of_provider(row, providers) for row in self.rows("remote-machines", "*")]
        return found

    def rows(self, kind, fields):
        after = ""
        while True:
            answer = self.get(f"/api/v1/{kind}", {"fields": fields, "limit": PAGE, **({"after": after} if after else {})})
            yield from answer["items"]
            after = answer.get("next")
            if not after:
                return

    def get(self, path, query):
        url = self.get_option("url").rstrip("/") + path + "?" + urllib.parse.urlencode(query, quote_via=urllib.parse.quote)
        key_id, secret, token = self.get_option("access_key_id"), self.get_option("secret_access_key"), self.get_option("token")
        if not token and not (key_id and secret):
            raise AnsibleError("Set DARI_ACCESS_KEY_ID and DARI_SECRET_ACCESS_KEY, or DARI_TOKEN.")
        headers = {"X-Auth-Token": token} if token else signature(url, key_id, secret, self.get_option("region"))
        try:
            return json.load(open_url(url, headers=headers, ca_path=self.get_option("ca_path"), timeout=TIMEOUT_S, follow_redirects="none"))
        except urllib.error.HTTPError as error:
            raise AnsibleError(f"{path}: {error.code} {to_native(error.read(2000))}") from error
        except (OSError, ValueError) as error:
            raise AnsibleError(f"{path}: {to_native(error)}") from error

    @staticmethod
    def named(machines):
        """Names for hosts. Whoever owns a machine chooses its name, and other clouds choose ids: as localhost a machine would receive the plays of this
        computer, and with the name of another machine those of that one."""
        names = collections.Counter(m["name"] for m in machines)
        longer = [re.sub(r"[^A-Za-z0-9._-]", "_", f"{m['name']}-{m['ref']}" if is_fit(m["name"]) else m["ref"]) for m in machines]
        uses = collections.Counter(longer)
        for machine, long in zip(machines, longer):
            name = machine["name"]
            if is_fit(name) and names[name] == 1 and name not in uses:
                yield name, machine
            else:
                yield long if is_fit(long) and uses[long] == 1 else machine["id"], machine

    def add(self, name, machine):
        self.inventory.add_host(name)
        values = {f"dari_{key}": harmless(value) for key, value in machine.items()}
        address = (machine["public_ips"] or machine["private_ips"] or [None])[0]
        if address:
            values["ansible_host"] = address
        for key, value in values.items():
            self.inventory.set_variable(name, key, value)
        for prefix in ("cloud", "provider", "power"):
            if machine[prefix]:
                group = self.inventory.add_group(self._sanitize_group_name(f"{prefix}_{machine[prefix]}"))
                self.inventory.add_child(group, name)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), values, name, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), values, name, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), values, name, strict=strict)
