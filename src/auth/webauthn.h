/* SPDX-License-Identifier: Apache-2.0
 * What authenticators of browsers sign (passkeys): challenges, new keys, and answers. No CBOR is read: the browser gives a key as
 * SubjectPublicKeyInfo, and the rest of what is needed stands at fixed places. Sources: Web Authentication Level 2, sections 5.8.1, 6.1,
 * 7.1 and 7.2. Pure except for the clock and chance; any thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "base/uuid.h"

enum {
	WEBAUTHN_CREDENTIAL_MAX = 1023,  /* bytes of an authenticator's name for a key */
	WEBAUTHN_KEY_MAX = 1024,         /* bytes of a key in DER: RSA of 4096 bits has 550 */
	WEBAUTHN_CLIENT_DATA_MAX = 4096, /* bytes */
	WEBAUTHN_DATA_MAX = 4096,        /* bytes of an authenticator's data */
	WEBAUTHN_SIGNATURE_MAX = 1024,   /* bytes */
	WEBAUTHN_CHALLENGE_SIZE = 56,    /* bytes */
};
#define WEBAUTHN_LIFETIME_US (5 * MINUTE)

/* Who is asked, where, and what for. */
struct webauthn_party {
	struct str origin; /* "https://cloud.example.com:8080": as browsers write it */
	struct str rp;     /* its host name */
	uuid user;         /* whom the challenge is for; none: whoever answers */
	bool is_new;       /* a key is made; else one signs */
};

/* A challenge, which is worth something to that party alone, for some minutes. Nothing of it is kept. */
void webauthn_draw_challenge(const uint8_t master[static MASTER_KEY_SIZE], const struct webauthn_party *party,
			     uint8_t ret_challenge[static WEBAUTHN_CHALLENGE_SIZE]);

/* What a browser says; all of it in bytes. */
struct webauthn_answer {
	struct str client_data; /* JSON */
	struct str data;        /* the authenticator's */
	struct str signature;   /* over both; of a new key there is none */
};
struct webauthn_said {
	int64_t asked_us;      /* when its challenge was drawn */
	int64_t counter;       /* of signatures; 0: the authenticator has none */
	bool is_verified;      /* the authenticator has verified its user: by a PIN, a finger */
	struct str credential; /* of a new key: the authenticator's name for it; in the answer's data */
};
/* Checks all but signatures: what the browser and the authenticator say is for this party, by a challenge of ours. ERR_INVALID, in words
 * for the log. */
RESULT webauthn_read(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE],
		     const struct webauthn_party *party, const struct webauthn_answer *answer,
		     struct webauthn_said *ret_said);
/* Whether the key has signed it. */
bool webauthn_has_signed(struct str public_key, struct arena *a, const struct webauthn_answer *answer);
/* Whether it is a key that can be checked: P-256, or RSA of 2048 to 4096 bits, in DER. */
bool webauthn_is_key(struct str public_key);
/* Whether passkeys can be for that host: it has a name. "192.0.2.1" and "[::1]" have none. */
bool webauthn_is_rp(struct str host);
