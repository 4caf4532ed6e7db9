/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: messages of NTLM version 2 without signing and sealing, because TLS protects the
 * connection. Source: MS-NLMP. Pure; any thread. */
#pragma once

#include "base/ctx.h"

enum { NTLM_HASH_SIZE = 16, NTLM_CHALLENGE_SIZE = 8 };

/* The first message, as base64. */
struct str ntlm_write_negotiate(struct ctx *c);

/* The server's answer to the first message. */
struct ntlm_challenge {
	uint8_t bytes[NTLM_CHALLENGE_SIZE];
	struct str target_info; /* in the arena */
	bool has_time;
	uint8_t time[8]; /* the server's time, in the form of target_info */
};
/* ERR_IO: base64 is no such message. */
RESULT ntlm_read_challenge(struct ctx *c, struct str base64, struct ntlm_challenge *ret_challenge);

/* Values of the last message that tests fix. */
struct ntlm_nonce {
	uint8_t bytes[NTLM_CHALLENGE_SIZE];
	uint8_t time[8];
};
/* The last message, as base64. login: DOMAIN\user, user@domain or user, in ASCII. */
RESULT ntlm_write_answer(struct ctx *c, struct str login, struct str password,
			 const struct ntlm_challenge *challenge, const struct ntlm_nonce *nonce,
			 struct str *ret_base64);
/* A random nonce with the server's time, or the time now. */
void ntlm_make_nonce(const struct ntlm_challenge *challenge, struct ntlm_nonce *ret_nonce);

/* RFC 1320. */
void ntlm_md4(struct str data, uint8_t out[static NTLM_HASH_SIZE]);
