/* SPDX-License-Identifier: Apache-2.0
 * Where accounts may send us: what the configuration says, and how the hosts and databases are reached that
 * manage the region. */
#include "base/vec.h"
#include "daemon/daemon.h"
#include "drivers/web_reach.h"
#include "store/host.h"

static bool list_remotes(void *self, struct arena *a, struct strs *ret_remotes)
{
	const struct daemon *d = self;
	VEC(struct str) list = {0};
	const struct str databases[] = {d->settings.ovn_northbound, d->settings.ovs_database};
	bool is_whole = true;
	for (size_t k = 0; k < sizeof databases / sizeof *databases; k++)
		is_whole = is_whole && VEC_PUSH(a, &list, databases[k]);
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	for (const struct host *h = host_first(view.tables); h && is_whole; h = host_next(view.tables, h)) {
		struct str uri = str_copy(a, h->uri);
		is_whole = (uri.p || !h->uri.n) && VEC_PUSH(a, &list, uri);
	}
	*ret_remotes = (struct strs){list.at, list.count};
	return is_whole;
}

RESULT reach_open(struct daemon *d)
{
	const struct web_reach_config config = {.not_from = d->settings.fetch_not_from,
						.also_from = d->settings.fetch_also_from,
						.list_remotes = list_remotes,
						.arg = d};
	return web_reach_new(&d->ctx, &config, &d->reach);
}
