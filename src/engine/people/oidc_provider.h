/* SPDX-License-Identifier: Apache-2.0
 * An account's OpenID Connect providers: issuers whose tokens trust policies may name.
 * auth/web_identity.h checks such tokens. For an account's owner and managers, and those whom
 * policies allow it. */
#pragma once

#include "engine/operation.h"

enum {
	OIDC_PROVIDERS_MAX = 100, /* of an account */
	OIDC_CLIENTS_MAX = 100,   /* of one */
	OIDC_THUMBPRINTS_MAX = 5,
	OIDC_THUMBPRINT_SIZE = 40, /* hex digits */
};

struct oidc_provider_wish {
	struct str url; /* without "https://" */
	struct strs client_ids, thumbprints;
	struct tags tags;
	/* made: */
	uuid oidc_provider;
};
OPERATION(engine_create_oidc_provider, oidc_provider_wish) /* ERR_EXISTS: there is one of that URL */

struct oidc_provider_target {
	struct ref oidc_provider;
};
OPERATION(engine_delete_oidc_provider, oidc_provider_target)

struct oidc_client {
	struct ref oidc_provider;
	struct str client_id;
};
OPERATION(engine_add_oidc_client, oidc_client)    /* a client that it has already: nothing changes */
OPERATION(engine_remove_oidc_client, oidc_client) /* which it has not: likewise */

struct oidc_thumbprints {
	struct ref oidc_provider;
	struct strs thumbprints; /* in place of those before */
};
OPERATION(engine_set_oidc_thumbprints, oidc_thumbprints)
