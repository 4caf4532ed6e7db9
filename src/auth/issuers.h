/* SPDX-License-Identifier: Apache-2.0
 * What OpenID Connect's issuers say: their configuration and their keys, fetched from where an issuer's configuration says,
 * on threads that do nothing else, and cached for some minutes; and their answers to the codes that browsers bring. A key with a new name makes them be
 * fetched again, at most every ten seconds. An issuer that cannot be reached is not asked again for
 * as long. Any thread. */
#pragma once

#include "auth/web_identity.h"
#include "base/lane.h"
#include "drivers/web_fetch.h"

struct oidc_provider;

struct issuers;

enum {
	ISSUER_THREADS = 2,
	ISSUERS_WAITING_MAX = 64, /* work that waits or is being done */
	ISSUERS_KEPT = 64,
	ISSUER_DOCUMENT_MAX = 64 * 1024, /* bytes, of the configuration and of the keys */
	ISSUER_TIMEOUT_MS = 5000,        /* for each of them, and for a code's exchange */
	ISSUER_PLACE_MAX = 2000,         /* characters */
};

struct issuers_config {
	struct executor *executor;
	struct web_reach *reach; /* where issuers may be; outlives this */
	RESULT (*fetch)(struct ctx *c, const struct web_fetch *f, struct str *ret_body); /* web_fetch_get() */
};

/* ERR_NO_MEMORY. */
RESULT issuers_new(struct ctx *c, const struct issuers_config *config, struct issuers **ret_issuers);
void issuers_free(struct issuers *i); /* work that waits ends with ERR_GONE; NULL: nothing */
DEFINE_AUTO(issuers)

/* The lane for work that asks for keys. */
struct lane *issuers_lane(struct issuers *i);

/* Checks, inside such work, that the provider's issuer has signed the token. Blocks. The provider's
 * row must outlive the call. Errors of web_identity_prove(); ERR_IO with KIND_OIDC_PROVIDER: the
 * keys cannot be fetched. */
RESULT issuers_prove(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
		     const struct web_identity *w);

/* Where its people sign in, by its configuration (OpenID Connect Discovery 1.0). In c's arena. */
struct issuer_places {
	struct str authorization, token; /* "https://…" */
	bool takes_basic;                /* a client's secret by HTTP Basic, else in the form */
};
/* Inside such work. Blocks. ERR_IO with KIND_OIDC_PROVIDER: it cannot be had, or names no such places. */
RESULT issuers_find_places(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
			   struct issuer_places *ret_places);

/* A code that a browser brought from there (RFC 6749, section 4.1.3; RFC 7636, section 4.5). */
struct issuer_code {
	struct str client, secret; /* secret empty: the client has none */
	struct str code, redirect, verifier;
};
/* Inside such work: exchanges it for an ID token, which is not checked. Blocks. ERR_DENIED with KIND_OIDC_PROVIDER: the issuer
 * refuses the code. ERR_IO: it does not answer, or without an ID token. */
RESULT issuers_exchange(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
			const struct issuer_code *code, struct str *ret_id_token);
