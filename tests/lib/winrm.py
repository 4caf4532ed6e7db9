# SPDX-License-Identifier: Apache-2.0
"""A Hyper-V host for the tests: WMI by WS-Management, with Basic and NTLM. Its answers have the shapes that WinRM documents (DSP0226, MS-WSMV, MS-NLMP):
enumerations in pages, instances with namespaces and xsi:nil, arrays as repeated elements, faults with WinRM's number. It is written from documents; nobody
has compared it with a Windows host."""
import base64
import hashlib
import hmac
import http.server
import os
import re
import ssl
import struct
import threading
import uuid
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

SOAP, NS_A, NS_N, NS_W = ("http://www.w3.org/2003/05/soap-envelope", "http://schemas.xmlsoap.org/ws/2004/08/addressing", "http://schemas.xmlsoap.org/ws/2004/09/enumeration",
                          "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd")
WMI = "http://schemas.microsoft.com/wbem/wsman/1/wmi/"
CIM, XSI = "http://schemas.dmtf.org/wbem/wscim/1/common", "http://www.w3.org/2001/XMLSchema-instance"
IDENTITY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
V2, CIMV2, CLUSTER = "root/virtualization/v2", "root/cimv2", "root/MSCluster"
TYPE = {"Content-Type": "application/soap+xml;charset=UTF-8"}


def envelope(body):
    return (f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}" xmlns:a="{NS_A}" xmlns:n="{NS_N}" xmlns:w="{NS_W}"><s:Header><a:Action>x</a:Action>'
            f'<a:MessageID>uuid:{uuid.uuid4()}</a:MessageID></s:Header><s:Body>{body}</s:Body></s:Envelope>').encode()


class Fault(Exception):
    def __init__(self, subcode, code, text="It failed."):
        super().__init__(text)
        self.subcode, self.code = subcode, code

    def answer(self):
        body = (f"<s:Fault><s:Code><s:Value>s:Sender</s:Value><s:Subcode><s:Value>w:{self.subcode}</s:Value></s:Subcode></s:Code><s:Reason>"
                f'<s:Text xml:lang="en-US">{escape(str(self))}</s:Text></s:Reason><s:Detail><f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" '
                f'Code="{self.code}" Machine="hv1"><f:Message>{escape(str(self))}</f:Message></f:WSManFault></s:Detail></s:Fault>')
        return 500, TYPE, envelope(body)


DENIED = Fault("AccessDenied", 5, "Access is denied.")


# ---- NTLM

def md4(data):
    """MD4 of RFC 1320, which Debian's OpenSSL no longer offers by default."""
    def turn(x, by):
        return (x << by | x >> (32 - by)) & 0xffffffff
    text = data + b"\x80" + b"\0" * ((55 - len(data)) % 64) + struct.pack("<Q", 8 * len(data))
    state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476]
    rounds = [(range(16), (3, 7, 11, 19), 0, lambda x, y, z: x & y | ~x & z),
              ([0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15], (3, 5, 9, 13), 0x5a827999, lambda x, y, z: x & y | x & z | y & z),
              ([0, 8, 4, 12, 2, 10, 6, 14, 1, 9, 5, 13, 3, 11, 7, 15], (3, 9, 11, 15), 0x6ed9eba1, lambda x, y, z: x ^ y ^ z)]
    for at in range(0, len(text), 64):
        words, s = struct.unpack("<16I", text[at:at + 64]), list(state)
        for order, turns, constant, mix in rounds:
            for k, place in enumerate(order):
                a, b, c, d = ((16 - k) % 4 + n for n in range(4))
                s[a % 4] = turn((s[a % 4] + (mix(s[b % 4], s[c % 4], s[d % 4]) & 0xffffffff) + words[place] + constant) & 0xffffffff, turns[k % 4])
        state = [(x + y) & 0xffffffff for x, y in zip(state, s)]
    return struct.pack("<4I", *state)


def hmac_md5(key, data):
    return hmac.new(key, data, hashlib.md5).digest()


CHALLENGE = b"\x01\x23\x45\x67\x89\xab\xcd\xef"


def challenge():
    """A message of type 2, with the target's name and its time."""
    info = b"".join(struct.pack("<HH", kind, len(value)) + value for kind, value in ((2, "CORP".encode("utf-16-le")), (7, struct.pack("<Q", 133485408000000000)), (0, b"")))
    name = "CORP".encode("utf-16-le")
    head = b"NTLMSSP\0" + struct.pack("<IHHI", 2, len(name), len(name), 56) + struct.pack("<I", 0x00888205) + CHALLENGE + b"\0" * 8
    return head + struct.pack("<HHI", len(info), len(info), 56 + len(name)) + b"\0" * 8 + name + info


def is_ntlm_answer(message, users):
    def field(at):
        size, _, start = struct.unpack("<HHI", message[at:at + 8])
        return message[start:start + size]
    response, domain, user = field(20), field(28).decode("utf-16-le"), field(36).decode("utf-16-le")
    password = users.get(f"{domain}\\{user}" if domain else user)
    if password is None:
        return False
    key = hmac_md5(hmac_md5(md4(password.encode("utf-16-le")), (user.upper() + domain).encode("utf-16-le")), CHALLENGE + response[16:])
    return hmac.compare_digest(key, response[:16])


# ---- instances

class Time(str):
    """A value of the type datetime."""


def write_value(name, value):
    if value is None:
        return f'<p:{name} xsi:nil="true"/>'
    if isinstance(value, list):
        return "".join(write_value(name, one) for one in value) or f'<p:{name} xsi:nil="true"/>'
    if isinstance(value, Time):
        return f"<p:{name}><cim:Datetime>{value}</cim:Datetime></p:{name}>"
    if isinstance(value, bool):
        value = str(value).lower()
    return f"<p:{name}>{escape(str(value))}</p:{name}>"


def write_instance(space, kind, values):
    uri = f"{WMI}{space}/{kind}"
    inner = "".join(write_value(name, values[name]) for name in sorted(values))
    return f'<p:{kind} xmlns:p="{uri}" xmlns:cim="{CIM}" xmlns:xsi="{XSI}" xsi:type="p:{kind}_Type">{inner}</p:{kind}>'


def write_ref(name, space, kind, keys):
    selectors = "".join(f'<w:Selector Name="{key}">{escape(value)}</w:Selector>' for key, value in keys.items())
    return (f"<p:{name}><a:Address>{NS_A}/role/anonymous</a:Address><a:ReferenceParameters><w:ResourceURI>{WMI}{space}/{kind}</w:ResourceURI>"
            f"<w:SelectorSet>{selectors}</w:SelectorSet></a:ReferenceParameters></p:{name}>")


def item(name, data):
    return ('<INSTANCE CLASSNAME="Msvm_KvpExchangeDataItem"><PROPERTY NAME="Caption" TYPE="string"></PROPERTY><PROPERTY NAME="Data" TYPE="string"><VALUE>'
            f'{escape(data)}</VALUE></PROPERTY><PROPERTY NAME="Name" TYPE="string"><VALUE>{name}</VALUE></PROPERTY><PROPERTY NAME="Source" TYPE="uint16">'
            '<VALUE>2</VALUE></PROPERTY></INSTANCE>')


def read_embedded(text):
    """Class and properties of an instance in CIM-XML."""
    root = ET.fromstring(text)
    values = {}
    for p in root:
        found = [v.text or "" for v in p.iter("VALUE")]
        values[p.get("NAME")] = found if p.tag == "PROPERTY.ARRAY" else (found or [""])[0]
    return root.get("CLASSNAME"), values


def matches(values, condition):
    """A condition of WQL: comparisons by = and like, joined by `and`."""
    for name, sign, text in re.findall(r"(\w+)\s*(=|like)\s*'((?:[^'\\]|\\.)*)'", condition):
        wanted = re.sub(r"\\(.)", r"\1", text).lower()
        value = str(values.get(name) or "").lower()
        if sign == "=" and value != wanted:
            return False
        if sign == "like" and not re.fullmatch(".*".join(re.escape(part) for part in wanted.split("%")), value):
            return False
    return True


# ---- the host

class Host:
    """`spoil(action, request)` returns an answer of its own, or None. `denied`: namespaces that refuse the user. `lacks`: methods that the host does not have.
    `is_member`: the user sees Hyper-V."""

    def __init__(self, name="HV1", schemes=("ntlm",), certificate=None, address="127.0.0.1", port=0, count=5):
        self.name, self.schemes, self.users = name, schemes, {"CORP\\dari": "pass<word>", "local": "pass<word>"}
        self.page, self.slow, self.obeys, self.has_tools, self.is_member = 3, 0, True, True, True
        self.denied, self.absent, self.spoil, self.seen, self.contexts, self.jobs, self.nodes = set(), {CLUSTER}, lambda *_: None, [], {}, {}, None
        self.lacks, self.basic_seen, self.switch = set(), False, str(uuid.uuid4()).upper()
        self.machines, self.snapshots, self.files = {}, {}, {}
        for n in range(1, count + 1):
            self.put(f"web{n} & co", size=(2, 2048))
        there = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            is_signed = False

            def do_POST(self):
                text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                status, headers, body = there.serve(self, text)
                if not status:
                    self.close_connection = True
                    return
                self.send_response(status)
                for header, value in [*headers.items(), ("Content-Length", str(len(body)))]:
                    for one in value if isinstance(value, list) else [value]:
                        self.send_header(header, one)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

            def version_string(self):
                return "Microsoft-HTTPAPI/2.0"

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                """A region that refuses an answer closes the connection."""

        self.server = Server((address, port), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.url = f"http{'s' if certificate else ''}://{address}:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def put(self, name, size=(1, 512), notes=None, state=2, guid=None, disks=None):
        guid = guid or str(uuid.uuid4()).upper()
        self.machines[guid] = {"name": name, "state": state, "size": size, "notes": notes, "ips": "10.0.0.7;169.254.1.2", "created": "2026-01-01T00:00:00.5Z",
                               "disks": disks if disks is not None else [f"C:\\VMs\\{name.split()[0]}.vhdx"], "switch": self.switch, "bios": None, "controllers": True}
        return guid

    def refs(self):
        return {guid.lower() for guid in self.machines}

    # ---- signing in

    def refuse(self, handler):
        handler.is_signed = False
        offered = [*(["Negotiate"] if "ntlm" in self.schemes else []), *(['Basic realm="WSMAN"'] if "basic" in self.schemes else [])]
        return 401, {"WWW-Authenticate": offered}, b""

    def sign_in(self, handler):
        """Returns a refusal, or None if the connection is signed in."""
        word, _, text = (handler.headers.get("Authorization") or "").partition(" ")
        self.basic_seen = self.basic_seen or word == "Basic"
        if word == "Basic" and "basic" in self.schemes:
            user, _, password = base64.b64decode(text).decode().partition(":")
            return None if self.users.get(user) == password else self.refuse(handler)
        if word == "Negotiate" and "ntlm" in self.schemes:
            message = base64.b64decode(text)
            if message[8] == 1:
                handler.is_signed, handler.is_challenged = False, True
                return 401, {"WWW-Authenticate": "Negotiate " + base64.b64encode(challenge()).decode()}, b""
            if getattr(handler, "is_challenged", False) and is_ntlm_answer(message, self.users):
                handler.is_signed = True
                return None
            return self.refuse(handler)
        return None if handler.is_signed else self.refuse(handler)

    # ---- requests

    def serve(self, handler, text):
        refused = self.sign_in(handler)
        if refused:
            return refused
        assert handler.path == "/wsman" and "application/soap+xml" in handler.headers["Content-Type"]
        root = ET.fromstring(text)
        body = root.find(f"{{{SOAP}}}Body")[0]
        action = root.findtext(f".//{{{NS_A}}}Action") or "Identify"
        word = action.rpartition("/")[2]
        kind = self.kind_of(body) if word == "Enumerate" else ""
        self.seen.append(f"{word} {kind}".strip())
        self.keys = {s.get("Name"): s.text for s in root.find(f"{{{SOAP}}}Header").iter(f"{{{NS_W}}}Selector")}
        own = self.spoil(word, body)
        if own:
            return own
        try:
            if word == "Identify":
                return 200, TYPE, envelope(f'<i:IdentifyResponse xmlns:i="{IDENTITY}"><i:ProtocolVersion>{NS_W}</i:ProtocolVersion><i:ProductVendor>Microsoft Corporation'
                                           "</i:ProductVendor><i:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</i:ProductVersion></i:IdentifyResponse>")
            resource = root.findtext(f".//{{{NS_W}}}ResourceURI").removeprefix(WMI)
            space, _, kind = resource.rpartition("/")
            if space in self.absent:
                raise Fault("InvalidParameter", 2150858778, "The data source could not process the filter.")
            if space in self.denied:
                raise DENIED
            if word in ("Enumerate", "Pull"):
                return 200, TYPE, envelope(getattr(self, word)(space, body))
            if word in self.lacks:
                raise Fault("DestinationUnreachable", 2147749934, "The method is not valid.")
            inner = getattr(self, word)(body, self.keys)
            return inner if isinstance(inner, tuple) else (200, TYPE, envelope(f'<p:{word}_OUTPUT xmlns:p="{WMI}{space}/{kind}">{inner}</p:{word}_OUTPUT>'))
        except Fault as fault:
            return fault.answer()

    @staticmethod
    def kind_of(body):
        return re.match(r"select \* from (\w+)", body.findtext(f"{{{NS_W}}}Filter"))[1]

    def Enumerate(self, space, body):
        kind, condition = re.fullmatch(r"select \* from (\w+)(?: where (.*))?", body.findtext(f"{{{NS_W}}}Filter")).groups()
        if not hasattr(self, f"list_{kind}"):
            raise Fault("InvalidParameter", 2147749904, "Invalid class")
        found = [] if space == V2 and not self.is_member else [i for i in getattr(self, f"list_{kind}")() if matches(i, condition or "")]
        return self.answer("Enumerate", [write_instance(space, kind, i) for i in found])

    def Pull(self, _space, body):
        rest = self.contexts.pop(body.findtext(f"{{{NS_N}}}EnumerationContext"), None)
        if rest is None:
            raise Fault("InvalidEnumerationContext", 2150858996, "The supplied enumeration context is invalid.")
        return self.answer("Pull", rest)

    def answer(self, word, instances):
        prefix, context = ("w" if word == "Enumerate" else "n"), f"uuid:{uuid.uuid4()}".upper()
        head, rest = instances[:self.page], instances[self.page:]
        if rest:
            self.contexts[context] = rest
        items = f"<{prefix}:Items>{''.join(head)}</{prefix}:Items>"
        return f"<n:{word}Response><n:EnumerationContext>{context if rest else ''}</n:EnumerationContext>{items}{'' if rest else f'<{prefix}:EndOfSequence/>'}</n:{word}Response>"

    # ---- classes

    def list_Win32_ComputerSystem(self):
        return [{"Name": self.name, "Domain": "corp.example.com", "Model": "R750", "NumberOfProcessors": 2, "NumberOfLogicalProcessors": 32, "TotalPhysicalMemory": 137438953472}]

    def list_Win32_LogicalDisk(self):
        return [{"DeviceID": "C:", "Name": "C:", "DriveType": 3, "Size": 1000, "FreeSpace": 400, "FileSystem": "NTFS", "VolumeName": "System"}]

    def list_Msvm_VirtualSystemManagementService(self):
        return [{"Name": "vmms", "ElementName": "Hyper-V Virtual Machine Management"}]

    def list_Msvm_ComputerSystem(self):
        return [{"Name": self.name, "ElementName": self.name, "Caption": "Hosting Computer System", "EnabledState": 2}] + [
            {"Name": guid, "ElementName": m["name"], "Caption": "Virtual Machine", "EnabledState": m["state"], "ProcessID": None} for guid, m in self.machines.items()]

    def settings(self, guid, m, kind="Realized", of="System"):
        return {"InstanceID": f"Microsoft:{guid}", "VirtualSystemIdentifier": m.get("of", guid), "ElementName": m["name"], "Notes": [m["notes"]] if m["notes"] else None,
                "CreationTime": Time(m["created"]), "VirtualSystemType": f"Microsoft:Hyper-V:{of}:{kind}", "VirtualSystemSubType": "Microsoft:Hyper-V:SubType:2",
                "ConfigurationDataRoot": "C:\\VMs", "BIOSGUID": "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, guid)).upper() + "}"}

    def list_Msvm_VirtualSystemSettingData(self):
        return [self.settings(guid, m) for guid, m in self.machines.items()] + [self.settings(guid, m, of="Snapshot") for guid, m in self.snapshots.items()]

    def everything(self):
        return [*self.machines.items(), *self.snapshots.items()]

    def list_Msvm_ProcessorSettingData(self):
        return [{"InstanceID": "Microsoft:Definition\\B637F346-6A0E-4DEC-AF52-BD70CB80A21D\\Default", "VirtualQuantity": 1}] + [
            {"InstanceID": f"Microsoft:{guid}\\b637f346-6a0e-4dec-af52-bd70cb80a21d\\0", "VirtualQuantity": m["size"][0]} for guid, m in self.everything()]

    def list_Msvm_MemorySettingData(self):
        return [{"InstanceID": f"Microsoft:{guid}\\4764334d-e001-4176-82ee-5594ec9b530e", "VirtualQuantity": m["size"][1], "AllocationUnits": "byte * 2^20"}
                for guid, m in self.everything()]

    def path(self, kind, name):
        return f'\\\\{self.name}\\root\\virtualization\\v2:{kind}.CreationClassName="{kind}",Name="{name}"'

    def list_Msvm_EthernetPortAllocationSettingData(self):
        return [{"InstanceID": f"Microsoft:{guid}\\{guid[::-1]}\\C", "ResourceSubType": "Microsoft:Hyper-V:Ethernet Connection",
                 "HostResource": [self.path("Msvm_VirtualEthernetSwitch", m["switch"])]}
                for guid, m in self.everything() if m["switch"]]

    def list_Msvm_StorageAllocationSettingData(self):
        return [{"InstanceID": f"Microsoft:{guid}\\83F8638B-8DCA-4152-9EDA-2CA8B33039B4\\0\\{n}\\L", "ResourceSubType": "Microsoft:Hyper-V:Virtual Hard Disk",
                 "HostResource": [path], "ElementName": "Hard Disk Image", "Parent": None} for guid, m in self.everything() for n, path in enumerate(m["disks"])]

    def list_Msvm_KvpExchangeComponent(self):
        return [{"SystemName": guid, "GuestIntrinsicExchangeItems": [item("OSName", "Debian GNU/Linux 12"), item("NetworkAddressIPv4", m["ips"]),
                                                                     item("NetworkAddressIPv6", "fe80::1;fd00::7"), "<INSTANCE>", "no XML"]}
                for guid, m in self.machines.items() if m["state"] == 2]

    def list_Msvm_VirtualEthernetSwitch(self):
        return [{"Name": self.switch, "ElementName": "External", "EnabledState": 5}]

    def list_MSCluster_Cluster(self):
        return [{"Name": "CL1", "Fqdn": "CL1.corp.example.com"}]

    def list_MSCluster_Node(self):
        return [{"Name": name, "State": state} for name, state in (self.nodes or {self.name: 0}).items()]

    def list_Msvm_ShutdownComponent(self):
        return [{"SystemName": guid, "DeviceID": f"Microsoft:{guid}\\SHUTDOWN", "CreationClassName": "Msvm_ShutdownComponent"}
                for guid, m in self.machines.items() if m["state"] == 2 and self.has_tools]

    def list_Msvm_ConcreteJob(self):
        """Jobs take `slow` looks."""
        for job in self.jobs.values():
            if job["state"] == 4 and job["looks"] <= 0:
                job["state"] = 10 if job["problem"] else 7
                if not job["problem"]:
                    job["does"]()
            job["looks"] -= 1
        return [{"InstanceID": ref, "JobState": job["state"], "ErrorCode": 32768 if job["problem"] else 0, "ErrorDescription": job["problem"], "PercentComplete": 0}
                for ref, job in self.jobs.items()]

    def list_Msvm_StorageJob(self):
        return [{"InstanceID": ref, "JobState": job["state"]} for ref, job in self.jobs.items() if job["is_storage"]]

    def list_Msvm_ResourceAllocationSettingData(self):
        return [{"InstanceID": ref, "ResourceSubType": kind} for m in self.machines.values() for ref, kind in m.get("parts", {}).items()]

    list_Msvm_SyntheticEthernetPortSettingData = list_Msvm_ResourceAllocationSettingData

    def list_CIM_DataFile(self):
        return [{"Name": path.lower(), "FileName": path.rpartition("\\")[2].rpartition(".")[0], "Extension": "vhdx", "FileSize": size, "Drive": path[:2].lower(),
                 "Path": (path[2:].rpartition("\\")[0] + "\\").lower()} for path, size in self.files.items()]

    # ---- methods

    def start(self, does, problem=None, is_storage=False):
        """The answer of a method that starts a job, or does its work at once."""
        if not self.slow and not problem:
            does()
            return f'<p:Job xsi:nil="true" xmlns:xsi="{XSI}"/><p:ReturnValue>0</p:ReturnValue>'
        ref = str(uuid.uuid4()).upper()
        self.jobs[ref] = {"state": 4, "looks": self.slow, "problem": problem, "does": does, "is_storage": is_storage}
        return write_ref("Job", V2, "Msvm_StorageJob" if is_storage else "Msvm_ConcreteJob", {"InstanceID": ref}) + "<p:ReturnValue>4096</p:ReturnValue>"

    @staticmethod
    def params(body):
        """Parameters of a method: texts, and selectors of references."""
        values = {}
        for p in body:
            selectors = {s.get("Name"): s.text for s in p.iter(f"{{{NS_W}}}Selector")}
            values.setdefault(p.tag.rpartition("}")[2], []).append(selectors or p.text or "")
        return values

    def RequestStateChange(self, body, keys):
        m, state = self.machines.get(keys["Name"]), int(self.params(body)["RequestedState"][0])
        if m is None:
            raise Fault("DestinationUnreachable", 2150858752, "The object was not found.")
        if state == 11:
            return self.start(lambda: None)
        if m["state"] == state:
            return "<p:ReturnValue>32775</p:ReturnValue>"
        return self.start(lambda: m.update(state=state), m.get("start_problem") if state == 2 else None)

    def CreateSnapshot(self, body, keys):
        assert keys["CreationClassName"] == "Msvm_VirtualSystemSnapshotService", keys
        params = self.params(body)
        guid, snapshot = params["AffectedSystem"][0]["Name"], str(uuid.uuid4()).upper()
        assert params["SnapshotType"] == ["2"] and guid in self.machines, params
        m = {**self.machines[guid], "name": f"{self.machines[guid]['name']} - (1/2/2026 - 3:04:05 AM)", "of": guid}
        return self.start(lambda: self.snapshots.update({snapshot: m}), self.snapshot_problem)

    snapshot_problem = None

    def shut(self, keys, does):
        assert set(keys) == {"CreationClassName", "DeviceID", "SystemCreationClassName", "SystemName"}, keys
        m = self.machines[keys["SystemName"]]
        if self.obeys:
            does(m)
        return f"<p:ReturnValue>{32782 if m.get('shuts') else 0}</p:ReturnValue>"

    def InitiateShutdown(self, _body, keys):
        return self.shut(keys, lambda m: m.update(state=3))

    def InitiateReboot(self, _body, keys):
        return self.shut(keys, lambda m: None)

    def owner(self, instance_id):
        return self.machines[instance_id.split("\\")[0].removeprefix("Microsoft:")]

    def ModifySystemSettings(self, body, _keys):
        kind, values = read_embedded(self.params(body)["SystemSettings"][0])
        assert kind == "Msvm_VirtualSystemSettingData"
        m = self.owner(values["InstanceID"])
        return self.start(lambda: m.update(notes=values["Notes"][0]))

    def ModifyResourceSettings(self, body, _keys):
        changes = [read_embedded(text) for text in self.params(body)["ResourceSettings"]]
        m = self.owner(changes[0][1]["InstanceID"])
        sizes = {kind: int(values["VirtualQuantity"]) for kind, values in changes}
        size = sizes["Msvm_ProcessorSettingData"], sizes["Msvm_MemorySettingData"]
        return self.start(lambda: m.update(size=size), "The operation cannot be performed while the machine is running." if m["state"] == 2 else None)

    def DestroySystem(self, body, _keys):
        guid = self.params(body)["AffectedSystem"][0]["Name"]
        if self.machines[guid]["state"] == 2:
            return "<p:ReturnValue>32775</p:ReturnValue>"
        return self.start(lambda: self.machines.pop(guid, None))

    def DefineSystem(self, body, _keys):
        _, values = read_embedded(self.params(body)["SystemSettings"][0])
        guid = self.put(values["ElementName"], size=(1, 1024), notes=values["Notes"][0], state=3, disks=[])
        self.machines[guid].update(switch=None, parts={}, subtype=values["VirtualSystemSubType"], start_problem=self.start_problem)
        return write_ref("ResultingSystem", V2, "Msvm_ComputerSystem", {"CreationClassName": "Msvm_ComputerSystem", "Name": guid}) + "<p:ReturnValue>0</p:ReturnValue>"

    start_problem = None

    def AddResourceSettings(self, body, _keys):
        params = self.params(body)
        guid = params["AffectedConfiguration"][0]["InstanceID"].removeprefix("Microsoft:")
        kind, values = read_embedded(params["ResourceSettings"][0])
        m, sub = self.machines[guid], values["ResourceSubType"]
        parent = re.search(r'InstanceID="(.*)"$', values.get("Parent", ""))
        assert not parent or parent[1].replace("\\\\", "\\") in m["parts"], (values, m)

        def add():
            if kind == "Msvm_StorageAllocationSettingData":
                m["disks"].append(values["HostResource"][0])
            elif kind == "Msvm_EthernetPortAllocationSettingData":
                m["switch"] = re.search(r',Name="(.*)"', values["HostResource"][0])[1]
            else:
                m["parts"][f"Microsoft:{guid}\\{uuid.uuid4()}\\{len(m['parts'])}"] = sub
        return self.start(add)

    def ConvertVirtualHardDisk(self, body, _keys):
        params = self.params(body)
        _, values = read_embedded(params["VirtualDiskSettingData"][0])
        assert values["Path"] not in self.files, "the file is there already"
        source = next(size for path, size in self.files.items() if path.lower() == params["SourcePath"][0].lower())
        answer = self.start(lambda: self.files.update({values["Path"]: source}), is_storage=True)
        self.files.setdefault(values["Path"], 1)
        return answer

    def find_file(self, keys):
        path = next((path for path in self.files if path.lower() == keys["Name"].lower()), None)
        if not path:
            raise Fault("DestinationUnreachable", 2150858752, "The object was not found.")
        return path

    def Delete(self, _body, keys):
        del self.files[self.find_file(keys)]
        return "<p:ReturnValue>0</p:ReturnValue>"

    def Rename(self, body, keys):
        path, name = self.find_file(keys), self.params(body)["FileName"][0]
        assert name.rpartition("\\")[0] == path.rpartition("\\")[0], name
        self.files[name] = self.files.pop(path)
        return "<p:ReturnValue>0</p:ReturnValue>"


def certify(folder, name="localhost"):
    """Paths of a self-signed certificate and its key."""
    import pem
    made = pem.Certificate(name)
    paths = os.path.join(folder, "crt.pem"), os.path.join(folder, "key.pem")
    for path, text in zip(paths, (made.text, made.key)):
        with open(path, "w", encoding="ascii") as file:
            file.write(text)
    return paths
