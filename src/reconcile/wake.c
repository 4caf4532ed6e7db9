/* SPDX-License-Identifier: Apache-2.0
 * Wakes the resources affected by a commit, a reconnected host or the periodic resync. Each kind's `struct
 * resource` (work.h) names the resources to wake. A wake depends on rows alone, takes O(1) and only posts a
 * job; anything that needs a driver call is found out by the step. */
#include "engine/scaling/scaling.h"
#include "reconcile/machine_policy.h"
#include "reconcile/work.h"
#include "store/condition.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/instance_migration.h"
#include "store/pool_host.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/volume_attachment.h"
#include "store/vpn_tunnel.h"

enum { ROWS_A_PAGE = 500 };

void wake_network(struct reconciler *r, enum kind kind, uuid id)
{
	if (!uuid_is_none(id))
		work_wake(r, lane_network(r), kind, id, WAKE_WISH);
}

/* A wake-up for a host that is not ready is dropped. Nothing is lost: the rows were published before this
 * check, and the host's step reads all rows of the host (wake_all_on()) after it has set is_ready. */
void wake_on_host(struct reconciler *r, uuid host, enum kind kind, uuid id)
{
	struct rec_host *h = uuid_is_none(host) ? NULL : hosts_find(r, host);
	if (h && atomic_load(&h->is_ready))
		work_wake(r, kind == KIND_INSTANCE ? h->lane : h->disks.lane, kind, id, WAKE_WISH);
}

void wake_among_guests(struct reconciler *r, uuid host, enum kind kind, uuid id)
{
	struct rec_host *h = uuid_is_none(host) ? NULL : hosts_find(r, host);
	if (h && atomic_load(&h->is_ready))
		work_wake(r, h->lane, kind, id, WAKE_WISH);
}

void wake_with_disks(struct reconciler *r, uuid pool, uuid host, enum kind kind, uuid id)
{
	bool has_own = !uuid_is_none(pool) && hosts_find(r, pool);
	wake_on_host(r, has_own ? pool : host, kind, id);
}

void wake_deleted(struct reconciler *r, const struct tables *t, enum kind kind, uuid id)
{
	const struct row *row = tables_find(t, kind, id);
	if (row && !row_is_live(row))
		wake_for_row(r, kind, row);
}

void wake_for_row(struct reconciler *r, enum kind kind, const struct row *row)
{
	const struct resource *resource = resource_of(kind);
	for (size_t k = 0; k < RESOURCE_WAKES_MAX && resource->wakes[k].kind != KIND_NONE; k++) {
		const struct resource_wake *w = &resource->wakes[k];
		wake_network(r, w->kind, *(const uuid *) (const void *) ((const char *) row + w->id_offset));
	}
	if (resource->wake)
		resource->wake(r, row);
}

/* ---- commits ---- */

static void wake_for_change(struct reconciler *r, const struct tables *t, const struct published *p)
{
	const struct resource *resource = resource_of(p->kind);
	if (resource->wake_changed)
		resource->wake_changed(r, t, p->before, p->after);
	else
		wake_for_row(r, p->kind, p->after);
}

static void wake_for_forgotten(struct reconciler *r, const struct tables *t, const struct published *p)
{
	const struct resource *resource = resource_of(p->kind);
	if (resource->wake_forgotten)
		resource->wake_forgotten(r, t, p->before);
	else if (resource->wakes_forgotten)
		wake_for_row(r, p->kind, p->before);
}

/* Wakes jobs that wait for a row related to `subject`. A job about a snapshot waits for the volume to be
 * created from it or reverted to it; a job about an instance waits for its volumes; a job about an image or
 * an instance snapshot waits for its snapshots; a job about a VPN connection waits for its tunnels. */
static void wake_followers(struct reconciler *r, const struct tables *t, uuid subject)
{
	const struct volume *v = volume_find(t, subject);
	const struct snapshot *s = snapshot_find(t, subject);
	if (v)
		wake_jobs(r, t, v->snapshot);
	if (v && v->reverts == v->seen_reverts)
		wake_jobs(r, t, v->instance);
	if (s)
		wake_jobs(r, t, s->instance_snapshot);
	const struct vpn_tunnel *tunnel = vpn_tunnel_find(t, subject);
	if (tunnel) /* a job about a VPN connection waits for its tunnels */
		wake_jobs(r, t, tunnel->connection);
	const struct scaling_member *m = engine_find_scaling_member(t, subject);
	if (m) /* a job about a scale set waits for its machines */
		wake_jobs(r, t, m->scaling_group);
	for (const struct image_device *d = image_device_first_by_snapshot(t, subject); d;
	     d = image_device_next_by_snapshot(t, d))
		wake_jobs(r, t, d->image);
}

/* Wakes jobs and deleting resource groups that wait for the row, and the group that reserves the row's name
 * once the row is gone. */
static void wake_waiting(struct reconciler *r, const struct tables *t, const struct published *p)
{
	const struct row *row = p->after ? p->after : p->before;
	uuid subject = p->kind == KIND_CONDITION            ? condition_of(row)->subject
		       : p->kind == KIND_VOLUME_ATTACHMENT  ? volume_attachment_of(row)->volume
		       : p->kind == KIND_INSTANCE_MIGRATION ? instance_migration_of(row)->instance
		       : p->kind == KIND_SCALING_MEMBER     ? scaling_member_of(row)->scaling_group
		       : p->kind == KIND_SCALING_REFRESH    ? scaling_refresh_of(row)->scaling_group
							    : row->id;
	if (tables_count(t, KIND_ARM_RESOURCE))
		wake_names_of(r, t, row->id);
	if (!tables_count(t, KIND_ASYNC_JOB))
		return;
	wake_jobs(r, t, subject);
	wake_followers(r, t, subject);
}

void wake_on_publish(void *self, const struct tables *t, const struct published *published, size_t count)
{
	struct reconciler *r = self;
	for (size_t k = 0; k < count; k++) {
		if (published[k].after)
			wake_for_change(r, t, &published[k]);
		else
			wake_for_forgotten(r, t, &published[k]);
		wake_waiting(r, t, &published[k]);
	}
}

/* ---- waking many resources ---- */

void wake_in_pool(struct reconciler *r, const struct tables *t, uuid pool, uuid host)
{
	for (const struct volume *v = volume_first_by_pool(t, pool); v; v = volume_next_by_pool(t, v))
		if (uuid_is_none(host) || uuid_equal(v->host, host))
			wake_for_row(r, KIND_VOLUME, &v->row);
	for (const struct volume *v = volume_first_by_next_pool(t, pool); v;
	     v = volume_next_by_next_pool(t, v)) /* volumes moving to the pool */
		if (uuid_is_none(host) || uuid_equal(v->host, host))
			wake_for_row(r, KIND_VOLUME, &v->row);
	for (const struct volume *v = volume_first_by_left_pool(t, pool); v;
	     v = volume_next_by_left_pool(t, v)) /* volumes that left a file in the pool */
		if (uuid_is_none(host) || uuid_equal(v->left_host, host))
			wake_for_row(r, KIND_VOLUME, &v->row);
	for (const struct snapshot *s = snapshot_first_by_pool(t, pool); s; s = snapshot_next_by_pool(t, s))
		if (uuid_is_none(host) || uuid_equal(s->host, host))
			wake_for_row(r, KIND_SNAPSHOT, &s->row);
	reconciler_wake_unplaced_soon(r);
}

void wake_pools_on(struct rec_host *h)
{
	AUTO_VIEW view = {0};
	view_open(h->reconciler->store, &view);
	const struct pool_host *p = pool_host_first_by_host(view.tables, h->id);
	for (; p; p = pool_host_next_by_host(view.tables, p))
		wake_for_row(h->reconciler, KIND_POOL_HOST, &p->row);
}

void wake_all_on(struct rec_host *h)
{
	struct reconciler *r = h->reconciler;
	wake_pools_on(h);
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct tables *t = view.tables;
	for (const struct volume *v = volume_first_by_host(t, h->id); v; v = volume_next_by_host(t, v))
		wake_for_row(r, KIND_VOLUME, &v->row);
	for (const struct volume *v = volume_first_by_seen_host(t, h->id); v;
	     v = volume_next_by_seen_host(t, v))
		if (!uuid_equal(v->host, v->seen_host))
			wake_for_row(r, KIND_VOLUME, &v->row);
	for (const struct volume *v = volume_first_by_left_host(t, h->id); v;
	     v = volume_next_by_left_host(t, v))
		wake_for_row(r, KIND_VOLUME, &v->row);
	for (const struct snapshot *s = snapshot_first_by_host(t, h->id); s; s = snapshot_next_by_host(t, s))
		wake_for_row(r, KIND_SNAPSHOT, &s->row);
	for (const struct instance *i = instance_first_by_host(view.tables, h->id); i;
	     i = instance_next_by_host(view.tables, i))
		wake_for_row(r, KIND_INSTANCE, &i->row);
}

/* Wakes every row of the kind, one view per page of ROWS_A_PAGE rows: a commit waits for readers that walk an
 * index, so a view must not stay open for long. A row that appears behind the cursor is woken by its own
 * commit. */
static void wake_kind(struct reconciler *r, enum kind kind)
{
	struct row last = {.id = UUID_NONE};
	for (size_t count = ROWS_A_PAGE; count == ROWS_A_PAGE;) {
		AUTO_VIEW view = {0};
		view_open(r->store, &view);
		const struct row *row = tables_seek(view.tables, kind, 0, &last, 1);
		if (row && uuid_equal(row->id, last.id))
			row = tables_next(view.tables, kind, 0, row, 0);
		for (count = 0; row && count < ROWS_A_PAGE; count++) {
			wake_for_row(r, kind, row);
			last.id = row->id;
			row = tables_next(view.tables, kind, 0, row, 0);
		}
	}
}

void wake_all(struct reconciler *r)
{
	static const enum kind kinds[] = {
#define RESOURCE(kind, name) kind,
#include "reconcile/resources.def"
#undef RESOURCE
	};
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
		if (resource_of(kinds[k])->is_swept)
			wake_kind(r, kinds[k]);
}

void wake_hosts(struct reconciler *r)
{
	wake_kind(r, KIND_HOST);
	wake_kind(r, KIND_STORAGE_POOL);
	wake_kind(r, KIND_FENCE);
	wake_kind(r, KIND_INSTANCE_EVENT);
	wake_due_policies(r);
	wake_due_backup_plans(r);
	wake_due_backup_rules(r);
	wake_due_backups(r);
	wake_due_machine_backups(r);
	wake_due_licences(r);
	wake_due_machine_policies(r);
}

void wake_gateway_routers(struct reconciler *r)
{
	wake_kind(r, KIND_GATEWAY);
	wake_kind(r, KIND_NAT_GATEWAY);
}

void wake_unplaced(struct reconciler *r)
{
	AUTO_VIEW view = {0};
	view_open(r->store, &view);
	const struct tables *t = view.tables;
	for (const struct instance *i = instance_first_by_host(t, UUID_NONE); i;
	     i = instance_next_by_host(t, i))
		wake_for_row(r, KIND_INSTANCE, &i->row);
}
