# SPDX-License-Identifier: Apache-2.0
"""A vCenter or an ESXi host alone for the tests: govmomi's simulator as a process, and a small client that acts there behind the region's back."""
import http.client
import os
import re
import signal
import ssl
import subprocess
import xml.etree.ElementTree as ET

from clone import reserve_ports
from dev import ROOT, end_with_parent
from waiting import HANG_S, wait_until

VIM = "{urn:vim25}"
ENVELOPE = ('<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><e:Body>'
            '<{0} xmlns="urn:vim25"><_this type="{1}">{2}</_this>{3}</{0}></e:Body></e:Envelope>')
TRAVERSAL = '<selectSet xsi:type="TraversalSpec"><type>ContainerView</type><path>view</path><skip>false</skip></selectSet>'


class Fault(Exception):
    """A fault of the API; its text is the name."""


class Client:
    """A session of its own."""

    def __init__(self, port, plain=True):
        self.port, self.plain, self.cookie = port, plain, None

    def post(self, text):
        context = None if self.plain else ssl._create_unverified_context()
        connection = (http.client.HTTPConnection("127.0.0.1", self.port, timeout=HANG_S) if self.plain else
                      http.client.HTTPSConnection("127.0.0.1", self.port, timeout=HANG_S, context=context))
        connection.request("POST", "/sdk", text.encode(), {"Content-Type": "text/xml", "SOAPAction": "urn:vim25/6.5",
                                                           **({"Cookie": self.cookie} if self.cookie else {})})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        self.cookie = self.cookie or (answer.headers.get("Set-Cookie") or "").partition(";")[0] or None
        return body.decode()

    def call(self, method, kind, ref, inner=""):
        """The element of the answer."""
        (answer,) = ET.fromstring(self.post(ENVELOPE.format(method, kind, ref, inner)))[0]
        if answer.tag.endswith("}Fault"):
            raise Fault(answer.find("detail")[0].tag.replace(VIM, "").removesuffix("Fault"))
        return answer

    def login(self, password="pass"):
        return self.call("Login", "SessionManager", "SessionManager", f"<userName>user</userName><password>{password}</password>")

    def text(self, *words):
        return self.call(*words).findtext(f"{VIM}returnval")

    def prop(self, kind, ref, name):
        """The element of a property, or None."""
        spec = f"<specSet><propSet><type>{kind}</type><pathSet>{name}</pathSet></propSet><objectSet><obj type=\"{kind}\">{ref}</obj></objectSet></specSet><options/>"
        return self.call("RetrievePropertiesEx", "PropertyCollector", "propertyCollector", spec).find(f".//{VIM}val")

    def refs(self, kind="VirtualMachine", root="group-d1"):
        """{name: id} of all objects of the type."""
        view = self.text("CreateContainerView", "ViewManager", "ViewManager",
                         f"<container type=\"Folder\">{root}</container><type>{kind}</type><recursive>true</recursive>")
        spec = (f"<specSet><propSet><type>{kind}</type><pathSet>name</pathSet></propSet><objectSet><obj type=\"ContainerView\">{view}</obj><skip>true</skip>"
                f"{TRAVERSAL}</objectSet></specSet><options/>")
        answer = self.call("RetrievePropertiesEx", "PropertyCollector", "propertyCollector", spec)
        self.call("DestroyView", "ContainerView", view)
        return {o.findtext(f".//{VIM}val"): o.findtext(f"{VIM}obj") for o in answer.iter(f"{VIM}objects")}

    def task(self, method, ref, inner="", kind="VirtualMachine"):
        """Starts a task and waits for its end; the id of what it made."""
        task, info = self.text(method, kind, ref, inner), {}

        def ended():
            info["at"] = self.prop("Task", task, "info")
            return info["at"].findtext(f"{VIM}state") in ("success", "error")
        wait_until(ended, f"{method} of {ref}")
        assert info["at"].findtext(f"{VIM}state") == "success", ET.tostring(info["at"])
        return info["at"].findtext(f"{VIM}result")

    def power(self, ref):
        return self.prop("VirtualMachine", ref, "runtime.powerState").text

    def sessions(self):
        """Keys of all sessions."""
        found = self.prop("SessionManager", "SessionManager", "sessionList")
        return [s.findtext(f"{VIM}key") for s in found]


class Simulator(Client):
    """The simulator, with a signed-in client."""

    def __init__(self, *options, plain=True):
        super().__init__(reserve_ports(), plain)
        tools = os.path.join(ROOT, "tools/clients")
        subprocess.run([tools, "install", "vcsim"], check=True)
        folder = subprocess.run([tools, "where", "vcsim"], check=True, capture_output=True, text=True).stdout.strip()
        self.url = f"http{'' if plain else 's'}://127.0.0.1:{self.port}"
        self.process = subprocess.Popen([os.path.join(folder, "tour"), "-port", str(self.port), *(["-plain"] if plain else []), *options],
                                        stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
        wait_until(self.answers, "the simulator answers")
        if "-esx" not in options:  # a host alone has other ids
            self.login()

    def answers(self):
        try:
            return bool(self.call("RetrieveServiceContent", "ServiceInstance", "ServiceInstance"))
        except (OSError, http.client.HTTPException):
            return False

    def pin(self):
        """The digest of its public key, as --pin takes it."""
        pem = ssl.get_server_certificate(("127.0.0.1", self.port))
        key = subprocess.run(["openssl", "x509", "-pubkey", "-noout"], input=pem, capture_output=True, text=True, check=True).stdout
        digest = subprocess.run("openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | openssl base64", shell=True, input=key, capture_output=True,
                                text=True, check=True).stdout
        return "sha256//" + digest.strip()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def method_of(body):
    """The method that a request calls."""
    found = re.search(rb'<e:Body><(\w+) xmlns="urn:vim25">', body)
    return found[1].decode() if found else ""


def fault(name, inner=""):
    """An answer of the API that refuses."""
    text = (f'<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/" xmlns:i="http://www.w3.org/2001/XMLSchema-instance"><e:Body><e:Fault>'
            f'<faultcode>ServerFaultCode</faultcode><faultstring>refused: {name}</faultstring><detail><{name}Fault xmlns="urn:vim25" i:type="{name}">{inner}'
            f'</{name}Fault></detail></e:Fault></e:Body></e:Envelope>')
    return 500, {"Content-Type": "text/xml"}, text.encode()
