/* SPDX-License-Identifier: Apache-2.0
 * Licences that are needed, against those that somebody is entitled to. What is over is said, and stops nobody. */
#pragma once

#include "engine/licence/licence.h"

/* A host that had guests of a product earlier in the month, for what counts hosts. */
struct licence_touch {
	uuid host;
	struct str product;
	enum licence_source source;
};

struct licence_guest {
	uuid instance, host;
	int64_t vcpus;
};

/* One product and source, of those who have the same entitlements: an account, a domain's accounts, or all (both none). */
struct licence_need {
	uuid account, domain;
	struct str product, vendor;
	enum licence_source source;
	enum product_metric metric;
	uuid entitlement; /* the first; none: there is none */
	int64_t needed, entitled;
	VEC(struct licence_guest) guests; /* that are on: those of the host with the most first */
	VEC(uuid) hosts;
};
struct licence_needs {
	VEC(struct licence_need *) list;
};

/* Weighs all at that time. Guests count that were seen on. Cores and sockets are those of the hosts that the guests are on or were
 * on earlier in the month (touches), or of the account's dedicated hosts where an entitlement is for these. In c's arena; what it
 * returns borrows nothing from the tables. */
RESULT engine_weigh_licences(struct ctx *c, const struct tables *t, int64_t now_us,
			     const struct licence_touch *touches, size_t touch_count,
			     struct licence_needs *ret_needs);
bool engine_is_over(const struct licence_need *need);
/* The name of the condition that says so of a product. In the arena. */
struct str engine_licence_condition(struct arena *a, const struct licence_need *need);
#define LICENCES_OVER "LicencesOver-"
