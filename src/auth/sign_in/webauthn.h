/* SPDX-License-Identifier: Apache-2.0
 * Passkeys (Web Authentication): challenges, registration and assertions. No CBOR is parsed: the browser
 * gives the key as SubjectPublicKeyInfo, and other needed fields have fixed offsets. Sources: Web
 * Authentication Level 2, sections 5.8.1, 6.1, 7.1 and 7.2. Pure except for clock and randomness; any
 * thread. */
#pragma once

#include "base/crypto.h"
#include "base/ctx.h"
#include "base/uuid.h"

enum {
	WEBAUTHN_CREDENTIAL_MAX = 1023,  /* bytes of a credential id */
	WEBAUTHN_KEY_MAX = 1024,         /* bytes of a key in DER; RSA of 4096 bits takes 550 */
	WEBAUTHN_CLIENT_DATA_MAX = 4096, /* bytes */
	WEBAUTHN_DATA_MAX = 4096,        /* bytes of authenticator data */
	WEBAUTHN_SIGNATURE_MAX = 1024,   /* bytes */
	WEBAUTHN_CHALLENGE_SIZE = 56,    /* bytes */
};
#define WEBAUTHN_LIFETIME_US (5 * MINUTE)

/* Context of a challenge. */
struct webauthn_party {
	struct str origin; /* as browsers write it: "https://cloud.example.com:8080" */
	struct str rp;     /* its host name */
	uuid user;         /* user of the challenge; none: any */
	bool is_new;       /* registration; else assertion */
};

/* Draws a challenge that is valid for this party for some minutes. Nothing is stored. */
void webauthn_draw_challenge(const uint8_t master[static MASTER_KEY_SIZE], const struct webauthn_party *party,
			     uint8_t ret_challenge[static WEBAUTHN_CHALLENGE_SIZE]);

/* A browser's answer, as bytes. */
struct webauthn_answer {
	struct str client_data; /* JSON */
	struct str data;        /* authenticator data */
	struct str signature;   /* over both; a registration has none */
};
struct webauthn_said {
	int64_t asked_us;      /* when the challenge was drawn */
	int64_t counter;       /* signature counter; 0: not supported */
	bool is_verified;      /* user verification by PIN or biometrics */
	struct str credential; /* credential id of a new key; points into the answer's data */
};
/* Checks everything except the signature: browser and authenticator answered a challenge of ours for this
 * party. ERR_INVALID, with a message for the log. */
RESULT webauthn_read(struct ctx *c, const uint8_t master[static MASTER_KEY_SIZE],
		     const struct webauthn_party *party, const struct webauthn_answer *answer,
		     struct webauthn_said *ret_said);
/* True if the key has signed the answer. */
bool webauthn_has_signed(struct str public_key, struct arena *a, const struct webauthn_answer *answer);
/* True for a supported key in DER: P-256, or RSA of 2048 to 4096 bits. */
bool webauthn_is_key(struct str public_key);
/* True if the host can have passkeys, which need a host name: not "192.0.2.1" or "[::1]". */
bool webauthn_is_rp(struct str host);
