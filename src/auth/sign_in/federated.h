/* SPDX-License-Identifier: Apache-2.0
 * Sign-in by an identity provider, as every face does it: copies of providers that outlive a view, what a verified token or assertion
 * says of a person, and the secret that ties a response to whoever made the request. Pure except for the clock and randomness; any
 * thread. */
#pragma once

#include "auth/saml/saml.h"
#include "auth/token/web_identity.h"
#include "engine/people/sign_in/oidc_sign_in.h"
#include "engine/people/sign_in/saml_sign_in.h"

struct oidc_provider;
struct saml_provider;

/* Copy what a sign-in needs into c's arena. ERR_NO_MEMORY. */
RESULT federated_copy_oidc(struct ctx *c, const struct oidc_provider *p, struct oidc_provider *ret_provider);
RESULT federated_copy_saml(struct ctx *c, const struct saml_provider *p, struct saml_provider *ret_provider);

/* Take subject, names and groups. The names are only suggestions for a new user's name. ERR_INVALID: the subject is missing. */
RESULT federated_take_oidc(struct ctx *c, const struct oidc_provider *p, const struct web_identity *w,
			   struct oidc_arrival *arrival);
RESULT federated_take_saml(struct ctx *c, const struct saml_provider *p, const struct saml_assertion *s,
			   struct saml_arrival *arrival);

/* This region as a service provider of that provider; endpoint: the region's configured one. consumer and request are left to the face.
 * Strings are in the arena. */
struct saml_service federated_service(struct arena *a, struct str endpoint, uuid provider,
				      bool takes_unasked);
/* Paths to which a browser and a program (ECP) post the response. */
struct str federated_browser_consumer(struct arena *a, struct str endpoint, uuid provider);
struct str federated_program_consumer(struct arena *a, struct str endpoint, uuid provider);
/* The ID of a request that the secret yields. */
struct str federated_request(struct arena *a, struct str secret);

/* A secret of 32 bytes, and its sealed form in base64url, which opens within ten minutes for the same purpose and provider alone. */
#define FEDERATED_BEGUN_US (10 * MINUTE)
RESULT federated_seal(struct ctx *c, const uint8_t *master_key, const char *purpose, uuid provider,
		      struct str *ret_secret, struct str *ret_sealed);
bool federated_open(struct ctx *c, const uint8_t *master_key, const char *purpose, uuid provider,
		    struct str sealed, struct str *ret_secret, int64_t *ret_until_us);
/* A text that only this secret yields, in base64url. */
struct str federated_derive(struct arena *a, struct str secret, const char *what);
