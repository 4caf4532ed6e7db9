/* SPDX-License-Identifier: Apache-2.0
 * Events outside of Dari's control: disks are lost or appear, guests are started by hand, and objects without
 * a row are removed. See cloud.h. */
#include "cloud.h"

#include "drivers/sim/compute_state.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/volume.h"

static struct sim_host *sim_host_of_volume(struct cloud *c, uuid volume)
{
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	const struct volume *v = volume_find(view.tables, volume);
	const struct host *h = v ? host_find(view.tables, v->host) : NULL;
	assert_non_null(h);
	return sim_need_host(h->name);
}

static void lose_disk_on(struct sim_host *s, uuid volume)
{
	struct sim_disk *d = sim_find_disk(s, volume);
	assert_non_null(d);
	*d = s->disks[--s->disk_count];
}

void cloud_lose_disk(struct cloud *c, uuid volume)
{
	lose_disk_on(sim_host_of_volume(c, volume), volume);
}

void cloud_bring_disk(struct cloud *c, uuid volume)
{
	struct sim_host *s = sim_host_of_volume(c, volume);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	sim_compute_bring_disk(str_from(s->name), engine_get_region_id(view.tables), volume,
			       volume_find(view.tables, volume)->size);
}

void cloud_bring_news(struct str host, uuid instance)
{
	struct sim_host *s = sim_need_host(host);
	(void) pthread_mutex_lock(&s->lock);
	sim_notify(s, instance);
	(void) pthread_mutex_unlock(&s->lock);
}

void cloud_start_by_hand(struct cloud *c, uuid instance)
{
	struct sim_domain *d = sim_find_domain(sim_need_host(cloud_host_of(c, instance)), instance);
	assert_non_null(d);
	d->is_on = true;
	d->boots++;
}

static size_t purge_host(const struct tables *t, struct sim_host *s)
{
	size_t count = 0;
	for (size_t k = s->domain_count; k-- > 0;)
		if (!instance_find(t, s->domains[k].id)) {
			sim_remove_domain(s, &s->domains[k]);
			count++;
		}
	for (size_t k = s->disk_count; k-- > 0;)
		if (s->disks[k].kind == DISK_VOLUME && !volume_find(t, s->disks[k].volume)) {
			lose_disk_on(s, s->disks[k].volume);
			count++;
		}
	return count;
}

void cloud_scrap_host(struct str host)
{
	struct sim_host *s = sim_need_host(host);
	while (s->domain_count)
		sim_remove_domain(s, &s->domains[s->domain_count - 1]);
	s->disk_count = 0;
}

size_t cloud_purge_strays(struct cloud *c)
{
	static const enum kind kinds[] = {
		[NETWORK_ITEM_ROUTER] = KIND_ROUTER,
		[NETWORK_ITEM_NETWORK] = KIND_NETWORK,
		[NETWORK_ITEM_PORT] = KIND_PORT,
		[NETWORK_ITEM_GROUP] = KIND_SECURITY_GROUP,
		[NETWORK_ITEM_ADDRESS] = KIND_ADDRESS,
		[NETWORK_ITEM_POLICY] = KIND_PORT_POLICY,
		[NETWORK_ITEM_TRANSIT_GATEWAY] = KIND_TRANSIT_GATEWAY,
	};
	struct network_inventory inventory = {0};
	size_t count = 0;
	assert_true(result_is_ok(c->network.driver->list(c->network.self, &c->c, &inventory)));
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (const struct host *h = host_first(view.tables); h; h = host_next(view.tables, h))
		count += purge_host(view.tables, sim_need_host(h->name));
	for (size_t k = 0; k < inventory.count; k++)
		if (!tables_find(view.tables, kinds[inventory.at[k].kind], inventory.at[k].id))
			count += network_sim_lose(inventory.at[k].kind, inventory.at[k].id);
	return count;
}
