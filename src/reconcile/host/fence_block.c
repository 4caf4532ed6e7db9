/* SPDX-License-Identifier: Apache-2.0
 * Blocks a host in Ceph (OSD blocklist). If the host's guests have disks in such pools alone, this proves
 * that they cannot write any more (engine/region/fence.h). Each call opens connections of its own, so nothing
 * that hangs elsewhere delays it. */
#include "base/vec.h"
#include "drivers/ceph.h"
#include "reconcile/work.h"
#include "store/fence.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/pool_host.h"
#include "store/storage_pool.h"
#include "store/volume.h"

/* blocklist time in seconds; longer than this process is ever down, and renewed every hour */
enum { BLOCKED_S = 24 * 3600 };

/* A pool that the host uses, with the volumes its guests have there. */
struct kept_pool {
	const struct ceph_place *place;
	VEC(uuid) volumes;
};
struct kept_pools {
	VEC(struct kept_pool) of;
};

static RESULT gather_volumes(struct step *s, const struct tables *t, uuid host, uuid id,
			     struct kept_pool *pool)
{
	for (const struct volume *v = volume_first_by_pool(t, id); v; v = volume_next_by_pool(t, v)) {
		const struct instance *i = instance_find(t, v->seen_instance);
		if (i && uuid_equal(i->host, host) && !VEC_PUSH(s->ctx.arena, &pool->volumes, v->row.id))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

static RESULT gather_pools(struct step *s, uuid host, struct kept_pools *pools)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct tables *t = view.tables;
	for (const struct pool_host *p = pool_host_first_by_host(t, host); p;
	     p = pool_host_next_by_host(t, p)) {
		struct kept_pool pool = {0};
		const struct storage_pool *row = storage_pool_find(t, p->pool);
		if (!row || row->kind != STORAGE_POOL_KIND_RBD || row->fence != STORAGE_POOL_FENCE_BLOCKLIST)
			continue;
		TRY(gather_ceph(s, row, &pool.place));
		TRY(gather_volumes(s, t, host, row->row.id, &pool));
		if (!VEC_PUSH(s->ctx.arena, &pools->of, pool))
			return ctx_no_memory(&s->ctx);
	}
	return OK;
}

/* ---- one pool */

struct link {
	const struct disk_driver *driver;
	struct disk_host *disks;
};

static void close_link(struct link *link)
{
	if (link->disks)
		link->driver->close_host(link->disks);
}
#define AUTO_LINK __attribute__((cleanup(close_link))) struct link

static RESULT open_link(struct step *s, const struct kept_pool *pool, struct link *link)
{
	link->driver = hosts_find_pool_driver(s->r, pool->place);
	if (!link->driver)
		return ctx_fail(&s->ctx, ERR_UNSUPPORTED, "no driver for pools of Ceph");
	return link->driver->open_pool(&s->ctx, s->r->region, pool->place, &link->disks);
}

/* Compares without port and nonce: "10.0.0.1:0/123", "[fd00::1]:0/123". */
static bool is_of(struct strs addresses, struct str user)
{
	while (user.n && user.p[user.n - 1] != ':')
		user.n--;
	user.n -= user.n > 0;
	if (user.n > 1 && user.p[0] == '[' && user.p[user.n - 1] == ']')
		user = str_slice(user, 1, user.n - 1);
	for (size_t k = 0; k < addresses.count; k++)
		if (str_equal(addresses.at[k], user))
			return true;
	return false;
}

/* ERR_CONFLICT: a client at another address has the volume open and could go on writing. */
static RESULT check_users(struct step *s, const struct link *link, const struct fence *f, uuid volume)
{
	struct strs users = {0};
	char id[UUID_TEXT_SIZE];
	TRY(link->driver->list_users(link->disks, &s->ctx, volume, &users));
	for (size_t k = 0; k < users.count; k++)
		if (!is_of(f->blocked, users.at[k]))
			return ctx_fail(&s->ctx, ERR_CONFLICT,
					"volume %s is in use from %" STR_FMT
					", which is not among the host's addresses: "
					"dari host set-fence --blocklist names them",
					uuid_write(volume, id), STR_ARG(users.at[k]));
	return OK;
}

static RESULT block(struct step *s, const struct link *link, const struct fence *f)
{
	for (size_t k = 0; k < f->blocked.count; k++) {
		bool is_blocked = false;
		TRY(link->driver->block(link->disks, &s->ctx, f->blocked.at[k], BLOCKED_S));
		TRY(link->driver->see_block(link->disks, &s->ctx, f->blocked.at[k], &is_blocked));
		if (!is_blocked)
			return ctx_fail(&s->ctx, ERR_IO, "%" STR_FMT " is not on the blocklist",
					STR_ARG(f->blocked.at[k]));
	}
	return OK;
}

static RESULT block_pool(struct step *s, const struct fence *f, const struct kept_pool *pool, bool is_proof)
{
	AUTO_LINK link = {0};
	TRY(open_link(s, pool, &link));
	TRY(block(s, &link, f));
	for (size_t k = 0; is_proof && k < pool->volumes.count; k++)
		TRY(check_users(s, &link, f, pool->volumes.at[k]));
	return OK;
}

static RESULT unblock_pool(struct step *s, const struct fence *f, const struct kept_pool *pool)
{
	AUTO_LINK link = {0};
	TRY(open_link(s, pool, &link));
	for (size_t k = 0; k < f->blocked.count; k++)
		TRY(link.driver->unblock(link.disks, &s->ctx, f->blocked.at[k]));
	return OK;
}

/* ---- all of them */

/* Refuses to block the control-plane host itself. */
static RESULT check_is_apart(struct step *s, const struct host *host)
{
	return str_is(host->name, s->r->own_chassis)
		       ? ctx_fail(&s->ctx, ERR_UNSUPPORTED,
				  "it is this machine, which Ceph would keep out as well")
		       : OK;
}

RESULT fence_block_host(struct step *s, const struct fence *f, const struct host *host)
{
	struct kept_pools pools = {0};
	TRY(check_is_apart(s, host));
	TRY(gather_pools(s, f->host, &pools));
	for (size_t k = 0; k < pools.of.count; k++)
		if (pools.of.at[k].volumes.count)
			TRY(block_pool(s, f, &pools.of.at[k], true));
	return OK;
}

RESULT fence_renew_block(struct step *s, const struct fence *f)
{
	struct kept_pools pools = {0};
	struct result result = OK;
	TRY(gather_pools(s, f->host, &pools));
	for (size_t k = 0; k < pools.of.count; k++) {
		struct result one = block_pool(s, f, &pools.of.at[k], false);
		result = result_is_ok(result) ? one : result; /* an unavailable pool must not prevent the
							       * renewal in the others */
	}
	return result;
}

RESULT fence_unblock_host(struct step *s, const struct fence *f)
{
	struct kept_pools pools = {0};
	TRY(gather_pools(s, f->host, &pools));
	for (size_t k = 0; k < pools.of.count; k++)
		TRY(unblock_pool(s, f, &pools.of.at[k]));
	return OK;
}
