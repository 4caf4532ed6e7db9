/* SPDX-License-Identifier: Apache-2.0
 * Sign-ins that wait: a program has asked for one, and a person has to prove who they are (a device's code), or a person has,
 * and the program has yet to come for its tokens (an authorization code). They are kept in memory: a restart forgets them, and
 * the person signs in once more. Their number is bounded, of each address, too. Sources: RFC 6749, section 4.1; RFC 7636;
 * RFC 8628. Any thread. */
#pragma once

#include "base/ctx.h"
#include "base/ip.h"
#include "base/uuid.h"

enum {
	SIGN_INS_MAX = 1024,      /* that wait at a time */
	SIGN_INS_OF_ONE = 32,     /* of one address */
	SIGN_IN_TEXT_MAX = 1024,  /* bytes of each text */
	SIGN_IN_CODE_LETTERS = 9, /* that the person types */
};

enum sign_in_kind { SIGN_IN_NONE, SIGN_IN_DEVICE, SIGN_IN_BROWSER };

struct sign_in {
	enum sign_in_kind kind;
	struct ip peer;
	struct str client, scope;
	struct str redirect, challenge, nonce; /* of a browser's */
	int64_t expires_us;
	uuid tenant; /* whose persons may prove it; none: any, then theirs */
	/* Who proved it, and when; a device's has none at first. */
	uuid user;
	struct str name; /* as they typed it */
	int64_t proved_us;
};

struct sign_ins;
struct sign_ins *sign_ins_new(void);    /* NULL: no memory */
void sign_ins_free(struct sign_ins *s); /* NULL: nothing */

/* Keeps a copy. The secret is what the program comes back with; user_code, of a device's, is what the person types (NULL: of a
 * browser's). ERR_THROTTLED: too many wait. ERR_INVALID: a text is too long. */
RESULT sign_ins_add(struct sign_ins *s, struct ctx *c, const struct sign_in *wanted, struct str *ret_secret,
		    struct str *ret_user_code);
/* A person has proved who they are, and typed the code. False: it leads to none that waits for one of
 * that tenant. */
bool sign_ins_prove(struct sign_ins *s, struct str user_code, uuid user, uuid tenant, struct str name,
		    int64_t proved_us);
/* The one of that secret, copied into the arena; it goes with this if it is proved, or its time is over. False: there is none. */
bool sign_ins_take(struct sign_ins *s, struct ctx *c, enum sign_in_kind kind, struct str secret,
		   struct sign_in *ret_sign_in);
