/* SPDX-License-Identifier: Apache-2.0
 * AWS Signature Version 4: who signed a request, in its header form or its presigned query form.
 * Derived signing keys are cached by key id, date, region and service, so a check costs two HMACs
 * and two digests. Source: AWS General Reference, "Signature Version 4 signing process". Any
 * thread. */
#pragma once

#include "auth/session.h"
#include "http/server.h"
#include "model/identity.h"
#include "store/store.h"

struct uses;
struct sigv4; /* the verifier: its master key, region and cache */

struct sigv4_config {
	struct store *store;       /* that users and access keys are read from */
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; copied */
	struct str region;         /* other scopes are refused; for iam and sts us-east-1 is accepted, too */
	int64_t skew_us;           /* by how much clocks may differ; 0: 5 minutes */
	struct uses *uses;         /* records when keys and roles are used; NULL: nobody does */
};

/* Makes a verifier with an empty cache. config is not kept. Free it when no thread uses it any
 * more. */
RESULT sigv4_new(struct ctx *c, const struct sigv4_config *config, struct sigv4 **ret_sigv4);
void sigv4_free(struct sigv4 *s);
DEFINE_AUTO(sigv4)

/* Why a request was refused, so that the face can answer with the exact code: MissingParameter,
 * AuthFailure, IncompleteSignature, SignatureDoesNotMatch, InvalidClientTokenId, RequestExpired,
 * ExpiredToken. */
enum sigv4_fault {
	SIGV4_FINE,
	SIGV4_NO_CREDENTIALS,
	SIGV4_INCOMPLETE,  /* it cannot be parsed, or a part is missing */
	SIGV4_UNKNOWN_KEY, /* the key is unknown or inactive, or its account disabled */
	SIGV4_MISMATCH,    /* the signature is wrong */
	SIGV4_SKEWED,      /* the clock is too far off, or a presigned request has expired */
	SIGV4_EXPIRED,     /* the temporary credentials have expired */
	SIGV4_SCOPE,       /* the scope's date, region, service or terminator is wrong */
};

struct sigv4_answer {
	enum sigv4_fault fault;
	struct str message; /* words for the caller, in the call's arena */
	/* The service in the credential scope: "ec2", "sts", … Also set when the request is
	 * refused, if it could be parsed. */
	struct str service;
	struct identity *who; /* in the call's arena */
};

/* Checks the call's signature. Whatever a client can do wrong is OK with a fault in the answer. A
 * failure is our own (memory, crypto). */
RESULT sigv4_check(struct sigv4 *s, struct call *call, struct sigv4_answer *ret_answer);

/* The access key that a request says it is signed with, proved or not, for records of refusals; empty: none, or no word. */
enum { CLAIMED_KEY_MAX = 128 };
struct str sigv4_find_claimed_key(const struct call *call);

/* Makes temporary credentials that this verifier accepts, for the account with that number. See
 * session_issue(). */
RESULT sigv4_issue_session(struct sigv4 *s, struct ctx *c, const struct session *session, struct str number,
			   struct session_credentials *ret_credentials);
/* Whose temporary credentials are, for who shows their token in what we signed: no request was signed with their secret.
 * NULL: they are not ours, have expired, or whose they are may not get in; or the arena is full. */
struct identity *sigv4_find_session_owner(struct sigv4 *s, struct ctx *c, struct str key_id,
					  struct str token);
/* See session_read_number(). */
bool sigv4_read_number(const struct sigv4 *s, struct str key_id, char ret_number[static ACCOUNT_NUMBER_SIZE]);

/* Signs a request of our own, for the load generator and tests. Gives the values of its
 * Authorization and date headers. */
struct sigv4_signing {
	struct str key_id, secret, region, service, method, path, query, body, host;
	int64_t at_us;
};
RESULT sigv4_sign(struct ctx *c, const struct sigv4_signing *request, struct str *ret_authorization,
		  struct str *ret_amz_date);
