/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: SAML providers by which people sign in. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"
#include "engine/people/credential/saml_provider.h"
#include "engine/people/sign_in/saml_sign_in.h"

struct saml_provider;

/* Records that an assertion was used. ERR_INVALID with KIND_SAML_PROVIDER: the account has seen it before. */
RESULT saml_provider_spend(struct op *op, const struct saml_provider *provider, struct str id);
/* The domain is deleted. */
RESULT saml_sign_in_forget_domain(struct op *op, uuid domain);
/* ERR_PROTECTED: the provider is used for sign-in, and the caller is no administrator. */
RESULT saml_sign_in_check_free(struct op *op, const struct saml_provider *provider);
/* ERR_STATE: people sign in by the provider, and its users are known by another entityID. */
RESULT saml_sign_in_check_issuer(struct op *op, const struct saml_provider *provider, struct str entity_id);
