/* SPDX-License-Identifier: Apache-2.0
 * Decides which hosts Ceph can block, and which instances that releases: reads rows only. */
#include "base/ip.h"
#include "engine/region/fence.h"
#include "engine/region/fence_internal.h"
#include "engine/region/host.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/storage_pool.h"
#include "store/volume.h"
#include "store/volume_attachment.h"

static bool is_in_ceph(const struct tables *t, const struct volume *v)
{
	const struct storage_pool *pool = !v || uuid_is_none(v->pool) ? NULL : storage_pool_find(t, v->pool);
	return pool && pool->kind == STORAGE_POOL_KIND_RBD && pool->fence == STORAGE_POOL_FENCE_BLOCKLIST;
}

struct tally {
	size_t in_ceph, elsewhere;
};

/* Counts the attached disks and those not yet unplugged. */
static struct tally count_disks(const struct tables *t, uuid instance)
{
	struct tally n = {0};
	for (const struct volume *v = volume_first_by_instance(t, instance); v;
	     v = volume_next_by_instance(t, v))
		*(is_in_ceph(t, v) ? &n.in_ceph : &n.elsewhere) += 1;
	for (const struct volume *v = volume_first_by_seen_instance(t, instance); v;
	     v = volume_next_by_seen_instance(t, v))
		*(is_in_ceph(t, v) ? &n.in_ceph : &n.elsewhere) += 1;
	for (const struct volume_attachment *f = volume_attachment_first_by_instance(t, instance); f;
	     f = volume_attachment_next_by_instance(t, f))
		*(is_in_ceph(t, volume_find(t, f->volume)) ? &n.in_ceph : &n.elsewhere) += 1;
	for (const struct volume_attachment *f = volume_attachment_first_by_seen_instance(t, instance); f;
	     f = volume_attachment_next_by_seen_instance(t, f))
		*(is_in_ceph(t, volume_find(t, f->volume)) ? &n.in_ceph : &n.elsewhere) += 1;
	return n;
}

bool engine_has_disks_in_ceph(const struct tables *t, uuid instance)
{
	return count_disks(t, instance).in_ceph > 0;
}

bool engine_lies_in_ceph(const struct tables *t, uuid instance)
{
	struct tally n = count_disks(t, instance);
	return n.in_ceph > 0 && n.elsewhere == 0;
}

/* Simulated hosts are known by their names. */
bool fence_is_address(const struct host *host, struct str address)
{
	struct ip ip;
	return str_starts_with(host->uri, STR("sim:")) || result_is_ok(ip_parse(address, &ip));
}

struct strs fence_get_addresses(const struct host *host, struct str *room)
{
	*room = engine_get_host_address(host);
	if (host->fence_addresses.count)
		return host->fence_addresses;
	return (struct strs){room, room->n && fence_is_address(host, *room)};
}

bool fence_can_block(const struct tables *t, const struct host *host)
{
	struct str room;
	size_t lie = 0, others = 0;
	if (!tables_count(t, KIND_STORAGE_POOL) || !fence_get_addresses(host, &room).count)
		return false;
	for (const struct instance *i = instance_first_by_host(t, host->row.id); i;
	     i = instance_next_by_host(t, i)) {
		bool is_on = i->seen_power == INSTANCE_SEEN_POWER_ON;
		bool lies = is_on && engine_lies_in_ceph(t, i->row.id);
		lie += lies;
		others += is_on && !lies;
	}
	return lie > 0 && (others == 0 || host->fence_addresses.count > 0);
}
