/* SPDX-License-Identifier: Apache-2.0
 * The CPUs that guests get. A running guest keeps its CPU when the group changes. Called by:
 * engine/region/host.c; all operations that start an instance. */
#include "model/processor.h"

#include "engine/region/processor_internal.h"
#include "model/instance.h"
#include "store/host.h"

static bool is_member(const struct host *h)
{
	return row_is_live(&h->row) && h->cpu.n == 0 && h->seen_cpu.n > 0;
}

static bool are_of_group(const struct host *a, const struct host *b)
{
	return is_member(a) && is_member(b) && a->seen_virt == b->seen_virt &&
	       str_equal(processor_vendor(a->seen_cpu), processor_vendor(b->seen_cpu));
}

static size_t count_features(const struct host *h)
{
	struct processor_walk walk = processor_begin(h->seen_cpu);
	struct str name;
	bool is_there;
	size_t count = 0;
	while (processor_next(&walk, &name, &is_there))
		count += is_there;
	return count;
}

/* The row as it will be: `next` is not put yet. */
static const struct host *row_of(const struct host *h, const struct host *next)
{
	return uuid_equal(h->row.id, next->row.id) ? next : h;
}

/* The features common to the group, based on the least capable host's model. */
static RESULT find_common(struct op *op, const struct host *of, const struct host *next, struct str *ret_cpu)
{
	const struct host *least = NULL;
	size_t least_count = 0;
	for (const struct host *h = host_first(op->head); h; h = host_next(op->head, h)) {
		const struct host *row = row_of(h, next);
		size_t count = are_of_group(row, of) ? count_features(row) : 0;
		if (count && (!least || count < least_count)) {
			least = row;
			least_count = count;
		}
	}
	*ret_cpu = least ? least->seen_cpu : STR_NONE;
	for (const struct host *h = host_first(op->head); h; h = host_next(op->head, h)) {
		const struct host *row = row_of(h, next);
		if (!are_of_group(row, of) || processor_covers(row->seen_cpu, *ret_cpu))
			continue;
		*ret_cpu = processor_limit(op->ctx->arena, *ret_cpu, row->seen_cpu);
		if (!ret_cpu->n)
			return ctx_no_memory(op->ctx);
	}
	return OK;
}

static RESULT review_group(struct op *op, const struct host *of, struct host *next)
{
	struct str common = STR_NONE;
	TRY(find_common(op, of, next, &common));
	for (const struct host *h = host_first(op->head); h; h = host_next(op->head, h)) {
		const struct host *row = row_of(h, next);
		if (!are_of_group(row, of) || str_equal(row->seen_guest_cpu, common))
			continue;
		struct host changed = *row;
		changed.seen_guest_cpu = common;
		if (row == next)
			*next = changed;
		else
			TRY(host_put(op, &changed));
	}
	return OK;
}

/* A host that covers the group's guest CPU joins without changing it. */
static RESULT join_group(struct op *op, struct host *next)
{
	const struct host *h = host_first(op->head);
	while (h && (uuid_equal(h->row.id, next->row.id) || !are_of_group(h, next) || !h->seen_guest_cpu.n))
		h = host_next(op->head, h);
	if (!h || !processor_covers(next->seen_cpu, h->seen_guest_cpu))
		return review_group(op, next, next);
	next->seen_guest_cpu = h->seen_guest_cpu;
	return OK;
}

RESULT processor_follow_host(struct op *op, const struct host *before, struct host *next, struct str named)
{
	bool was_member = is_member(before), is_one = is_member(next);
	bool stays = was_member && is_one && str_equal(before->seen_cpu, next->seen_cpu) &&
		     before->seen_virt == next->seen_virt;
	if (stays)
		return OK;
	if (!is_one)
		next->seen_guest_cpu = named;
	if (was_member)
		TRY(review_group(op, before, next));
	return is_one ? join_group(op, next) : OK;
}

RESULT processor_forget_host(struct op *op, const struct host *before)
{
	struct host next = *before;
	next.cpu = STR(PROCESSOR_OF_HOST); /* excludes it from the group */
	return is_member(before) ? review_group(op, before, &next) : OK;
}

void processor_give(const struct tables *t, struct instance *next)
{
	const struct host *host = uuid_is_none(next->host) ? NULL : host_find(t, next->host);
	next->cpu = host ? host->seen_guest_cpu : STR_NONE;
	next->machine = host ? host->seen_machine : STR_NONE;
}
