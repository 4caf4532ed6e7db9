/* SPDX-License-Identifier: Apache-2.0
 * Determines where accounts may make dari connect: by the configuration, and by the addresses the region
 * itself connects to (engine/region/remotes.h): hosts, databases, Ceph, desks, webhooks, backups. */
#include "drivers/egress_policy.h"
#include "base/vec.h"
#include "daemon/daemon.h"
#include "engine/region/remotes.h"

static bool list_remotes(void *self, struct arena *a, struct strs *ret_remotes)
{
	const struct daemon *d = self;
	VEC(struct str) list = {0};
	const struct str databases[] = {d->settings.ovn_northbound, d->settings.ovs_database};
	bool is_whole = true;
	for (size_t k = 0; k < sizeof databases / sizeof *databases; k++)
		is_whole = is_whole && VEC_PUSH(a, &list, databases[k]);
	struct str urls = d->settings.directory.ldap.url, url;
	while (is_whole && str_split_next(&urls, ' ', &url))
		is_whole = !url.n || VEC_PUSH(a, &list, url);
	if (d->settings.backup.endpoint.n)
		is_whole = is_whole && VEC_PUSH(a, &list, d->settings.backup.endpoint);
	/* "s3://" names a bucket rather than a host */
	if (str_starts_with(d->settings.backup.url, STR("http")))
		is_whole = is_whole && VEC_PUSH(a, &list, d->settings.backup.url);
	struct strs rows = {0};
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	is_whole = is_whole && engine_list_remotes(view.tables, a, &rows);
	for (size_t k = 0; k < rows.count && is_whole; k++)
		is_whole = VEC_PUSH(a, &list, rows.at[k]);
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
