# SPDX-License-Identifier: Apache-2.0
"""A real OpenLDAP server (Debian's slapd) for the tests of directories: TLS by an authority of its own, people and groups."""
import os
import shutil
import socket
import subprocess
import tempfile

import waiting

BASE = "dc=example,dc=com"
ROOT_DN, ROOT_PASSWORD = f"cn=admin,{BASE}", "the-admin's"
CONFIG = """include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
TLSCACertificateFile {home}/ca.pem
TLSCertificateFile {home}/server.pem
TLSCertificateKeyFile {home}/server.key
database mdb
suffix "dc=example,dc=com"
rootdn "cn=admin,dc=example,dc=com"
rootpw "the-admin's"
directory {home}/data
access to attrs=userPassword by anonymous auth by * none
access to * by * read
"""
TREE = """dn: dc=example,dc=com
objectClass: dcObject
objectClass: organization
dc: example
o: Example

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=groups,dc=example,dc=com
objectClass: organizationalUnit
ou: groups
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Slapd:
    """Runs until the end of the with block. .ldaps and .ldap are its URLs, .authority the path of the CA's certificate."""

    def __enter__(self):
        self.home = tempfile.mkdtemp(prefix="dari-slapd-")
        os.mkdir(f"{self.home}/data")
        self.authority = f"{self.home}/ca.pem"
        self._make_certificates()
        with open(f"{self.home}/slapd.conf", "w", encoding="utf-8") as file:
            file.write(CONFIG.format(home=self.home))
        self.port, self.secure_port = free_port(), free_port()
        self.ldap, self.ldaps = f"ldap://127.0.0.1:{self.port}", f"ldaps://127.0.0.1:{self.secure_port}"
        self.process = None
        self.start()
        self.add(TREE)
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.home)

    def start(self):
        argv = ["/usr/sbin/slapd", "-d", "0", "-f", f"{self.home}/slapd.conf", "-h", f"{self.ldap} {self.ldaps}"]
        self.process = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        waiting.wait_until(self._answers, "slapd answers", of=[self.process.pid])

    def stop(self):
        self.process.terminate()
        self.process.wait(waiting.HANG_S)

    def _answers(self):
        return self._run("ldapwhoami", check=False).returncode == 0

    def _make_certificates(self):
        def openssl(*argv):
            subprocess.run(["openssl", *argv], cwd=self.home, check=True, capture_output=True)

        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "3650", "-subj", "/CN=Test CA")
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
        with open(f"{self.home}/names", "w", encoding="utf-8") as file:
            file.write("subjectAltName=IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.pem", "-days", "3650",
                "-extfile", "names")

    def _run(self, program, *argv, text="", check=True):
        said = [f"/usr/bin/{program}", "-x", "-H", self.ldap, "-D", ROOT_DN, "-w", ROOT_PASSWORD, *argv]
        return subprocess.run(said, input=text, text=True, check=check, capture_output=True)

    def add(self, ldif):
        self._run("ldapadd", text=ldif)

    def modify(self, ldif):
        self._run("ldapmodify", text=ldif)

    def rename(self, name, new):
        self._run("ldapmodrdn", "-r", f"uid={name},ou=people,{BASE}", f"uid={new}")

    def delete(self, name):
        self._run("ldapdelete", f"uid={name},ou=people,{BASE}")

    def add_person(self, name, password):
        self.add(f"dn: uid={name},ou=people,{BASE}\nobjectClass: inetOrgPerson\nuid: {name}\ncn: {name}\nsn: {name}\nmail: {name}@example.com\n"
                 f"userPassword: {password}\n")

    def add_group(self, name, *members):
        self.add(f"dn: cn={name},ou=groups,{BASE}\nobjectClass: groupOfNames\ncn: {name}\n" +
                 "".join(f"member: uid={m},ou=people,{BASE}\n" for m in members))

    def set_members(self, name, *members):
        self.modify(f"dn: cn={name},ou=groups,{BASE}\nchangetype: modify\nreplace: member\n" +
                    "".join(f"member: uid={m},ou=people,{BASE}\n" for m in members))
