/* SPDX-License-Identifier: Apache-2.0
 * Signing in through a SAML provider: which provider vouches for which domain, and which subject is which user. Only entityID and
 * subject identify a person, never a name or an email address, because those may be reassigned. The region's administrators configure
 * all of this; auth/saml/saml.h verifies the response first. */
#pragma once

#include "engine/operation.h"
#include "engine/people/sign_in/arrival.h"

enum {
	SAML_SIGN_INS_MAX = 8,  /* providers per domain */
	SAML_SUBJECT_MAX = 256, /* characters: SAML Core, section 8.3.7 */
	SAML_SIGN_IN_NAME_MAX = 64,
};

/* Lets the provider vouch for people of the domain and replaces earlier settings. ERR_QUOTA: the domain has its maximum of
 * providers. ERR_EXISTS: another provider with this entityID vouches for the domain. */
struct saml_sign_in_wish {
	struct ref saml_provider, domain;
	struct str name;
	bool makes_users, is_unasked; /* as in schema/saml_provider.toml */
	struct str subject_claim, name_claim, group_claim;
	struct strs groups; /* rules, as in engine/people/sign_in/arrival.h */
};
OPERATION(engine_set_saml_sign_in, saml_sign_in_wish)

/* Ends the sign-in through this provider. Its users and their subjects stay. */
struct saml_sign_in_target {
	struct ref saml_provider;
};
OPERATION(engine_end_saml_sign_in, saml_sign_in_target)

/* Links a domain's user to a subject of the provider, which must vouch for the domain; subject empty: unlinks. ERR_EXISTS: the
 * subject is linked to another user of the domain. */
struct saml_link {
	struct ref user, saml_provider;
	struct str subject;
};
OPERATION(engine_link_saml_user, saml_link)

/* A verified assertion vouches for a person, who is not yet the caller. Spends the assertion, finds the user, or creates one if the
 * provider may, and sets the user's groups by the provider's rules. Grants no permissions. ERR_UNAUTHENTICATED: no user of the domain
 * has this subject, the user may not sign in, or the assertion was used before. */
struct saml_arrival {
	uuid saml_provider;
	struct str assertion; /* its ID */
	struct str subject, email;
	struct strs groups;
	struct str names[ARRIVAL_NAMES]; /* for a new user: the first that is valid and free */
	int64_t ends_us; /* the provider's session ends, and ours with it; 0: it does not say */
	/* found or created: */
	uuid user;
};
OPERATION(engine_arrive_by_saml, saml_arrival)
