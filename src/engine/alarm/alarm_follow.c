/* SPDX-License-Identifier: Apache-2.0
 * Composite alarms of an account in the order in which they depend on each other. Each rule is read once to find
 * that order, and each composite alarm is evaluated at most once, after all alarms that its rule names. So the cost
 * of a change is linear in the length of the account's rules, however deep they are nested, and no alarm shows an
 * intermediate state. */
#include <stdlib.h>

#include "base/vec.h"
#include "engine/alarm/alarm_internal.h"

enum { RULES_MAX = 512 << 10 /* characters of all rules of an account */ };

struct node {
	uuid alarm;
	size_t waits, height; /* names of composite alarms that are not in order yet; longest chain below */
	bool is_touched;      /* something that its rule names has changed */
};
struct edge {
	size_t child, parent;
};
struct graph {
	struct op *op;
	uuid account, changed;
	struct node *at; /* in order of ids */
	size_t count, characters, reading;
	struct {
		struct edge *at;
		size_t count, capacity;
	} edges; /* in order of children, once all are there */
	size_t *order, ordered;
	bool is_full; /* out of memory */
};

static int compare_nodes(const void *a, const void *b)
{
	return uuid_compare(((const struct node *) a)->alarm, ((const struct node *) b)->alarm);
}

/* Edges of one child are neighbours, so that its parents are found without a search through all. */
static int compare_edges(const void *a, const void *b)
{
	const struct edge *x = a, *y = b;
	return (x->child > y->child) - (x->child < y->child);
}

/* ---- reading ---- */

static bool note_child(void *arg, struct str name, enum alarm_state *ret_state)
{
	struct graph *g = arg;
	const struct alarm *child = alarm_find_by_account(g->op->head, g->account, name);
	*ret_state = ALARM_STATE_OK;
	if (!child)
		return true;
	g->at[g->reading].is_touched |= uuid_equal(child->row.id, g->changed);
	const struct node key = {.alarm = child->row.id};
	const struct node *node =
		child->is_composite ? bsearch(&key, g->at, g->count, sizeof key, compare_nodes) : NULL;
	if (!node)
		return true;
	g->at[g->reading].waits++;
	const struct edge edge = {(size_t) (node - g->at), g->reading};
	g->is_full |= !VEC_PUSH(g->op->ctx->arena, &g->edges, edge);
	return true;
}

static const struct row *next_composite(const struct graph *g, const struct row *row)
{
	const struct alarm key = {.account = g->account, .is_composite = true};
	return row ? tables_next(g->op->head, KIND_ALARM, ALARM_INDEX_COMPOSITE, row, 2)
		   : tables_first(g->op->head, KIND_ALARM, ALARM_INDEX_COMPOSITE, &key.row, 2);
}

static RESULT read_nodes(struct graph *g)
{
	size_t count = 0;
	for (const struct row *row = next_composite(g, NULL); row; row = next_composite(g, row))
		count++;
	g->at = arena_new_array(g->op->ctx->arena, struct node, count + 1);
	g->order = arena_new_array(g->op->ctx->arena, size_t, count + 1);
	if (!g->at || !g->order)
		return ctx_no_memory(g->op->ctx);
	for (const struct row *row = next_composite(g, NULL); row; row = next_composite(g, row)) {
		g->at[g->count++] = (struct node){.alarm = row->id};
		g->characters += alarm_of(row)->rule.n;
	}
	if (count > 1)
		qsort(g->at, count, sizeof *g->at, compare_nodes);
	return OK;
}

static RESULT read_edges(struct graph *g)
{
	const struct alarm_rule_names names = {note_child, g};
	for (g->reading = 0; g->reading < g->count; g->reading++) {
		bool holds = false;
		const struct alarm *alarm = alarm_find(g->op->head, g->at[g->reading].alarm);
		TRY(alarm_rule_read(g->op->ctx, alarm->rule, &names, &holds));
	}
	if (g->edges.count > 1)
		qsort(g->edges.at, g->edges.count, sizeof *g->edges.at, compare_edges);
	return g->is_full ? ctx_no_memory(g->op->ctx) : OK;
}

/* ---- order ---- */

/* Calls each for all composite alarms whose rules name that one. */
static void each_parent(struct graph *g, size_t child,
			void (*each)(struct graph *g, size_t child, size_t parent))
{
	size_t low = 0, high = g->edges.count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (g->edges.at[middle].child < child)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < g->edges.count && g->edges.at[low].child == child; low++)
		each(g, child, g->edges.at[low].parent);
}

static void release(struct graph *g, size_t child, size_t parent)
{
	struct node *node = &g->at[parent];
	if (g->at[child].height >= node->height)
		node->height = g->at[child].height + 1;
	if (--node->waits == 0)
		g->order[g->ordered++] = parent;
}

/* Alarms of a cycle, and those above it, stay out of the order. */
static RESULT read_graph(struct graph *g)
{
	TRY(read_nodes(g));
	TRY(read_edges(g));
	for (size_t k = 0; k < g->count; k++)
		if (!g->at[k].waits)
			g->order[g->ordered++] = k;
	for (size_t k = 0; k < g->ordered; k++)
		each_parent(g, g->order[k], release);
	return OK;
}

/* ---- evaluation ---- */

static void touch(struct graph *g, size_t child, size_t parent)
{
	(void) child;
	g->at[parent].is_touched = true;
}

static RESULT evaluate(struct graph *g)
{
	for (size_t k = 0; k < g->ordered; k++) {
		bool changed = false;
		const struct node *node = &g->at[g->order[k]];
		if (node->is_touched)
			TRY(alarm_follow_one(g->op, alarm_find(g->op->head, node->alarm), &changed));
		if (changed)
			each_parent(g, g->order[k], touch);
	}
	return OK;
}

RESULT alarm_follow(struct op *op, uuid account, uuid changed)
{
	struct graph g = {.op = op, .account = account, .changed = changed};
	TRY(read_graph(&g));
	return evaluate(&g);
}

RESULT alarm_weigh_composite(struct op *op, uuid id)
{
	const struct alarm *alarm = alarm_find(op->head, id);
	struct graph g = {.op = op, .account = alarm->account};
	TRY(read_graph(&g));
	if (g.characters > RULES_MAX)
		return ENGINE_FAIL(
			op, ERR_QUOTA, KIND_ALARM, STR("AlarmRule"),
			"The rules of an account's composite alarms have up to %d characters together.",
			RULES_MAX);
	if (g.ordered < g.count)
		return ENGINE_FAIL(op, ERR_INVALID, KIND_ALARM, STR("AlarmRule"),
				   "The alarm rule of %" STR_FMT " leads back to the alarm itself.",
				   STR_ARG(alarm->name));
	for (size_t k = 0; k < g.count; k++) {
		g.at[k].is_touched = uuid_equal(g.at[k].alarm, id);
		if (g.at[k].height > ALARM_RULE_DEPTH_MAX)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_ALARM, STR("AlarmRule"),
					   "Composite alarms depend on each other over more than %d levels.",
					   ALARM_RULE_DEPTH_MAX);
	}
	return evaluate(&g);
}
