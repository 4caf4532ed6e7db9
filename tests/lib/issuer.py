# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect issuers for the contract tests: one that only signs tokens, and one through which users sign in."""
import base64
import datetime
import hashlib
import http.server
import ipaddress
import json
import secrets
import ssl
import threading
import time
import urllib.parse

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PEM, PRIVATE, PLAIN = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()


def certificate(subject, key, issuer, issuer_key, is_authority):
    now = datetime.datetime.utcnow()
    name = [x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, n)]) for n in (subject, issuer)]
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = x509.CertificateBuilder().subject_name(name[0]).issuer_name(name[1]).public_key(key.public_key()).serial_number(
        x509.random_serial_number()).not_valid_before(now - datetime.timedelta(1)).not_valid_after(now + datetime.timedelta(1)).add_extension(
        x509.BasicConstraints(is_authority, None), True)
    return (made if is_authority else made.add_extension(names, False)).sign(issuer_key, hashes.SHA256())


class Issuer:
    """A TLS server with its own authority, an RSA and a P-256 key."""

    def __init__(self, room):
        authority, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
        root, leaf = certificate("root", authority, "root", authority, True), certificate("localhost", own, "root", authority, False)
        self.thumbprint = hashlib.sha1(root.public_bytes(serialization.Encoding.DER)).hexdigest()
        self.leaf_thumbprint = hashlib.sha1(leaf.public_bytes(serialization.Encoding.DER)).hexdigest()
        pem = room / "server.pem"
        pem.write_bytes(own.private_bytes(PEM, PRIVATE, PLAIN) + leaf.public_bytes(PEM) + root.public_bytes(PEM))
        self.keys = {"one": rsa.generate_private_key(65537, 2048), "two": ec.generate_private_key(ec.SECP256R1())}
        self.shown = ["one", "two"]
        self.asked, self.configuration = [], {}
        issuer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                issuer.asked.append(self.path)
                issuer.get(self)

            def do_POST(self):
                issuer.asked.append(self.path)
                issuer.post(self, self.rfile.read(int(self.headers["Content-Length"] or 0)).decode())

            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.host = f"localhost:{self.server.server_port}"

    def get(self, request):
        body = self.answer(request.path)
        request.send_response(200 if body is not None else 404)
        request.end_headers()
        request.wfile.write(body or b"")

    def post(self, request, _form):
        request.send_error(405)

    def answer(self, path):
        if path.endswith("/.well-known/openid-configuration"):
            tenant = path[:-len("/.well-known/openid-configuration")]
            said = {"issuer": f"https://{self.host}{tenant}", "jwks_uri": f"https://{self.host}/keys"}
            return json.dumps({**said, **self.configuration}).encode()
        if path == "/keys":
            return json.dumps({"keys": [self.jwk(name) for name in self.shown]}).encode()
        return b"x" * 70000 if path == "/large" else None

    def jwk(self, name):
        public = self.keys[name].public_key()
        shape = jwt.algorithms.RSAAlgorithm if isinstance(public, rsa.RSAPublicKey) else jwt.algorithms.ECAlgorithm
        if shape is jwt.algorithms.RSAAlgorithm:
            return {**json.loads(shape.to_jwk(public)), "kid": name, "use": "sig"}
        n = public.public_numbers()
        text = [jwt.utils.base64url_encode(v.to_bytes(32, "big")).decode() for v in (n.x, n.y)]
        return {"kty": "EC", "crv": "P-256", "x": text[0], "y": text[1], "kid": name}

    def token(self, key="one", tenant="", kid=None, algorithm=None, **claims):
        now = int(time.time())
        said = {"iss": f"https://{self.host}{tenant}", "sub": "pod-1", "aud": "sts.amazonaws.com", "iat": now, "exp": now + 600, **claims}
        algorithm = algorithm or ("RS256" if key == "one" else "ES256")
        return jwt.encode({k: v for k, v in said.items() if v is not None}, self.keys.get(key, "secret"), algorithm, headers={"kid": kid or key})


class Provider(Issuer):
    """A provider for sign-in with PKCE. The user is already signed in there, so there is no password page. `mood` sets the fault of the next code:
    claims that replace the token's, or a function that answers instead."""

    def __init__(self, room, client="console", secret=""):
        super().__init__(room)
        self.client, self.secret = client, secret
        self.person = {"sub": "248289761001", "preferred_username": "jane", "email": "jane@example.com", "email_verified": True}
        self.codes, self.mood, self.is_denied, self.scopes = {}, {}, False, set()
        self.configuration = {"authorization_endpoint": f"https://{self.host}/authorize?tenant=one", "token_endpoint": f"https://{self.host}/token"}

    def get(self, request):
        at = urllib.parse.urlsplit(request.path)
        if at.path != "/authorize":
            super().get(request)
            return
        asked = dict(urllib.parse.parse_qsl(at.query))
        assert asked["tenant"] == "one" and asked["response_type"] == "code" and asked["client_id"] == self.client
        assert asked["code_challenge_method"] == "S256" and set(asked["scope"].split()) == {"openid", "profile", "email"} | self.scopes
        back = {"state": asked["state"]}
        if self.is_denied:
            back |= {"error": "access_denied", "error_description": "<script>alert(1)</script>"}
        else:
            back["code"] = secrets.token_urlsafe(16)
            self.codes[back["code"]] = asked
        request.send_response(302)
        request.send_header("Location", asked["redirect_uri"] + "?" + urllib.parse.urlencode({**back, "iss": f"https://{self.host}", "session_state": "x"}))
        request.end_headers()

    def is_client(self, request, form):
        if not self.secret:
            return form.get("client_id") == self.client and "client_secret" not in form
        said = request.headers.get("Authorization", "").removeprefix("Basic ")
        name, _, secret = base64.b64decode(said).decode().partition(":")
        return "client_secret" not in form and urllib.parse.unquote(name) == self.client and urllib.parse.unquote(secret) == self.secret

    def post(self, request, text):
        if callable(self.mood):
            self.mood(request)
            return
        form = dict(urllib.parse.parse_qsl(text))
        if form.get("grant_type") in ("password", "client_credentials"):
            self.grant(request, form)
            return
        asked = self.codes.pop(form.get("code"), None)
        verified = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest()).decode().rstrip("=")
        is_good = asked and verified == asked["code_challenge"] and form.get("redirect_uri") == asked["redirect_uri"] and self.is_client(request, form)
        said = {"id_token": self.token(**{"aud": self.client, "nonce": asked["nonce"], **self.person, **self.mood}), "token_type": "Bearer",
                "access_token": "x"} if is_good and form.get("grant_type") == "authorization_code" else {"error": "invalid_grant"}
        request.send_response(200 if is_good else 400)
        request.send_header("Content-Type", "application/json")
        request.end_headers()
        request.wfile.write(json.dumps(said).encode())

    def grant(self, request, form):
        """Access tokens for programs, as Keycloak makes them: for the audience "account", issued to the client."""
        is_good = self.is_client(request, form) and (form["grant_type"] == "client_credentials" or form.get("password") == "right")
        person = self.person if form["grant_type"] == "password" else {"sub": "service-1", "preferred_username": "service-account-" + self.client}
        said = {"access_token": self.token(**{"aud": "account", "azp": self.client, **person, **self.mood}), "token_type": "Bearer"}
        request.send_response(200 if is_good else 401)
        request.send_header("Content-Type", "application/json")
        request.end_headers()
        request.wfile.write(json.dumps(said if is_good else {"error": "invalid_grant"}).encode())
