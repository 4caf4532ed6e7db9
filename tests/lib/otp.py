# SPDX-License-Identifier: Apache-2.0
"""Codes that an authenticator app shows (RFC 6238), from the seed that it scanned."""
import base64
import hashlib
import hmac
import struct

PERIOD_S = 30


def code(seed, period):
    """The six digits of a period, counted from 1970. seed: base32."""
    mac = hmac.new(base64.b32decode(seed), struct.pack(">Q", period), hashlib.sha1).digest()
    at = mac[-1] & 15
    return f"{(struct.unpack('>I', mac[at:at + 4])[0] & 0x7fffffff) % 1000000:06d}"
