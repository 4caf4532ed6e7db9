/* SPDX-License-Identifier: Apache-2.0
 * Domains, which accounts, users and groups belong to. Requires an administrator; a domain's own
 * administrator may change it. */
#pragma once

#include "engine/operation.h"

struct domain;

/* ---- the tree: the default domain is above all others ---- */

enum { DOMAIN_DEPTH_MAX = 16 };
/* The domain above; none: there is none above the default domain. */
uuid engine_get_parent(const struct domain *domain);
/* True if a domain is another, or below it at any depth. */
bool engine_is_domain_within(const struct tables *t, uuid inner, uuid outer);
/* Ids of the domains above, the nearest first, without the default one; in the arena. */
struct uuids engine_list_domains_above(struct arena *a, const struct tables *t, uuid domain);

struct domain_wish {
	struct str name, description;
	struct ref
		parent; /* kind none: the default domain. ERR_QUOTA: DOMAIN_DEPTH_MAX domains are above each other */
	enum choice enabled; /* CHOICE_DEFAULT: yes */
	struct tags extra;   /* names and JSON values */
	/* result: */
	uuid domain;
};
OPERATION(engine_create_domain, domain_wish)

/* Changes a domain. Disabling it locks out its users, and everybody from its accounts, at once.
 * ERR_PROTECTED: it is the default domain. */
struct domain_change {
	struct ref domain;
	const struct str *name, *description; /* NULL: no change */
	enum choice enabled;
	const struct str *passwords; /* a word of the schema; NULL: no change */
	struct tags extra;           /* added to the present ones, or replacing those of the same name */
};
OPERATION(engine_update_domain, domain_change)

/* Deletes a domain with its users and groups. ERR_PROTECTED: it is the default domain. ERR_STATE: it is
 * enabled. ERR_IN_USE: it has accounts, or domains below it. */
struct domain_target {
	struct ref domain;
};
OPERATION(engine_delete_domain, domain_target)
