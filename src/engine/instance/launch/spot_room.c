/* SPDX-License-Identifier: Apache-2.0
 * Room that an on-demand launch takes back from spot instances. The launch's instance reserves the room on its next host
 * at once, so that nobody else gets it, and is placed there when the marked spot instances have gone. */
#include <stdlib.h>

#include "engine/instance/launch/spot_internal.h"
#include "engine/internal.h"
#include "metering/money.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/spot_request.h"

/* A spot instance on a host. */
struct victim {
	const struct instance *instance;
	const struct spot_request *request;
	int64_t price; /* the most that its user pays, in millionths; INT64_MAX: the on-demand price */
};

/* No text, which is the face's to check, is more than the on-demand price. */
static int64_t read_price(struct str text)
{
	int64_t millionths = INT64_MAX;
	IGNORE(money_parse_micro(text, &millionths));
	return millionths;
}

static int compare_victims(const void *a, const void *b)
{
	const struct victim *x = a, *y = b;
	int64_t young = y->instance->row.created_us - x->instance->row.created_us;
	if (x->price != y->price)
		return x->price < y->price ? -1 : 1;
	return young ? (young > 0 ? 1 : -1) : uuid_compare(x->instance->row.id, y->instance->row.id);
}

/* The request, if the instance occupies room that can be taken back, or that is being freed. */
static const struct spot_request *find_request(const struct tables *t, const struct instance *i)
{
	bool is_spot = !uuid_is_none(i->spot_request) && !i->gave_room &&
		       model_derive_instance_state(i) != INSTANCE_TERMINATED;
	return is_spot ? spot_request_find(t, i->spot_request) : NULL;
}

static bool is_leaving(const struct victim *v)
{
	return v->request->interrupt_us != 0 || !row_is_live(&v->instance->row);
}

static RESULT list_victims(struct ctx *c, const struct tables *t, uuid host, struct victim **ret_victims,
			   size_t *ret_count)
{
	VEC(struct victim) list = {0};
	for (const struct instance *i = instance_first_by_host(t, host); i; i = instance_next_by_host(t, i)) {
		const struct spot_request *r = find_request(t, i);
		const struct victim v = {i, r, r ? read_price(r->max_price) : 0};
		if (r && !VEC_PUSH(c->arena, &list, v))
			return ctx_no_memory(c);
	}
	if (list.count)
		qsort(list.at, list.count, sizeof *list.at, compare_victims);
	*ret_victims = list.at;
	*ret_count = list.count;
	return OK;
}

static void free_room(struct placement_need *need, const struct victim *v)
{
	need->freed_vcpus += v->instance->vcpus;
	need->freed_memory += v->instance->memory;
}

/* Number of instances, in the list's order, that have to be marked so that the host has room; SIZE_MAX: too few. */
static size_t count_needed(const struct placement *p, const struct host *host, const struct victim *victims,
			   size_t count)
{
	struct placement_need need = p->need;
	size_t marked = 0;
	for (size_t k = 0; k < count; k++)
		if (is_leaving(&victims[k]))
			free_room(&need, &victims[k]);
	for (size_t k = 0; placement_check(p, &need, host) != PLACEMENT_FITS; k++) {
		while (k < count && is_leaving(&victims[k]))
			k++;
		if (k == count)
			return SIZE_MAX;
		free_room(&need, &victims[k]);
		marked++;
	}
	return marked;
}

/* Marks the first instances of the list that are not leaving already. */
static RESULT mark(struct op *op, const struct victim *victims, size_t needed)
{
	for (size_t k = 0; needed > 0; k++) {
		if (is_leaving(&victims[k]))
			continue;
		struct spot_request next = *victims[k].request;
		char time[CLOCK_TEXT_SIZE];
		next.interrupt_us = op->now_us + SPOT_NOTICE_US;
		next.status = next.stops ? SPOT_REQUEST_STATUS_MARKED_FOR_STOP
					 : SPOT_REQUEST_STATUS_MARKED_FOR_TERMINATION;
		next.status_us = op->now_us;
		TRY(spot_request_put(op, &next));
		TRY(engine_log_event(
			op, KIND_INSTANCE, &victims[k].instance->row, "spot interruption",
			next.stops ? "An on-demand instance needs its room: it is stopped at %s."
				   : "An on-demand instance needs its room: it is terminated at %s.",
			clock_write_s(next.interrupt_us, time)));
		needed--;
	}
	return OK;
}

/* *ret_needed: how many of *ret_victims have to be marked. */
static RESULT find_room(struct op *op, const struct placement *p, const struct host **ret_host,
			const struct victim **ret_victims, size_t *ret_needed)
{
	const struct tables *t = op->head;
	size_t fewest = SIZE_MAX;
	*ret_host = NULL;
	if (tables_count(t, KIND_SPOT_REQUEST) == 0)
		return OK;
	for (const struct host *h = placement_first_host(t, p->need.zone); h;
	     h = placement_next_host(t, p->need.zone, h)) {
		struct victim *victims = NULL;
		size_t count = 0;
		TRY(list_victims(op->ctx, t, h->row.id, &victims, &count));
		size_t needed = count ? count_needed(p, h, victims, count) : SIZE_MAX;
		if (needed >= fewest)
			continue;
		fewest = needed;
		*ret_victims = victims;
		*ret_host = h;
	}
	*ret_needed = fewest;
	return OK;
}

RESULT spot_make_room(struct op *op, const struct placement *p, const struct host **ret_host)
{
	const struct victim *victims = NULL;
	size_t needed = 0;
	TRY(find_room(op, p, ret_host, &victims, &needed));
	return *ret_host ? mark(op, victims, needed) : OK;
}

RESULT spot_could_make_room(struct op *op, const struct placement *p, bool *ret_could)
{
	const struct host *host = NULL;
	const struct victim *victims = NULL;
	size_t needed = 0;
	TRY(find_room(op, p, &host, &victims, &needed));
	*ret_could = host != NULL;
	return OK;
}

bool spot_is_awaited(const struct tables *t, const struct instance *instance)
{
	const struct host *host =
		uuid_is_none(instance->next_host) ? NULL : host_find(t, instance->next_host);
	if (!uuid_is_none(instance->host) || !host || host->seen_state != HOST_SEEN_STATE_UP ||
	    host->forced_down)
		return false;
	for (const struct instance *i = instance_first_by_host(t, instance->next_host); i;
	     i = instance_next_by_host(t, i)) {
		const struct spot_request *r = find_request(t, i);
		bool is_ours =
			r && r->interrupt_us && r->interrupt_us <= instance->row.created_us + SPOT_NOTICE_US;
		if (is_ours || (r && !row_is_live(&i->row)))
			return true;
	}
	return false;
}
