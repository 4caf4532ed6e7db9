/* SPDX-License-Identifier: Apache-2.0
 * AWS Signature Version 4: verifies who signed a request, by header or presigned query. Derived signing keys
 * are cached by key id, date, region and service, so a check costs two HMACs and two digests. Source: AWS
 * General Reference, "Signature Version 4 signing process". Any thread. */
#pragma once

#include "auth/sign_in/session.h"
#include "http/server.h"
#include "model/identity.h"
#include "model/sigv4_sign.h"
#include "store/store.h"

struct last_used;
struct sigv4; /* the verifier: master key, region and cache */

struct sigv4_config {
	struct store *store;       /* users and access keys */
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; copied */
	struct str region;         /* accepted region; for iam and sts also us-east-1 */
	int64_t skew_us;           /* allowed clock difference; 0: 5 minutes */
	struct last_used *uses;    /* records uses of keys and roles; NULL: not recorded */
};

/* Creates a verifier with an empty cache; copies what it needs of config. Free it when no thread uses it any
 * more. */
RESULT sigv4_new(struct ctx *c, const struct sigv4_config *config, struct sigv4 **ret_sigv4);
void sigv4_free(struct sigv4 *s);
DEFINE_AUTO(sigv4)

/* Reason of a refusal; each face maps it to its own code: MissingParameter, AuthFailure, IncompleteSignature,
 * SignatureDoesNotMatch, InvalidClientTokenId, RequestExpired, ExpiredToken. */
enum sigv4_fault {
	SIGV4_FINE,
	SIGV4_NO_CREDENTIALS,
	SIGV4_INCOMPLETE,  /* cannot be parsed, or a part is missing */
	SIGV4_UNKNOWN_KEY, /* unknown or disabled key, or disabled account */
	SIGV4_MISMATCH,    /* wrong signature */
	SIGV4_SKEWED,      /* clock too far off, or presigned request expired */
	SIGV4_EXPIRED,     /* temporary credentials have expired */
	SIGV4_SCOPE,       /* wrong date, region, service or terminator in the scope */
};

struct sigv4_answer {
	enum sigv4_fault fault;
	struct str message; /* message for the caller, in the call's arena */
	/* Service of the credential scope: "ec2", "sts", … Also set on refusal, if it could be parsed. */
	struct str service;
	struct identity *who; /* in the call's arena */
};

/* Checks the call's signature. Every client error is OK with a fault in the answer; a failure is our own
 * (memory, crypto). */
RESULT sigv4_check(struct sigv4 *s, struct call *call, struct sigv4_answer *ret_answer);

/* Access key id that the request claims, verified or not, for records of refusals; empty: none, or
 * malformed. */
enum { CLAIMED_KEY_MAX = 128 };
struct str sigv4_find_claimed_key(const struct call *call);

/* Creates temporary credentials that this verifier accepts. See session_issue(). */
RESULT sigv4_issue_session(struct sigv4 *s, struct ctx *c, const struct session *session, struct str number,
			   struct session_credentials *ret_credentials);
/* Owner of temporary credentials whose token is part of something we signed, so that no request was signed
 * with their secret. NULL: not ours, expired, or disabled; or the arena is full. */
struct identity *sigv4_find_session_owner(struct sigv4 *s, struct ctx *c, struct str key_id,
					  struct str token);
/* See session_read_number(). */
bool sigv4_read_number(const struct sigv4 *s, struct str key_id, char ret_number[static ACCOUNT_NUMBER_SIZE]);
