/* SPDX-License-Identifier: Apache-2.0
 * OpenID Connect issuers: their configuration and keys, fetched on dedicated threads and cached for some
 * minutes, and the exchange of authorisation codes. A token with an unknown key id causes another fetch, at
 * most every ten seconds. An issuer that could not be reached is not asked again for ten seconds. Any
 * thread. */
#pragma once

#include "auth/token/web_identity.h"
#include "base/lane.h"
#include "drivers/web_fetch.h"

struct oidc_provider;

struct issuers;

enum {
	ISSUER_THREADS = 8,
	ISSUERS_WAITING_MAX = 64, /* pending and running requests */
	ISSUERS_KEPT = 64,
	ISSUER_DOCUMENT_MAX = 64 * 1024, /* bytes, of the configuration and of the keys */
	ISSUER_TIMEOUT_MS = 5000,        /* for each document, and for a code's exchange */
	ISSUER_PLACE_MAX = 2000,         /* characters */
};

struct issuers_config {
	struct executor *executor;
	struct egress_policy *reach; /* egress policy for issuers; outlives this */
	RESULT (*fetch)(struct ctx *c, const struct web_fetch *f, struct str *ret_body); /* web_fetch_get() */
};

/* ERR_NO_MEMORY. */
RESULT issuers_new(struct ctx *c, const struct issuers_config *config, struct issuers **ret_issuers);
void issuers_free(struct issuers *i); /* pending work ends with ERR_GONE; ignores NULL */
DEFINE_AUTO(issuers)

/* Lane for the functions below that block. */
struct lane *issuers_lane(struct issuers *i);

/* Checks that the provider's issuer has signed the token. Blocks; call it on the lane. The provider's row
 * must outlive the call. Errors of web_identity_prove(); ERR_IO with KIND_OIDC_PROVIDER: the keys cannot be
 * fetched. */
RESULT issuers_prove(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
		     const struct web_identity *w);

/* Sign-in endpoints from the issuer's configuration (OpenID Connect Discovery 1.0), in c's arena. */
struct issuer_places {
	struct str authorization, token; /* "https://…" */
	bool takes_basic;                /* client secret by HTTP Basic; else in the form */
};
/* Blocks; call it on the lane. ERR_IO with KIND_OIDC_PROVIDER: not reachable, or the configuration has no
 * such endpoints. */
RESULT issuers_find_places(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
			   struct issuer_places *ret_places);

/* An authorisation code that a browser brought (RFC 6749, section 4.1.3; RFC 7636, section 4.5). */
struct issuer_code {
	struct str client, secret; /* secret empty: the client has none */
	struct str code, redirect, verifier;
};
/* Exchanges the code for an ID token, which is not checked. Blocks; call it on the lane. ERR_DENIED with
 * KIND_OIDC_PROVIDER: the issuer refuses the code. ERR_IO: no answer, or no ID token in it. */
RESULT issuers_exchange(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
			const struct issuer_code *code, struct str *ret_id_token);
