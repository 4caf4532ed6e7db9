/* SPDX-License-Identifier: Apache-2.0
 * Domains, which accounts, users and groups belong to. Requires an administrator; a domain's own
 * administrator may change it. */
#pragma once

#include "engine/operation.h"

struct domain_wish {
	struct str name, description;
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
	struct tags extra; /* added to the present ones, or replacing those of the same name */
};
OPERATION(engine_update_domain, domain_change)

/* Deletes a domain with its users and groups. ERR_PROTECTED: it is the default domain. ERR_STATE: it is
 * enabled. ERR_IN_USE: it has accounts. */
struct domain_target {
	struct ref domain;
};
OPERATION(engine_delete_domain, domain_target)
