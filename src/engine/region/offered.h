/* SPDX-License-Identifier: Apache-2.0
 * Restricts an offering (instance type, volume type, network offering) to domains and zones. */
#pragma once

#include "engine/operation.h"

enum { OFFERED_ZONES_MAX = 64, OFFERED_DOMAINS_MAX = 64 };

/* Part of a wish. */
struct offered_wish {
	bool set_zones, set_domains;
	struct refs zones, domains; /* empty: no restriction */
};

/* True if an offering with these domains is available to the caller: it names the caller's domain, or one
 * above it; the default domain is above all others. The operator may use all. */
bool engine_is_offered(const struct ctx *c, const struct uuids *domains);
/* True if the account for which a caller acts may use such an offering, whatever the rights of the caller. */
bool engine_is_offered_to(const struct identity *who, const struct uuids *domains);
/* True if it is offered in the zone; none: in any. */
bool engine_is_offered_in(const struct uuids *zones, uuid zone);
