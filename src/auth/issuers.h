/* SPDX-License-Identifier: Apache-2.0
 * The keys of OpenID Connect's issuers. They are fetched from where an issuer's configuration says,
 * on threads that do nothing else, and cached for some minutes. A key with a new name makes them be
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
	ISSUER_TIMEOUT_MS = 5000,        /* for each of the two */
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
