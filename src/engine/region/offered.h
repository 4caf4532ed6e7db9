/* SPDX-License-Identifier: Apache-2.0
 * To whom, and in which zones, a thing is offered: an instance type, a volume type, a network offering. */
#pragma once

#include "engine/operation.h"

enum { OFFERED_ZONES_MAX = 64, OFFERED_DOMAINS_MAX = 64 };

/* Part of a wish. */
struct offered_wish {
	bool set_zones, set_domains;
	struct refs zones, domains; /* none: any */
};

/* Whether what is offered to these domains is for the caller's: that is named, or the default one, which all others are
 * below. The operator may use all. */
bool engine_is_offered(const struct ctx *c, const struct uuids *domains);
/* Whether it is offered there; none: anywhere. */
bool engine_is_offered_in(const struct uuids *zones, uuid zone);
