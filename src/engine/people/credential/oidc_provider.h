/* SPDX-License-Identifier: Apache-2.0
 * An account's OpenID Connect providers: issuers whose tokens trust policies may name. auth/token/web_identity.h
 * checks the tokens. Requires the account's owner, a manager or a policy. */
#pragma once

#include "engine/operation.h"

enum {
	OIDC_PROVIDERS_MAX = 100, /* per account */
	OIDC_CLIENTS_MAX = 100,   /* per provider */
	OIDC_THUMBPRINTS_MAX = 5,
	OIDC_THUMBPRINT_SIZE = 40, /* hex digits */
};

/* Reads "https://id.example.com/tenant" into the wish's form: no scheme, query, user or trailing slash, and a host in lower case.
 * ERR_INVALID names the field. */
RESULT engine_read_oidc_url(struct ctx *c, struct str field, struct str url, struct str *ret_url);
/* ERR_INVALID names the field: a thumbprint is not OIDC_THUMBPRINT_SIZE hexadecimal digits. */
RESULT engine_check_oidc_thumbprints(struct ctx *c, struct str field, struct strs thumbprints);

struct oidc_provider_wish {
	struct ref owner; /* an account; kind none: the caller's */
	struct str url;   /* without "https://" */
	struct strs client_ids, thumbprints;
	struct tags tags;
	/* result: */
	uuid oidc_provider;
};
OPERATION(engine_create_oidc_provider, oidc_provider_wish) /* ERR_EXISTS: a provider has that URL */

struct oidc_provider_target {
	struct ref oidc_provider;
};
OPERATION(engine_delete_oidc_provider, oidc_provider_target)

struct oidc_client {
	struct ref oidc_provider;
	struct str client_id;
};
OPERATION(engine_add_oidc_client, oidc_client)    /* no change if the client exists */
OPERATION(engine_remove_oidc_client, oidc_client) /* no change if the client does not exist */

struct oidc_thumbprints {
	struct ref oidc_provider;
	struct strs thumbprints; /* replace the present ones */
};
OPERATION(engine_set_oidc_thumbprints, oidc_thumbprints)
