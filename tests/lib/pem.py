# SPDX-License-Identifier: Apache-2.0
"""Certificates and public keys in PEM, made by stock openssl and ssh-keygen."""
import os
import pathlib
import subprocess
import tempfile


def run(*argv, **more):
    return subprocess.run(argv, check=True, capture_output=True, text=True, **more).stdout


class Certificate:
    """An elliptic-curve key with its certificate: self-signed, or signed by the issuer."""

    def __init__(self, name, issuer=None, days=30):
        self.issuer = issuer
        with tempfile.TemporaryDirectory() as folder:
            key, request, text = (os.path.join(folder, n) for n in ("key", "request", "text"))
            run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", key)
            run("openssl", "req", "-new", "-key", key, "-subj", f"/CN={name}", "-out", request)
            by = ["-signkey", key]
            if issuer:
                pathlib.Path(folder, "ca.pem").write_text(issuer.text)
                pathlib.Path(folder, "ca.key").write_text(issuer.key)
                by = ["-CA", os.path.join(folder, "ca.pem"), "-CAkey", os.path.join(folder, "ca.key"), "-CAcreateserial"]
            run("openssl", "x509", "-req", "-in", request, "-days", str(days), "-out", text, *by)
            self.key, self.text = pathlib.Path(key).read_text(), pathlib.Path(text).read_text()

    def issue(self, name, **more):
        return Certificate(name, self, **more)

    def upload(self):
        """Parameters of UploadServerCertificate."""
        return {"CertificateBody": self.text, "PrivateKey": self.key, **({"CertificateChain": self.issuer.text} if self.issuer else {})}


def ssh_line(bits=2048, kind="rsa"):
    """A new public key in OpenSSH's form, with a comment."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "key")
        run("ssh-keygen", "-q", "-t", kind, *(["-b", str(bits)] if kind == "rsa" else []), "-N", "", "-C", "ann@home", "-f", path)
        return pathlib.Path(path + ".pub").read_text().strip()


def ssh_fingerprint(line):
    """The MD5 that ssh-keygen prints, without its prefix."""
    return run("ssh-keygen", "-l", "-E", "md5", "-f", "-", input=line).split()[1].removeprefix("MD5:")
