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

/* Servers that the configuration names. */
static bool add_settings(const struct settings *s, struct arena *a, struct remotes *list)
{
	/* "s3://" names a bucket rather than a host */
	bool is_server = str_starts_with(s->backup.url, STR("http"));
	const struct str texts[] = {s->ovn_northbound, s->ovs_database, s->backup.endpoint,
				    is_server ? s->backup.url : STR_NONE};
	struct str urls = s->directory.ldap.url, url;
	struct strs databases = {0};
	bool is_whole = settings_list_databases(a, s->store, &databases) && add_all(a, &databases, list);
	for (size_t k = 0; k < sizeof texts / sizeof *texts; k++)
		is_whole = is_whole && (!texts[k].n || VEC_PUSH(a, list, texts[k]));
	while (is_whole && str_split_next(&urls, ' ', &url))
		is_whole = !url.n || VEC_PUSH(a, list, url);
	return is_whole;
}

static bool list_remotes(void *self, struct arena *a, struct strs *ret_remotes)
{
	const struct daemon *d = self;
	struct remotes list = {0};
	struct strs rows = {0};
	AUTO_VIEW view = {0};
	view_open(d->store, &view);
	bool is_whole = add_settings(&d->settings, a, &list) && engine_list_remotes(view.tables, a, &rows) &&
			add_all(a, &rows, &list);
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
