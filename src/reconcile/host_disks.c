/* SPDX-License-Identifier: Apache-2.0
 * A host's pool as a whole: what is in it without a row is told, and left alone. Woken when
 * everything is looked at, and while there are strays. */
#include "reconcile/work.h"
#include "store/rows.h"

static bool belongs_here(const struct tables *t, const struct disk_item *item, uuid host)
{
	const struct volume *v = NULL;
	const struct snapshot *snapshot = NULL;
	switch (item->name.kind) {
	case DISK_VOLUME:
		v = volume_find(t, item->name.id);
		return v && gather_volume_is_on(v, host);
	case DISK_CUT:
		snapshot = snapshot_find(t, item->name.id);
		return snapshot && uuid_equal(snapshot->host, host);
	case DISK_BASE: /* a copy, which nobody misses */
		return true;
	}
	return false;
}

/* Of the files that were listed before the rows are looked up: see host.c. */
static size_t name_strays(struct step *s, const struct disk_inventory *inventory, struct str *ret_names)
{
	size_t count = 0;
	struct str names = STR_NONE;
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	for (size_t k = 0; k < inventory->count; k++)
		if (!belongs_here(view.tables, &inventory->at[k], s->id))
			count = step_name_stray(s, count, "disk", inventory->at[k].name.id, &names);
	*ret_names = names;
	return count;
}

RESULT reconcile_step_host_disks(struct step *s)
{
	struct rec_disks *disks = &s->host->disks;
	struct disk_inventory inventory = {0};
	struct str names = STR_NONE;
	TRY(hosts_connect_disks(s->host, &s->ctx));
	TRY(disks->driver->list(disks->connection, &s->ctx, &inventory));
	size_t count = name_strays(s, &inventory, &names);
	TRY(step_report_strays(s, "QuarantinedDisks", count, names));
	atomic_store(&disks->has_strays, count > 0);
	return OK;
}
