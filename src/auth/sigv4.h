/* SPDX-License-Identifier: Apache-2.0
 * AWS Signature Version 4: who signed a request. Header form and presigned query form; derived
 * signing keys are cached per (key id, date, region, service), so that a signature costs two
 * HMACs and two digests. Source: "Signature Version 4 signing process", AWS General Reference.
 * Any thread. */
#pragma once

#include "auth/session.h"
#include "http/server.h"
#include "model/identity.h"
#include "store/store.h"

struct uses;
struct sigv4; /* the verifier: master key, region, cache */

struct sigv4_config {
	struct store *store;       /* users and access keys are looked up in it */
	const uint8_t *master_key; /* MASTER_KEY_SIZE bytes; copied */
	struct str region;         /* other scopes are refused; us-east-1 too is accepted for iam and sts */
	int64_t skew_us;           /* 0: 5 minutes either way */
	struct uses *uses;         /* where uses of keys and roles are noted; NULL: nowhere */
};

/* A verifier with an empty cache; config is not kept. Free it when no thread checks any more. */
RESULT sigv4_new(struct ctx *c, const struct sigv4_config *config, struct sigv4 **ret_sigv4);
void sigv4_free(struct sigv4 *s);
DEFINE_AUTO(sigv4)

/* Why a request was not accepted, for the face's exact code (facts: MissingParameter, AuthFailure,
 * IncompleteSignature, SignatureDoesNotMatch, InvalidClientTokenId, RequestExpired, ExpiredToken). */
enum sigv4_fault {
	SIGV4_FINE,
	SIGV4_NO_CREDENTIALS,
	SIGV4_INCOMPLETE,  /* cannot be parsed, or lacks a part */
	SIGV4_UNKNOWN_KEY, /* unknown or inactive key, or a disabled account */
	SIGV4_MISMATCH,    /* the signature is wrong */
	SIGV4_SKEWED,      /* the clock is too far off, or a presigned request is over */
	SIGV4_EXPIRED,     /* the session of temporary credentials is over */
	SIGV4_SCOPE,       /* date, region, service or terminator of the scope do not fit */
};

struct sigv4_answer {
	enum sigv4_fault fault;
	struct str message;   /* words for the caller, in the call's arena */
	struct str service;   /* of the credential scope: "ec2", "sts", … also when refused, if it parsed */
	struct identity *who; /* in the call's arena */
};

/* Checks call's signature. service_hint may be empty. The result is ERR_NONE with a fault in the
 * answer for everything a client can do wrong; an error is ours (memory, crypto). */
RESULT sigv4_check(struct sigv4 *s, struct call *call, struct sigv4_answer *ret_answer);

/* Temporary credentials that this verifier takes, of the account with that number. As session_issue(). */
RESULT sigv4_issue_session(struct sigv4 *s, struct ctx *c, const struct session *session, struct str number,
			   struct session_credentials *ret_credentials);
/* As session_read_number(). */
bool sigv4_read_number(const struct sigv4 *s, struct str key_id, char ret_number[static ACCOUNT_NUMBER_SIZE]);

/* Makes the Authorization header value for a request of ours: the C load generator, tests. */
struct sigv4_signing {
	struct str key_id, secret, region, service, method, path, query, body, host;
	int64_t at_us;
};
RESULT sigv4_sign(struct ctx *c, const struct sigv4_signing *request, struct str *ret_authorization,
		  struct str *ret_amz_date);
