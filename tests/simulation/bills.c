/* SPDX-License-Identifier: Apache-2.0
 * Checks billing by computing usage a second time. A naive rater ignores the usage log: at each publish it
 * reads all rows, and counts their state for every second until the next publish. At the end the real rater
 * must agree to the second, despite process deaths, lost commits and other faults. docs/metering.md defines
 * the meters. */
#include "simulation.h"

#include "base/clock.h"
#include "base/fault.h"
#include "engine/billing/billing.h"
#include "model/states.h"
#include "store/address.h"
#include "store/backup.h"
#include "store/capacity_reservation.h"
#include "store/dedicated_host.h"
#include "store/elastic_load_balancer.h"
#include "store/image.h"
#include "store/image_device.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/listener.h"
#include "store/load_balancer.h"
#include "store/nat_gateway.h"
#include "store/port.h"
#include "store/snapshot.h"
#include "store/volume.h"

enum { FREE_IOPS = 3000, FREE_RATE = 125 }; /* included in gp3 */

static const char prices[] = "price_list: {name: public, currency: EUR, from: 2020-01-01T00:00:00Z}\n"
			     "items:\n"
			     "- {sku: vm, meter: instance, unit: hour, minimum_s: 60, price: 0.0104}\n"
			     "- {sku: spot, meter: spot, unit: hour, minimum_s: 60, price: 0.0031}\n"
			     "- {sku: held, meter: held, unit: hour, price: 0.001}\n"
			     "- {sku: vol, meter: volume, unit: gib_month, price: 0.08}\n"
			     "- {sku: iops, meter: iops, unit: iops_month, price: 0.005}\n"
			     "- {sku: rate, meter: rate, unit: rate_month, price: 0.04}\n"
			     "- {sku: snap, meter: snapshot, unit: gib_month, price: 0.05}\n"
			     "- {sku: image, meter: image, unit: gib_month, price: 0.05}\n"
			     "- {sku: backup, meter: backup, unit: gib_month, price: 0.05}\n"
			     "- {sku: address, meter: address, unit: hour, price: 0.005}\n"
			     "- {sku: nat, meter: nat-gateway, unit: hour, price: 0.045}\n"
			     "- {sku: lb, meter: lb, unit: hour, price: 0.02}\n"
			     "- {sku: dedicated, meter: dedicated-host, unit: hour, price: 1}\n"
			     "- {sku: reserved, meter: reserved, unit: unit_hour, price: 0.0104}\n";

/* ---- the seconds ---- */

/* A meter of a resource, with the name of its account. */
struct meter {
	uuid id, account;
	const char *name;
	char of[32]; /* type after the colon */
	int64_t level;
	__int128 seen, rated; /* level times seconds */
	struct meter *next;
};

static struct meter *find_meter(struct bills *b, uuid id, uuid account, const char *name, struct str of)
{
	struct meter **first = &b->meters[id.b[sizeof id.b - 1] % BILLS_CHAINS], *m = *first;
	while (m && !(uuid_equal(m->id, id) && uuid_equal(m->account, account) &&
		      strcmp(m->name, name) == 0 && str_is(of, m->of)))
		m = m->next;
	if (m)
		return m;
	m = arena_new_object(b->arena, struct meter);
	assert_non_null(m);
	*m = (struct meter){.id = id, .account = account, .name = name, .next = *first};
	(void) snprintf(m->of, sizeof m->of, "%" STR_FMT, STR_ARG(of));
	return *first = m;
}

#define EACH_METER(b, m)                                                                                     \
	for (size_t chain = 0; chain < BILLS_CHAINS; chain++)                                                \
		for (struct meter *m = (b)->meters[chain]; m; m = m->next)

static void count_seconds(struct bills *b)
{
	int64_t now_s = clock_now_us() / SECOND;
	if (now_s > b->counted_s)
		EACH_METER(b, m)
	m->seen += (__int128) m->level * (now_s - b->counted_s);
	b->counted_s = now_s;
}

/* ---- expected charges, from the rows ---- */

/* The region's own resources are not billed. */
static void say(struct bills *b, uuid id, uuid account, const char *name, struct str of, int64_t level)
{
	if (level && !uuid_is_none(account))
		find_meter(b, id, account, name, of)->level = level;
}

static void look_at_instance(struct bills *b, const struct tables *t, const struct instance *i)
{
	const struct instance_type *type = instance_type_find(t, i->type);
	struct str name = type ? type->name : STR_NONE;
	say(b, i->row.id, i->account, uuid_is_none(i->spot_request) ? "instance" : "spot", name,
	    i->seen_power == INSTANCE_SEEN_POWER_ON);
	say(b, i->row.id, i->account, "held", name, model_derive_instance_state(i) != INSTANCE_TERMINATED);
}

static int64_t above(const struct volume *v, int64_t asked, int64_t free)
{
	free = str_is(v->type, "gp3") ? free : 0;
	return asked > free ? asked - free : 0;
}

static void look_at_volume(struct bills *b, const struct volume *v)
{
	if (!row_is_live(&v->row) || v->local != VOLUME_LOCAL_NO)
		return;
	say(b, v->row.id, v->account, "volume", v->type, v->size);
	say(b, v->row.id, v->account, "iops", v->type, above(v, v->iops, FREE_IOPS));
	say(b, v->row.id, v->account, "rate", v->type, above(v, v->throughput, FREE_RATE));
}

static void look_at_address(struct bills *b, const struct tables *t, const struct address *a)
{
	const struct port *port = port_find(t, a->port);
	const struct instance *i = port ? instance_find(t, port->instance) : NULL;
	bool is_used =
		port && (!uuid_is_none(port->nat_gateway) || (i && i->seen_power == INSTANCE_SEEN_POWER_ON));
	if (row_is_live(&a->row) && a->is_elastic)
		say(b, a->row.id, a->account, "address", is_used ? STR("used") : STR("idle"), 1);
}

/* A snapshot that holds an image's uploaded data: the image is billed instead. */
static bool is_data_of_image(const struct tables *t, const struct snapshot *s)
{
	const struct image_device *d = s->is_bound ? image_device_first_by_snapshot(t, s->row.id) : NULL;
	const struct image *i = d ? image_find(t, d->image) : NULL;
	return i && i->data_size && !i->is_exported;
}

static void look_at_stored(struct bills *b, const struct tables *t)
{
	for (const struct snapshot *s = snapshot_first(t); s; s = snapshot_next(t, s))
		if (row_is_live(&s->row) && model_derive_snapshot_state(s) == SNAPSHOT_COMPLETED &&
		    !is_data_of_image(t, s))
			say(b, s->row.id, s->account, "snapshot", STR_NONE, s->file_size);
	for (const struct image *i = image_first(t); i; i = image_next(t, i))
		if (row_is_live(&i->row))
			say(b, i->row.id, i->account, "image", STR_NONE, i->data_size);
	for (const struct backup *k = backup_first(t); k; k = backup_next(t, k))
		if (row_is_live(&k->row)) /* in any state */
			say(b, k->row.id, k->account, "backup", STR_NONE, k->stored_size);
}

static void look_at_network(struct bills *bills, const struct tables *t)
{
	for (const struct address *a = address_first(t); a; a = address_next(t, a))
		look_at_address(bills, t, a);
	for (const struct nat_gateway *n = nat_gateway_first(t); n; n = nat_gateway_next(t, n))
		say(bills, n->row.id, n->account, "nat-gateway", STR_NONE, n->ended_us == 0);
	for (const struct load_balancer *l = load_balancer_first(t); l; l = load_balancer_next(t, l))
		if (row_is_live(&l->row))
			say(bills, l->row.id, l->account, "lb",
			    l->protocol == LOAD_BALANCER_PROTOCOL_UDP ? STR("udp") : STR("tcp"), 1);
	for (const struct listener *l = listener_first(t); l; l = listener_next(t, l)) {
		const struct elastic_load_balancer *b =
			elastic_load_balancer_find(t, l->elastic_load_balancer);
		/* OVN serves the others, which cost with their load balancer */
		if (b && (b->type != ELASTIC_LOAD_BALANCER_TYPE_NETWORK || l->is_proxied || l->proxy_gen > 0))
			say(bills, l->row.id, l->account, "lb",
			    str_from(listener_protocol_words[l->protocol]), 1);
	}
}

static void look(struct bills *b, const struct tables *t)
{
	count_seconds(b);
	EACH_METER(b, m)
	m->level = 0;
	for (const struct instance *i = instance_first(t); i; i = instance_next(t, i))
		look_at_instance(b, t, i);
	for (const struct volume *v = volume_first(t); v; v = volume_next(t, v))
		look_at_volume(b, v);
	for (const struct dedicated_host *d = dedicated_host_first(t); d; d = dedicated_host_next(t, d))
		if (row_is_live(&d->row))
			say(b, d->row.id, d->account, "dedicated-host", d->family, 1);
	for (const struct capacity_reservation *r = capacity_reservation_first(t); r;
	     r = capacity_reservation_next(t, r))
		if (row_is_live(&r->row) && r->hosts.count)
			say(b, r->row.id, r->account, "reserved", r->type, (int64_t) r->hosts.count);
	look_at_stored(b, t);
	look_at_network(b, t);
}

/* Runs within the committer's step: an injected fault must not hit the count. */
static void on_publish(void *self, const struct tables *tables, const struct published *published,
		       size_t count)
{
	unsigned faults = fault_suspend();
	(void) published;
	(void) count;
	look(self, tables);
	fault_resume(faults);
}

/* ---- agreement ---- */

static RESULT take_charge(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct bills *b = arg;
	struct str name, of = charge->meter;
	(void) str_split_next(&of, ':', &name);
	EACH_METER(b, m)
	if (uuid_equal(m->id, charge->id) && uuid_equal(m->account, billed->account) &&
	    str_is(name, m->name) && str_is(of, m->of)) {
		m->rated += charge->measured;
		return OK;
	}
	char id[UUID_TEXT_SIZE];
	if (!charge->measured) /* started and stopped within one change: only the price's minimum is billed */
		return OK;
	(void) snprintf(b->strange, sizeof b->strange, "%" STR_FMT " of %s is billed, and never was there",
			STR_ARG(charge->meter), uuid_write(charge->id, id));
	return OK;
}

void bills_listen(struct bills *b, struct cloud *c)
{
	store_listen(c->store, on_publish, b);
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	look(b, view.tables);
}

void bills_open(struct bills *b, struct cloud *c)
{
	struct price_list_wish wish = {.yaml = str_from(prices), .name = STR("public"), .from_s = 1577836800};
	*b = (struct bills){.arena = c->arena, .counted_s = clock_now_us() / SECOND};
	cloud_ok(c, NULL, engine_load_prices, &wish);
	bills_listen(b, c);
}

void bills_check(struct simulation *s)
{
	struct bills *b = &s->region.bills;
	struct cloud *c = s->region.cloud;
	char id[UUID_TEXT_SIZE];
	const struct billing_query query = {.month = month_of(clock_now_us() / SECOND),
					    .now_us = clock_now_us()};
	count_seconds(b);
	EACH_METER(b, m)
	m->rated = 0;
	cloud_expect_at(c, billing_rate_all(&c->c, c->store, &query, take_charge, NULL, b), __FILE__,
			__LINE__);
	if (b->strange[0])
		blame(s, "%s", b->strange);
	EACH_METER(b, m)
	if (m->seen != m->rated)
		blame(s, "%s:%s of %s: %lld units times seconds are billed, %lld were there", m->name, m->of,
		      uuid_write(m->id, id), (long long) m->rated, (long long) m->seen);
}
