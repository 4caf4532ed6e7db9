/* SPDX-License-Identifier: Apache-2.0
 * Licence compliance: required licences compared with entitlements. A shortage is reported but never stops
 * anything. */
#pragma once

#include "engine/licence/licence.h"

/* A host that had guests of a product earlier in the month, for metrics that count hosts. */
struct licence_touch {
	uuid host;
	struct str product;
	enum licence_source source;
};

struct licence_guest {
	uuid instance, host;
	bool is_elsewhere; /* instance is a remote_machine, and its host is none */
	int64_t vcpus;
};

/* The need for one product and source within the scope of its entitlements: an account, a domain's accounts,
 * or everybody (both none). */
struct licence_need {
	uuid account, domain;
	struct str product, vendor;
	enum licence_source source;
	enum product_metric metric;
	uuid entitlement; /* the first entitlement; none: there is none */
	int64_t needed, entitled;
	VEC(struct licence_guest) guests; /* running guests; those on the host with the most vCPUs first */
	VEC(uuid) hosts;
};
struct licence_needs {
	VEC(struct licence_need *) list;
};

/* Computes all needs at that time. Counts guests observed as running. Cores and sockets are those of hosts
 * with such guests, now or earlier in the month (touches), and of the account's dedicated hosts if an
 * entitlement is limited to these. In c's arena; the result borrows nothing from the tables. */
RESULT engine_weigh_licences(struct ctx *c, const struct tables *t, int64_t now_us,
			     const struct licence_touch *touches, size_t touch_count,
			     struct licence_needs *ret_needs);
bool engine_is_over(const struct licence_need *need);
/* The name of the condition that reports the product's shortage. In the arena. */
struct str engine_licence_condition(struct arena *a, const struct licence_need *need);
#define LICENCES_OVER "LicencesOver-"
