/* SPDX-License-Identifier: Apache-2.0
 * An account's SAML 2.0 identity providers, whose assertions trust policies may name. auth/saml/saml.h parses metadata and
 * verifies assertions; these operations change rows only. Requires the account's owner, a manager or a policy. */
#pragma once

#include "engine/operation.h"

enum {
	SAML_PROVIDERS_MAX = 100,   /* per account */
	SAML_CERTIFICATES_MAX = 10, /* signing certificates of a provider */
	SAML_METADATA_MIN = 1000,   /* characters, as in IAM */
	SAML_METADATA_MAX = 131072, /* characters; IAM takes 10,000,000, a request to Dari has 1 MiB */
	SAML_PROVIDER_NAME_MAX = 128
};

/* A metadata document and what was parsed from it. */
struct saml_document {
	struct str text;
	struct str entity_id, sign_in_url;
	struct strs certificates; /* DER in base64 */
	int64_t expires_us;
};

struct saml_provider_wish {
	struct ref owner; /* an account; kind none: the caller's */
	struct str name;
	struct saml_document document;
	struct tags tags;
	/* result: */
	uuid saml_provider;
};
OPERATION(engine_create_saml_provider, saml_provider_wish) /* ERR_EXISTS: a provider has that name */

struct saml_provider_change {
	struct ref saml_provider;
	struct saml_document document;
};
OPERATION(engine_update_saml_provider, saml_provider_change)

struct saml_provider_target {
	struct ref saml_provider;
};
OPERATION(engine_delete_saml_provider, saml_provider_target)

/* A verified assertion that gives a session. */
struct saml_assertion_use {
	uuid saml_provider;
	struct str id;
};
/* The operation records the use for 24 hours, which is longer than any assertion is accepted. ERR_INVALID with KIND_SAML_PROVIDER: the account has
 * seen the assertion before, or the provider is gone. */
OPERATION(engine_use_saml_assertion, saml_assertion_use)
