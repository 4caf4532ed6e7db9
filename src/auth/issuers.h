/* SPDX-License-Identifier: Apache-2.0
 * The keys of OpenID Connect's issuers: fetched from where their configuration says, on threads that do
 * nothing else, kept for some minutes. Of a new key's name they are fetched again, at most every ten seconds;
 * who cannot be reached is not asked again for as long. Any thread. */
#pragma once

#include "auth/web_identity.h"
#include "base/lane.h"
#include "drivers/web_fetch.h"

struct oidc_provider;

struct issuers;

enum {
	ISSUER_THREADS = 2,
	ISSUERS_WAITING_MAX = 64, /* work that waits or is done */
	ISSUERS_KEPT = 64,
	ISSUER_DOCUMENT_MAX = 64 * 1024, /* of its configuration, of its keys */
	ISSUER_TIMEOUT_MS = 5000,        /* for each of the two */
};

struct issuers_config {
	struct executor *executor;
	struct web_reach *reach; /* where they may be; outlives them */
	RESULT (*fetch)(struct ctx *c, const struct web_fetch *f, struct str *ret_body); /* web_fetch_get() */
};

/* ERR_NO_MEMORY. */
RESULT issuers_new(struct ctx *c, const struct issuers_config *config, struct issuers **ret_issuers);
void issuers_free(struct issuers *i); /* NULL: nothing; what waits ends with ERR_GONE */
DEFINE_AUTO(issuers)

/* Where work that asks for keys is done. */
struct lane *issuers_lane(struct issuers *i);

/* In such work: whether the provider's issuer signed it. The row has to outlive the call. As
 * web_identity_prove(), and ERR_IO with KIND_OIDC_PROVIDER: its keys cannot be had. */
RESULT issuers_prove(struct issuers *i, struct ctx *c, const struct oidc_provider *provider,
		     const struct web_identity *w);
