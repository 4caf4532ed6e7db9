/* SPDX-License-Identifier: Apache-2.0
 * Compares needs with entitlements: walks the guests first, then the entitlements without guests. */
#include "engine/licence/compliance.h"

#include <stdlib.h>

#include "engine/internal.h"
#include "metering/software_use.h"
#include "store/dedicated_host.h"
#include "store/entitlement.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/remote_machine.h"

struct weighing {
	struct ctx *c;
	const struct tables *t;
	int64_t now_us;
	struct licence_needs *needs;
};

static struct licence_need *find_need(const struct weighing *w, uuid account, uuid domain,
				      struct licence licence)
{
	for (size_t k = 0; k < w->needs->list.count; k++) {
		struct licence_need *n = w->needs->list.at[k];
		if (uuid_equal(n->account, account) && uuid_equal(n->domain, domain) &&
		    n->source == licence.source && str_equal(n->product, licence.product))
			return n;
	}
	return NULL;
}

/* Adds a need for the entitlements' scope. The first entitlement determines the metric. */
static RESULT add_need(struct weighing *w, uuid account, const struct entitlement *first,
		       struct licence licence, struct licence_need **ret_need)
{
	uuid of = first ? first->account : account, in = first ? first->domain : UUID_NONE;
	struct licence_need *n = find_need(w, of, in, licence);
	struct product_seen seen = {0};
	*ret_need = n;
	if (n)
		return OK;
	if (!(n = arena_new_object(w->c->arena, struct licence_need)))
		return ctx_no_memory(w->c);
	(void) engine_find_product(w->t, licence.product, &seen);
	n->account = of;
	n->domain = in;
	n->product = str_copy(w->c->arena, licence.product);
	n->vendor = str_copy(w->c->arena, seen.vendor);
	n->source = licence.source;
	/* the two enums have the same values */
	n->metric = first ? (enum product_metric) first->metric : seen.metric;
	n->entitlement = first ? first->row.id : UUID_NONE;
	for (const struct entitlement *e = first; e;
	     e = engine_next_entitlement(w->t, account, licence.product, licence.source, w->now_us, e))
		n->entitled += (enum product_metric) e->metric == n->metric ? e->quantity : 0;
	*ret_need = n;
	return n->product.p && VEC_PUSH(w->c->arena, &w->needs->list, n) ? OK : ctx_no_memory(w->c);
}

static RESULT add_host(struct weighing *w, struct licence_need *n, uuid host)
{
	for (size_t k = 0; k < n->hosts.count; k++)
		if (uuid_equal(n->hosts.at[k], host))
			return OK;
	return VEC_PUSH(w->c->arena, &n->hosts, host) ? OK : ctx_no_memory(w->c);
}

static RESULT add_guest(struct weighing *w, uuid account, struct licence_guest guest, struct licence licence)
{
	struct licence_need *n = NULL;
	const struct entitlement *e =
		engine_next_entitlement(w->t, account, licence.product, licence.source, w->now_us, NULL);
	TRY(add_need(w, account, e, licence, &n));
	if (!VEC_PUSH(w->c->arena, &n->guests, guest))
		return ctx_no_memory(w->c);
	return guest.is_elsewhere ? OK : add_host(w, n, guest.host);
}

/* A cloud elsewhere may name anything: only products of this region are counted. */
static RESULT walk_elsewhere(struct weighing *w)
{
	struct licence licence;
	struct product_seen seen;
	for (const struct remote_machine *m = remote_machine_first(w->t); m;
	     m = remote_machine_next(w->t, m)) {
		const struct licence_guest guest = {
			.instance = m->row.id, .is_elsewhere = true, .vcpus = m->vcpus > 0 ? m->vcpus : 1};
		for (size_t k = 0; k < m->licences.count && m->power == REMOTE_MACHINE_POWER_RUNNING; k++)
			if (licence_read(m->licences.at[k], &licence) && licence.source != LICENCE_INCLUDED &&
			    engine_find_product(w->t, licence.product, &seen))
				TRY(add_guest(w, m->account, guest, licence));
	}
	return OK;
}

static RESULT walk_guests(struct weighing *w)
{
	struct licence licence;
	for (const struct instance *i = instance_first(w->t); i; i = instance_next(w->t, i))
		for (size_t k = 0; k < i->licences.count && i->seen_power == INSTANCE_SEEN_POWER_ON; k++)
			if (licence_read(i->licences.at[k], &licence) && licence.source != LICENCE_INCLUDED)
				TRY(add_guest(w, i->account,
					      (struct licence_guest){.instance = i->row.id,
								     .host = i->host,
								     .vcpus = i->vcpus},
					      licence));
	return OK;
}

/* Adds unused entitlements, and the dedicated hosts reserved for them. */
static RESULT walk_entitlements(struct weighing *w)
{
	struct licence_need *n = NULL;
	for (const struct entitlement *e = entitlement_first(w->t); e; e = entitlement_next(w->t, e)) {
		const struct licence licence = {
			e->product, e->source == ENTITLEMENT_SOURCE_SPLA ? LICENCE_SPLA : LICENCE_BYOS};
		if (!row_is_live(&e->row) || e->from_us > w->now_us ||
		    (e->until_us && e->until_us <= w->now_us))
			continue;
		if (!find_need(w, e->account, e->domain, licence))
			TRY(add_need(w, e->account, e, licence, &n));
		n = find_need(w, e->account, e->domain, licence);
		const struct dedicated_host *d = NULL;
		if (e->place == ENTITLEMENT_PLACE_DEDICATED && !uuid_is_none(e->account))
			d = dedicated_host_first_by_account(w->t, e->account);
		for (; d && n; d = dedicated_host_next_by_account(w->t, d))
			if (row_is_live(&d->row))
				TRY(add_host(w, n, d->host));
	}
	return OK;
}

/* A touch does not record an account: it counts for every scope that has the product. */
static RESULT add_touches(struct weighing *w, const struct licence_touch *touches, size_t count)
{
	for (size_t k = 0; k < w->needs->list.count; k++) {
		struct licence_need *n = w->needs->list.at[k];
		for (size_t m = 0; m < count; m++)
			if (touches[m].source == n->source && str_equal(touches[m].product, n->product))
				TRY(add_host(w, n, touches[m].host));
	}
	return OK;
}

/* Hosts elsewhere are not counted: a guest there needs a socket pair, or a core for each vCPU. */
static int64_t count_hosts(const struct weighing *w, const struct licence_need *n)
{
	int64_t sum = 0;
	for (size_t k = 0; k < n->guests.count; k++)
		if (n->guests.at[k].is_elsewhere)
			sum += n->metric == PRODUCT_METRIC_SOCKET_PAIR ? 1 : n->guests.at[k].vcpus;
	bool is_microsoft = str_is(n->vendor, "Microsoft");
	for (size_t k = 0; k < n->hosts.count; k++) {
		const struct host *h = host_find(w->t, n->hosts.at[k]);
		if (!h)
			continue;
		sum += n->metric == PRODUCT_METRIC_SOCKET_PAIR ? (h->seen_sockets + 1) / 2
		       : is_microsoft ? software_count_cores(h->seen_cores, h->seen_sockets)
				      : h->seen_cores;
	}
	return sum;
}

static int64_t count_needed(const struct weighing *w, const struct licence_need *n)
{
	int64_t vcpus = 0;
	for (size_t k = 0; k < n->guests.count; k++)
		vcpus += n->guests.at[k].vcpus;
	switch (n->metric) {
	case PRODUCT_METRIC_INSTANCE:
		return (int64_t) n->guests.count;
	case PRODUCT_METRIC_VCPU:
		return vcpus;
	case PRODUCT_METRIC_CORE:
	case PRODUCT_METRIC_SOCKET_PAIR:
		return count_hosts(w, n);
	case PRODUCT_METRIC_USER:
		break;
	}
	return 0;
}

/* ---- order of guests ---- */

struct share {
	int64_t of_host;
	struct licence_guest guest;
};

static int compare_shares(const void *left, const void *right)
{
	const struct share *a = left, *b = right;
	if (a->of_host != b->of_host)
		return a->of_host > b->of_host ? -1 : 1;
	int by_host = uuid_compare(a->guest.host, b->guest.host);
	if (by_host)
		return by_host;
	if (a->guest.vcpus != b->guest.vcpus)
		return a->guest.vcpus > b->guest.vcpus ? -1 : 1;
	return uuid_compare(a->guest.instance, b->guest.instance);
}

static int compare_hosts(const void *left, const void *right)
{
	return uuid_compare(((const struct share *) left)->guest.host,
			    ((const struct share *) right)->guest.host);
}

static RESULT sort_guests(struct weighing *w, struct licence_need *n)
{
	size_t count = n->guests.count;
	struct share *shares = arena_new_array(w->c->arena, struct share, count + 1);
	if (!shares)
		return ctx_no_memory(w->c);
	for (size_t k = 0; k < count; k++)
		shares[k].guest = n->guests.at[k];
	qsort(shares, count, sizeof *shares, compare_hosts);
	for (size_t from = 0, to = 0; from < count; from = to) {
		int64_t sum = 0;
		for (; to < count && uuid_equal(shares[to].guest.host, shares[from].guest.host); to++)
			sum += shares[to].guest.vcpus;
		for (size_t k = from; k < to; k++)
			shares[k].of_host = sum;
	}
	qsort(shares, count, sizeof *shares, compare_shares);
	for (size_t k = 0; k < count; k++)
		n->guests.at[k] = shares[k].guest;
	return OK;
}

RESULT engine_weigh_licences(struct ctx *c, const struct tables *t, int64_t now_us,
			     const struct licence_touch *touches, size_t touch_count,
			     struct licence_needs *ret_needs)
{
	struct weighing w = {c, t, now_us, ret_needs};
	*ret_needs = (struct licence_needs){0};
	TRY(walk_guests(&w));
	TRY(walk_elsewhere(&w));
	TRY(walk_entitlements(&w));
	TRY(add_touches(&w, touches, touch_count));
	for (size_t k = 0; k < ret_needs->list.count; k++) {
		struct licence_need *n = ret_needs->list.at[k];
		n->needed = count_needed(&w, n);
		TRY(sort_guests(&w, n));
	}
	return OK;
}

bool engine_is_over(const struct licence_need *need)
{
	return need->needed > need->entitled;
}

struct str engine_licence_condition(struct arena *a, const struct licence_need *need)
{
	return str_print(a, LICENCES_OVER "%" STR_FMT "-%s", STR_ARG(need->product),
			 licence_source_words[need->source]);
}
