/* SPDX-License-Identifier: Apache-2.0
 * Verifies OpenPGP signatures by gpgv (of GnuPG), run as a child with a single key and no other keyring.
 * Blocks: never use it on an HTTP thread or the committer. */
#pragma once

#include "base/ctx.h"

struct signature_check {
	struct str text;         /* signed text; or a complete clear-signed one */
	struct str signature;    /* detached, armored or not; empty: the text is clear-signed */
	struct str key;          /* public key, armored or not */
	const char *fingerprint; /* primary key's 40 uppercase hex digits; NULL: any */
};
enum { SIGNATURE_TEXT_MAX = 1 << 20 };

/* Verifies that the key signed the text. *ret_text: the signed text, in c's arena; for a clear-signed text,
 * trust nothing else. ERR_INVALID, with a message: another, revoked or expired key, a mismatch, or no
 * signature. ERR_UNSUPPORTED: gpgv is missing. ERR_IO. */
RESULT signature_verify(struct ctx *c, const struct signature_check *check, struct str *ret_text);
