/* SPDX-License-Identifier: Apache-2.0
 * Table of costs, keyed by the address of a static string. A row is taken once and never released. */
#include "http/cost.h"

#include <string.h>

#include "base/hash.h"

/* Index of the key's row; COST_ACTIONS_MAX: the table is full. */
static size_t find_row(struct cost_table *t, const char *key)
{
	uint64_t hash = hash_add(0, (uintptr_t) key);
	for (size_t k = 0; k < COST_ACTIONS_MAX; k++) {
		size_t at = (hash + k) % COST_ACTIONS_MAX;
		const char *there = atomic_load(&t->rows[at].key);
		if (there == key ||
		    (!there && atomic_compare_exchange_strong(&t->rows[at].key, &there, key)) ||
		    there == key) /* another thread has just taken the row for the same key */
			return at;
	}
	return COST_ACTIONS_MAX;
}

void cost_add(struct cost_table *t, const char *face, const char *action, int64_t used_ns)
{
	size_t at = find_row(t, action ? action : face);
	if (at == COST_ACTIONS_MAX)
		return;
	atomic_store(&t->rows[at].face, face);
	t->rows[at].runs++;
	t->rows[at].long_runs += used_ns > COST_LONG_NS;
	int64_t longest_ns = t->rows[at].longest_ns;
	while (used_ns > longest_ns &&
	       !atomic_compare_exchange_weak(&t->rows[at].longest_ns, &longest_ns, used_ns))
		continue;
}

/* The same text may have several addresses. */
static struct cost *find_same(struct cost *costs, size_t count, const struct cost *wanted)
{
	for (size_t k = 0; k < count; k++)
		if (strcmp(costs[k].action, wanted->action) == 0 && strcmp(costs[k].face, wanted->face) == 0)
			return &costs[k];
	return NULL;
}

size_t cost_read(const struct cost_table *t, bool only_long, struct cost *ret_costs, size_t max)
{
	size_t count = 0;
	for (size_t k = 0; k < COST_ACTIONS_MAX && count < max; k++) {
		const char *key = t->rows[k].key, *face = t->rows[k].face;
		const struct cost cost = {face, key == face ? "-" : key, t->rows[k].runs,
					  t->rows[k].long_runs, t->rows[k].longest_ns};
		if (!key || !face || (only_long && !cost.long_runs))
			continue;
		struct cost *same = find_same(ret_costs, count, &cost);
		if (!same) {
			ret_costs[count++] = cost;
			continue;
		}
		same->runs += cost.runs;
		same->long_runs += cost.long_runs;
		if (cost.longest_ns > same->longest_ns)
			same->longest_ns = cost.longest_ns;
	}
	return count;
}
