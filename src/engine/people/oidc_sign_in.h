/* SPDX-License-Identifier: Apache-2.0
 * Signing in to the console by an OpenID Connect provider: which providers vouch for the people of which domain, and who is whom.
 * Somebody is known by issuer and subject alone, never by a name or an address of electronic mail, which others may have had before.
 * Administrators of the region say all of it; what a token says was proved before (auth/web_identity.h). */
#pragma once

#include "engine/operation.h"

enum {
	OIDC_SIGN_INS_MAX = 8,  /* providers of a domain */
	OIDC_CLIENT_MAX = 255,  /* characters */
	OIDC_SUBJECT_MAX = 255, /* OpenID Connect Core 1.0, section 2 */
	OIDC_SIGN_IN_NAME_MAX = 64,
};

/* From now on it vouches for people of the domain; what was said before goes. ERR_QUOTA: so many do already. */
struct oidc_sign_in_wish {
	struct ref oidc_provider, domain;
	struct str name, client;
	struct str secret; /* sealed for the provider's row; empty: the client has none */
	bool makes_users;
};
OPERATION(engine_set_oidc_sign_in, oidc_sign_in_wish)

/* It vouches for nobody any more. Its users stay, and so does what they are called there. */
struct oidc_sign_in_target {
	struct ref oidc_provider;
};
OPERATION(engine_end_oidc_sign_in, oidc_sign_in_target)

/* A domain's user is that subject of the provider, which vouches for the domain; subject empty: of none. ERR_EXISTS: another user of the
 * domain is. */
struct oidc_link {
	struct ref user, oidc_provider;
	struct str subject;
};
OPERATION(engine_link_oidc_user, oidc_link)

/* A provider has vouched for somebody, who is not the caller yet. Finds the user, or makes one where the provider may. Nothing is
 * permitted by this. ERR_UNAUTHENTICATED: nobody of the domain is meant, or may come in. */
enum { OIDC_NAMES = 3 };
struct oidc_arrival {
	uuid oidc_provider;
	struct str subject, email;
	struct str names[OIDC_NAMES]; /* for a new user: the first that is a name, and free */
	/* found or made: */
	uuid user;
};
OPERATION(engine_arrive_by_oidc, oidc_arrival)

struct oidc_provider;
struct user;
/* The user whom a subject of the provider is; NULL: none of its domain. */
const struct user *oidc_sign_in_find_user(const struct tables *t, const struct oidc_provider *provider,
					  struct str subject);
/* The domain goes. */
RESULT oidc_sign_in_forget_domain(struct op *op, uuid domain);
/* ERR_PROTECTED: people sign in by it, and the caller is no administrator. */
RESULT oidc_sign_in_check_free(struct op *op, const struct oidc_provider *provider);
