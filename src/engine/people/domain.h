/* SPDX-License-Identifier: Apache-2.0
 * Domains: who accounts, users and groups belong to. For administrators; a domain's own one changes it. */
#pragma once

#include "engine/operation.h"

struct domain_wish {
	struct str name, description;
	enum choice enabled; /* CHOICE_DEFAULT: yes */
	struct tags extra;   /* names and JSON values */
	/* made: */
	uuid domain;
};
OPERATION(engine_create_domain, domain_wish)

/* Disabling one shuts out its users and everybody from its accounts, at once. ERR_PROTECTED: the default one.
 */
struct domain_change {
	struct ref domain;
	const struct str *name, *description; /* NULL: as it is */
	enum choice enabled;
	struct tags extra; /* added to those there are, or in their place */
};
OPERATION(engine_update_domain, domain_change)

/* With its users and groups. ERR_PROTECTED: the default one; ERR_STATE: enabled; ERR_IN_USE: it has accounts.
 */
struct domain_target {
	struct ref domain;
};
OPERATION(engine_delete_domain, domain_target)
