/* SPDX-License-Identifier: Apache-2.0
 * Meters public traffic: reads the counters of all public addresses every minute, and writes changes to the
 * usage log every hour. A removed address is read one last time. The log contains counter levels and memory
 * only decides what must be written, so a restart loses nothing that the kernel still counts. One step, with
 * no id, handles all addresses. */
#include "reconcile/billing/traffic.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/heap.h"
#include "base/reads.h"
#include "drivers/traffic.h"
#include "engine/billing/traffic.h"
#include "reconcile/work.h"
#include "store/address.h"

#define READ_EVERY_US MINUTE

/* An address as last written to the log. */
struct known {
	struct counted_traffic written;
	struct ip ip;
};

struct traffic {
	struct traffic_uplink uplink;
	pthread_mutex_t lock; /* protects what follows: changed by the step, read by others */
	struct known *known;  /* sorted by address */
	size_t count;
	int64_t hour; /* hour of the last write */
	int64_t read_us;
};

struct traffic *traffic_new(struct str device, struct str netns)
{
	struct traffic *t = heap_new(struct traffic);
	char *texts = t ? heap_alloc(device.n + netns.n + 1) : NULL;
	if (!texts) {
		heap_free(t);
		return NULL;
	}
	memcpy(texts, device.p, device.n);
	memcpy(texts + device.n, netns.n ? netns.p : "", netns.n);
	t->uplink.device = (struct str){texts, device.n};
	t->uplink.netns = (struct str){texts + device.n, netns.n};
	(void) pthread_mutex_init(&t->lock, NULL);
	return t;
}

void traffic_free(struct traffic *t)
{
	if (!t)
		return;
	heap_free((void *) t->uplink.device.p);
	heap_free(t->known);
	(void) pthread_mutex_destroy(&t->lock);
	heap_free(t);
}

/* ---- gather ---- */

/* The address of a counter, in the order in which the driver is asked. */
struct asked {
	struct known who;
	bool is_gone, is_known;
};

static int compare_known(const void *left, const void *right)
{
	return uuid_compare(*(const uuid *) left, ((const struct known *) right)->written.address);
}

static const struct known *find_known(const struct traffic *t, uuid address)
{
	return t->count ? bsearch(&address, t->known, t->count, sizeof *t->known, compare_known) : NULL;
}

static bool is_counted(const struct address *a)
{
	return a && row_is_live(&a->row) && a->ip.family == IP_V4 && !uuid_is_none(a->account);
}

static int by_ip(const void *left, const void *right)
{
	const struct asked *a = left, *b = right;
	int order = ip_compare(a->who.ip, b->who.ip);
	return order ? order : (int) b->is_gone - (int) a->is_gone;
}

static RESULT gather(struct step *s, const struct traffic *t, struct asked **ret_asked, size_t *ret_count)
{
	AUTO_VIEW view = {0};
	size_t count = 0, held = t->count;
	view_open(s->r->store, &view);
	for (const struct address *a = address_first(view.tables); a; a = address_next(view.tables, a))
		held += is_counted(a);
	struct asked *asked = arena_new_array(s->ctx.arena, struct asked, held + 1);
	if (!asked)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < t->count; k++) {
		const struct address *a = address_find(view.tables, t->known[k].written.address);
		if (!is_counted(a) || !ip_equal(a->ip, t->known[k].ip))
			asked[count++] =
				(struct asked){.who = t->known[k], .is_gone = true, .is_known = true};
	}
	size_t gone = count;
	for (const struct address *a = address_first(view.tables); a; a = address_next(view.tables, a)) {
		const struct known *known = find_known(t, a->row.id);
		if (!is_counted(a) || count - gone >= TRAFFIC_ADDRESSES_MAX)
			continue;
		bool is_known = known && ip_equal(known->ip, a->ip);
		asked[count] = (struct asked){.is_known = is_known};
		if (is_known)
			asked[count].who = *known;
		else
			asked[count].who = (struct known){{a->row.id, a->account, 0, 0}, a->ip};
		count++;
	}
	qsort(asked, count, sizeof *asked, by_ip);
	*ret_asked = asked;
	*ret_count = count;
	return OK;
}

/* ---- writing ---- */

/* A counter that restarted is written as 0 first, so that the previous record is not taken for its start. */
static void write_one(struct counted_traffic *list, size_t *count, const struct asked *a,
		      struct counted_traffic is, bool is_new, bool is_due)
{
	bool has_changed = is.in != a->who.written.in || is.out != a->who.written.out;
	if (!a->is_known || is_new || (has_changed && (is_due || a->is_gone)))
		list[(*count)++] = is;
}

static int by_address(const void *left, const void *right)
{
	const struct known *a = left, *b = right;
	return uuid_compare(a->written.address, b->written.address);
}

/* Replaces the known levels: by the new ones if they were written, else by the old ones. */
static RESULT remember(struct step *s, struct traffic *t, const struct asked *asked,
		       const struct traffic_count *at, size_t count, bool is_due, bool is_new)
{
	struct known *known = heap_alloc_array(count + 1, sizeof *known);
	size_t kept = 0;
	if (!known)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < count; k++) {
		if (asked[k].is_gone)
			continue;
		known[kept] = asked[k].who;
		if (is_due || is_new || !asked[k].is_known) {
			known[kept].written.in = at[k].in;
			known[kept].written.out = at[k].out;
		}
		kept++;
	}
	qsort(known, kept, sizeof *known, by_address);
	(void) pthread_mutex_lock(&t->lock);
	heap_free(t->known);
	t->known = known;
	t->count = kept;
	t->read_us = clock_now_us();
	(void) pthread_mutex_unlock(&t->lock);
	return OK;
}

static RESULT read_and_write(struct step *s, struct traffic *t)
{
	struct asked *asked = NULL;
	size_t count = 0;
	bool is_new = false;
	TRY(gather(s, t, &asked, &count));
	struct traffic_count *at = arena_new_array(s->ctx.arena, struct traffic_count, count + 1);
	struct counted_traffic *list = arena_new_array(s->ctx.arena, struct counted_traffic, count + 1);
	if (!at || !list)
		return ctx_no_memory(&s->ctx);
	for (size_t k = 0; k < count; k++)
		at[k] = (struct traffic_count){.ip = asked[k].who.ip, .is_gone = asked[k].is_gone};
	TRY(traffic_read(&s->ctx, &t->uplink, at, count, &is_new));
	int64_t hour = clock_now_us() / HOUR;
	bool is_due = hour != t->hour;
	struct traffic_wish *wish = STEP_NEW(s, struct traffic_wish);
	*wish = (struct traffic_wish){list, 0};
	for (size_t k = 0; k < count; k++) {
		const struct counted_traffic is = {asked[k].who.written.address, asked[k].who.written.account,
						   at[k].in, at[k].out};
		write_one(list, &wish->count, &asked[k], is, is_new, is_due);
	}
	TRY(remember(s, t, asked, at, count, is_due, is_new));
	t->hour = hour;
	if (wish->count)
		step_report(s, engine_count_traffic_run, wish);
	return OK;
}

/* ---- the step ---- */

static RESULT step_traffic(struct step *s)
{
	struct traffic *t = s->r->traffic;
	if (!t)
		return OK;
	TRY(read_and_write(s, t));
	step_again_at(s, (clock_now_us() / READ_EVERY_US + 1) * READ_EVERY_US);
	return OK;
}

/* The first external network gives the region public addresses; before, there is nothing to count. */
static void wake_traffic(struct reconciler *r, const struct row *row)
{
	(void) row;
	if (r->traffic)
		work_wake(r, lane_desks(r, UUID_NONE), KIND_EXTERNAL_NETWORK, UUID_NONE, WAKE_WISH);
}

static void wake_changed(struct reconciler *r, const struct tables *t, const struct row *before,
			 const struct row *after)
{
	(void) t;
	if (!before)
		wake_traffic(r, after);
}

const struct resource reconcile_external_network = {
	.step = step_traffic, .is_swept = true, .wake = wake_traffic, .wake_changed = wake_changed};

void reconciler_read_traffic(struct reconciler *r, struct traffic_state *ret_state)
{
	reads_note_outside();
	struct traffic *t = r->traffic;
	*ret_state = (struct traffic_state){.is_configured = t != NULL};
	if (!t)
		return;
	(void) pthread_mutex_lock(&t->lock);
	ret_state->read_us = t->read_us;
	ret_state->count = t->count;
	(void) pthread_mutex_unlock(&t->lock);
}
