/* SPDX-License-Identifier: Apache-2.0
 * Determines where accounts may make dari connect: by the configuration, and by the addresses the region
 * itself connects to (engine/region/remotes.h): hosts, databases, Ceph, desks, webhooks, backups. */
#include "drivers/egress_policy.h"
#include "base/vec.h"
#include "daemon/daemon.h"
#include "engine/region/remotes.h"

struct remotes {
	struct str *at;
	size_t count, capacity;
};

static bool add_all(struct arena *a, const struct strs *from, struct remotes *list)
{
	bool is_whole = true;
	for (size_t k = 0; k < from->count && is_whole; k++)
		is_whole = VEC_PUSH(a, list, from->at[k]);
	return is_whole;
}

static bool list_remotes(void *self, struct arena *a, struct strs *ret_remotes)
{
	const struct daemon *d = self;
	struct remotes list = {0};
	struct strs named = {0}, rows = {0};
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	bool is_whole = settings_list_remotes(a, &d->settings, &named) && add_all(a, &named, &list) &&
			engine_list_remotes(view.tables, a, &rows) && add_all(a, &rows, &list);
	*ret_remotes = (struct strs){list.at, list.count};
	return is_whole;
}

RESULT egress_policy_open(struct daemon *d)
{
	const struct egress_policy_config config = {.not_from = d->settings.fetch_not_from,
						    .also_from = d->settings.fetch_also_from,
						    .list_remotes = list_remotes,
						    .arg = d};
	return egress_policy_new(&d->ctx, &config, &d->reach);
}
