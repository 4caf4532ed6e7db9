/* SPDX-License-Identifier: Apache-2.0
 * Statistics of Octavia's listeners. Each worker of a proxy counts from 0, so the proxy's row has, for each listener, the sums over
 * all workers and the last figures of the current one. A text of the row is the listener's id and COUNTS numbers, separated
 * by spaces. The row is the proxy's, not the listener's, because updated_at of a listener must not change with traffic. */
#include <inttypes.h>

#include "engine/balancing/octavia_internal.h"
#include "engine/limits.h"
#include "store/elastic_load_balancer.h"
#include "store/listener.h"
#include "store/proxy.h"

enum { TOTAL, BYTES_IN, BYTES_OUT, ERRORS, SUMS };

struct counters {
	int64_t worker, active;
	int64_t sums[SUMS]; /* counts of all workers */
	int64_t last[SUMS]; /* counts of the current worker */
};

/* ---- texts ---- */

static struct str write_counters(struct arena *a, uuid listener, const struct counters *n)
{
	char id[UUID_TEXT_SIZE];
	return str_print(a,
			 "%s %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64 " %" PRId64
			 " %" PRId64 " %" PRId64 " %" PRId64,
			 uuid_write(listener, id), n->worker, n->active, n->sums[TOTAL], n->sums[BYTES_IN],
			 n->sums[BYTES_OUT], n->sums[ERRORS], n->last[TOTAL], n->last[BYTES_IN],
			 n->last[BYTES_OUT], n->last[ERRORS]);
}

static void read_counters(struct str text, struct counters *ret_counters)
{
	int64_t *const numbers[] = {&ret_counters->worker, &ret_counters->active};
	enum { FIRST = sizeof numbers / sizeof numbers[0] };
	struct str word = STR_NONE;
	for (size_t k = 0; k < FIRST + 2 * SUMS && str_split_next(&text, ' ', &word); k++) {
		int64_t *number = k < FIRST          ? numbers[k]
				  : k < FIRST + SUMS ? &ret_counters->sums[k - FIRST]
						     : &ret_counters->last[k - FIRST - SUMS];
		IGNORE(str_parse_int(word, number)); /* write_counters() wrote it */
	}
}

/* The counters of a listener; 0 if the proxy has not reported any. */
static struct counters find_counters(const struct proxy *p, uuid listener)
{
	struct counters found = {0};
	for (size_t k = 0; p && k < p->counters.count; k++) {
		struct str text = p->counters.at[k], word = STR_NONE;
		uuid id;
		if (str_split_next(&text, ' ', &word) && result_is_ok(uuid_parse(word, &id)) &&
		    uuid_equal(id, listener))
			read_counters(text, &found);
	}
	return found;
}

/* ---- readings ---- */

/* A figure below the last one is a new worker's, too: process ids are used again. */
static struct counters add_reading(struct counters n, const struct octavia_reading *r)
{
	const int64_t now[SUMS] = {[TOTAL] = r->figures.total_connections,
				   [BYTES_IN] = r->figures.bytes_in,
				   [BYTES_OUT] = r->figures.bytes_out,
				   [ERRORS] = r->figures.request_errors};
	bool is_same = n.worker == r->worker;
	for (size_t k = 0; k < SUMS; k++)
		is_same = is_same && now[k] >= n.last[k];
	for (size_t k = 0; k < SUMS; k++) {
		n.sums[k] += is_same ? now[k] - n.last[k] : now[k];
		n.last[k] = now[k];
	}
	n.worker = r->worker;
	n.active = r->figures.active_connections;
	return n;
}

static const struct octavia_reading *find_reading(const struct octavia_readings *readings, uuid listener)
{
	for (size_t k = 0; k < readings->count; k++)
		if (uuid_equal(readings->at[k].listener, listener))
			return &readings->at[k];
	return NULL;
}

/* A listener without a reading is off: its sums stay, and no connection is active. */
static RESULT list_counters(struct ctx *c, const struct tables *t, const struct proxy *p,
			    const struct octavia_readings *readings, struct strs *ret_texts)
{
	struct str *at = arena_new_array(c->arena, struct str, LISTENERS_MAX);
	size_t count = 0;
	if (!at)
		return ctx_no_memory(c);
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, p->elastic_load_balancer);
	     l && count < LISTENERS_MAX; l = listener_next_by_elastic_load_balancer(t, l)) {
		const struct octavia_reading *r = find_reading(readings, l->row.id);
		struct counters n = find_counters(p, l->row.id);
		n.active = 0;
		if (r)
			n = add_reading(n, r);
		at[count] = write_counters(c->arena, l->row.id, &n);
		if (!at[count++].p)
			return ctx_no_memory(c);
	}
	*ret_texts = (struct strs){at, count};
	return OK;
}

static bool is_equal(const struct strs *a, const struct strs *b)
{
	bool is_same = a->count == b->count;
	for (size_t k = 0; is_same && k < a->count; k++)
		is_same = str_equal(a->at[k], b->at[k]);
	return is_same;
}

bool octavia_has_news(struct ctx *c, const struct tables *t, const struct octavia_readings *readings)
{
	const struct proxy *p = proxy_find(t, readings->proxy);
	struct strs texts = {0};
	return p && row_is_live(&p->row) && result_is_ok(list_counters(c, t, p, readings, &texts)) &&
	       !is_equal(&texts, &p->counters);
}

RESULT engine_count_octavia(struct op *op, struct octavia_readings *report)
{
	const struct proxy *p = proxy_find(op->head, report->proxy);
	struct strs texts = {0};
	if (!p || !row_is_live(&p->row))
		return OK;
	TRY(list_counters(op->ctx, op->head, p, report, &texts));
	if (is_equal(&texts, &p->counters))
		return OK;
	struct proxy next = *p;
	next.counters = texts;
	return proxy_put(op, &next);
}

/* ---- reading ---- */

void octavia_add_figures(const struct tables *t, const struct listener *l, struct octavia_figures *sum)
{
	const struct counters n = find_counters(engine_get_proxy(t, l->elastic_load_balancer), l->row.id);
	sum->active_connections += n.active;
	sum->total_connections += n.sums[TOTAL];
	sum->bytes_in += n.sums[BYTES_IN];
	sum->bytes_out += n.sums[BYTES_OUT];
	sum->request_errors += n.sums[ERRORS];
}
