/* SPDX-License-Identifier: Apache-2.0
 * OpenPGP signatures, checked by gpgv (of GnuPG), which runs as a child with one key and no other keyring. Blocks: never
 * on an HTTP thread or the committer. */
#pragma once

#include "base/ctx.h"

struct signature_check {
	struct str text;         /* what is signed; or clear-signed as a whole */
	struct str signature;    /* detached, armored or not; empty: the text is clear-signed */
	struct str key;          /* the public key, armored or not */
	const char *fingerprint; /* 40 capital hex digits of the primary key; NULL: whatever key that is */
};
enum { SIGNATURE_TEXT_MAX = 1 << 20 };

/* Whether that key signed the text. *ret_text: what is signed, in c's arena: of a clear-signed text nothing else is to
 * be believed. ERR_INVALID, in words: by another key, by one that is revoked or expired, of other bytes, or no
 * signature. ERR_UNSUPPORTED: there is no gpgv. ERR_IO. */
RESULT signature_verify(struct ctx *c, const struct signature_check *check, struct str *ret_text);
