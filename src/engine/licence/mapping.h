/* SPDX-License-Identifier: Apache-2.0
 * Which guests are on which hosts, as virt-who tells it to a Satellite or a Candlepin, which then count subscriptions by hosts. The
 * form is that of Candlepin's /hypervisors/{owner}, and of virt-who's own files. */
#pragma once

#include "engine/operation.h"

struct mapping_scope {
	uuid account, domain; /* of its guests alone; both none: of all */
};

/* The mapping as JSON, the same for the same rows to the byte: hosts by their ids, each with its guests by theirs. Of a scope it
 * has the hosts that its guests are on, and those that are set apart for it; and no guest of anybody else. In c's arena. */
RESULT engine_write_mapping(struct ctx *c, const struct tables *t, const struct mapping_scope *scope,
			    struct str *ret_json);

/* ---- who is told ---- */

struct subscription_server_wish {
	struct str name, url, organisation, user, reporter;
	bool is_candlepin; /* else a Satellite */
	struct ref account, domain;
	struct str secret; /* sealed with `id` */
	struct str certificate, authority;
	uuid id; /* of a new one; drawn by who sealed the secret */
};
/* Makes one. ERR_EXISTS: there is one of that name. */
OPERATION(engine_add_subscription_server, subscription_server_wish)
struct subscription_server_target {
	struct str name;
};
OPERATION(engine_remove_subscription_server, subscription_server_target)

/* What the reconciler saw of one. */
struct subscription_server_report {
	uuid server;
	uint64_t gen;
	bool sets_told, sets_job, sets_beat; /* what follows each */
	struct str told_sum;                 /* taken in, just now */
	struct str job, job_sum;
	int64_t not_before_us;
};
OPERATION(engine_see_subscription_server, subscription_server_report)
