/* SPDX-License-Identifier: Apache-2.0
 * Pending sign-ins: a program has requested one and a person must approve it (device code), or a person has
 * approved it and the program must fetch its tokens (authorisation code). They are kept in memory: after a
 * restart the person signs in again. Their number is limited, also per address. Sources: RFC 6749, section
 * 4.1; RFC 7636; RFC 8628. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

enum {
	SIGN_INS_MAX = 1024,      /* pending at a time */
	SIGN_INS_OF_ONE = 32,     /* pending for one address */
	SIGN_IN_TEXT_MAX = 1024,  /* bytes of each string */
	SIGN_IN_CODE_LETTERS = 9, /* letters of the code that the person types */
};

enum sign_in_kind { SIGN_IN_NONE, SIGN_IN_DEVICE, SIGN_IN_BROWSER };

struct sign_in {
	enum sign_in_kind kind;
	struct ip peer;
	struct str client, scope;
	struct str redirect, challenge, nonce; /* set in a browser's sign-in */
	int64_t expires_us;
	uuid tenant; /* domain of the person; none: any, set on approval */
	/* User who approved it, and the time; unset in a new device sign-in. */
	uuid user;
	struct str name; /* as typed */
	int64_t proved_us;
};

struct sign_ins;
struct sign_ins *sign_ins_new(void);    /* NULL: out of memory */
void sign_ins_free(struct sign_ins *s); /* ignores NULL */

/* Stores a copy. The program presents *ret_secret later; *ret_user_code is typed by the person (NULL: a
 * browser's sign-in has none). ERR_THROTTLED: too many are pending. ERR_INVALID: a string is too long. */
RESULT sign_ins_add(struct sign_ins *s, struct ctx *c, const struct sign_in *wanted, struct str *ret_secret,
		    struct str *ret_user_code);
/* Records that a person has typed the code and authenticated. False: no pending sign-in with this code for
 * this domain. */
bool sign_ins_prove(struct sign_ins *s, struct str user_code, uuid user, uuid tenant, struct str name,
		    int64_t proved_us);
/* Finds the sign-in with the secret and copies it into the arena; removes it if it is approved or expired.
 * False: not found. */
bool sign_ins_take(struct sign_ins *s, struct ctx *c, enum sign_in_kind kind, struct str secret,
		   struct sign_in *ret_sign_in);
