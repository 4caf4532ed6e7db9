# SPDX-License-Identifier: Apache-2.0
"""A SAML identity provider: writes its metadata, and signs responses with Debian's lxml and cryptography."""
import base64
import copy
import datetime
import hashlib
import urllib.parse
import zlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

ENDPOINT = "https://signin.aws.amazon.com/saml"
ASSERTION, PROTOCOL = "urn:oasis:names:tc:SAML:2.0:assertion", "urn:oasis:names:tc:SAML:2.0:protocol"
DSIG, C14N = "http://www.w3.org/2000/09/xmldsig#", "http://www.w3.org/2001/10/xml-exc-c14n#"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
METHODS = {rsa.RSAPrivateKey: "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
           ec.EllipticCurvePrivateKey: "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"}
CLAIM = "https://aws.amazon.com/SAML/Attributes/"


def canonical(element):
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def stamp(when):
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


class Provider:
    def __init__(self, entity="https://idp.example.com/saml", key=None, now=None):
        self.entity, self.key, self.serial = entity, key or rsa.generate_private_key(65537, 2048), 0
        self.now = now or (lambda: datetime.datetime.now(datetime.timezone.utc))
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp")])
        start = datetime.datetime(2020, 1, 1)
        self.certificate = x509.CertificateBuilder(name, name, self.key.public_key(), 7, start, start + datetime.timedelta(days=36500)).sign(
            self.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)

    def metadata(self, attributes="", more=""):
        body = base64.b64encode(self.certificate).decode()
        return f"""<?xml version="1.0" encoding="UTF-8"?>
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{self.entity}" {attributes}>
<md:IDPSSODescriptor WantAuthnRequestsSigned="false" protocolSupportEnumeration="{PROTOCOL}">
<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{DSIG}"><ds:X509Data><ds:X509Certificate>{body}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
{more}<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{self.entity}/sso"/>
</md:IDPSSODescriptor></md:EntityDescriptor>
"""

    def response(self, roles, signs="Assertion", **more):
        """A signed response in base64. roles: pairs of ARNs; more: session, name, audience, recipient, issuer, age_s, life_s, claims, statement,
        destination, answers (the request's ID), name_format, plain (attributes by their whole names)."""
        return base64.b64encode(self.text(roles, signs, **more)).decode()

    def text(self, roles, signs="Assertion", session="ann@example.com", name="ann", audience="urn:amazon:webservices", recipient=ENDPOINT, issuer=None,
             age_s=0, life_s=300, claims=(), statement="", identifier=None, status="Success", destination=ENDPOINT, answers="", inner_answers=None, name_format="persistent", plain=()):
        self.serial += 1
        identifier = identifier or f"_a{self.serial}-{id(self):x}-{self.now().timestamp():.0f}"
        issued = self.now() - datetime.timedelta(seconds=age_s)
        until, issuer = stamp(issued + datetime.timedelta(seconds=life_s)), issuer or self.entity
        outer, inner = (f'InResponseTo="{x}"' if x else "" for x in (answers, answers if inner_answers is None else inner_answers))
        values = [("Role", [",".join(r) for r in roles]), *([("RoleSessionName", [session])] if session else []), *claims]
        attributes = "".join(f'<Attribute Name="{n if ":" in n and "PrincipalTag" not in n else CLAIM + n}">' + "".join(
            f"<AttributeValue>{v}</AttributeValue>" for v in each) + "</Attribute>" for n, each in values) + "".join(
            f'<Attribute Name="{n}">' + "".join(f"<AttributeValue>{v}</AttributeValue>" for v in each) + "</Attribute>" for n, each in plain)
        root = etree.fromstring(f"""<samlp:Response xmlns:samlp="{PROTOCOL}" ID="_r{self.serial}" Version="2.0" IssueInstant="{stamp(issued)}" Destination="{destination}" {outer}>
<Issuer xmlns="{ASSERTION}">{issuer}</Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></samlp:Status>
<Assertion xmlns="{ASSERTION}" ID="{identifier}" Version="2.0" IssueInstant="{stamp(issued)}"><Issuer>{issuer}</Issuer>
<Subject><NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:{name_format}">{name}</NameID>
<SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><SubjectConfirmationData NotOnOrAfter="{until}" Recipient="{recipient}" {inner}/></SubjectConfirmation></Subject>
<Conditions NotBefore="{stamp(issued)}" NotOnOrAfter="{until}"><AudienceRestriction><Audience>{audience}</Audience></AudienceRestriction></Conditions>
<AuthnStatement AuthnInstant="{stamp(issued)}" {statement}/><AttributeStatement>{attributes}</AttributeStatement></Assertion></samlp:Response>""")
        for element in [root.find(f"{{{ASSERTION}}}Assertion")] * ("Assertion" in signs) + [root] * ("Response" in signs):
            self.sign(element)
        return etree.tostring(root)

    def sign(self, element):
        """Puts an enveloped signature behind the element's Issuer."""
        digest = base64.b64encode(hashlib.sha256(canonical(element)).digest()).decode()
        method = next(m for kind, m in METHODS.items() if isinstance(self.key, kind))
        signature = etree.fromstring(f"""<ds:Signature xmlns:ds="{DSIG}"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{C14N}"/><ds:SignatureMethod Algorithm="{method}"/>\
<ds:Reference URI="#{element.get('ID')}"><ds:Transforms><ds:Transform Algorithm="{DSIG}enveloped-signature"/><ds:Transform Algorithm="{C14N}"/></ds:Transforms>\
<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo><ds:SignatureValue/></ds:Signature>""")
        signed = canonical(copy.deepcopy(signature[0]))
        signature[1].text = base64.b64encode(self.sign_bytes(signed)).decode()
        element.insert(1, signature)

    def sign_bytes(self, data):
        if isinstance(self.key, rsa.RSAPrivateKey):
            return self.key.sign(data, padding.PKCS1v15(), hashes.SHA256())
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
        r, s = decode_dss_signature(self.key.sign(data, ec.ECDSA(hashes.SHA256())))
        size = (self.key.curve.key_size + 7) // 8
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def read_request(url):
    """The AuthnRequest that a redirect brings: (its root, RelayState or None)."""
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
    return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"]), -15)), query.get("RelayState")
