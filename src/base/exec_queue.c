/* SPDX-License-Identifier: Apache-2.0
 * An actor's FIFO and pairing heap of jobs (Fredman, Sedgewick, Sleator, Tarjan 1986). */
#include "base/exec_queue.h"

static bool comes_before(const struct job *a, const struct job *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->order < b->order;
}

/* Joins two heaps; either may be NULL. Overwrites the roots' next. */
static struct job *heap_join(struct job *a, struct job *b)
{
	if (!a || !b)
		return a ? a : b;
	struct job *root = comes_before(b, a) ? b : a, *below = root == a ? b : a;
	below->next = root->child;
	root->child = below;
	return root;
}

/* Removes the root: joins its children in pairs, then all pairs from the right. Iterative, because a hundred
 * thousand timers posted in order form a single level. */
static struct job *heap_without_root(struct job *root)
{
	struct job *pairs = NULL, *rest = root->child;
	while (rest) {
		struct job *a = rest, *b = rest->next;
		rest = b ? b->next : NULL;
		struct job *pair = heap_join(a, b);
		pair->next = pairs;
		pairs = pair;
	}
	struct job *heap = NULL;
	while (pairs) {
		struct job *pair = pairs;
		pairs = pair->next;
		heap = heap_join(heap, pair);
	}
	if (heap)
		heap->next = NULL;
	return heap;
}

static void stamp(struct job_queue *q, struct job *job, int64_t due_us)
{
	job->next = job->child = NULL;
	job->due_us = due_us;
	job->order = q->posted++;
	q->count++;
}

void job_queue_add_now(struct job_queue *q, struct job *job, int64_t now_us)
{
	stamp(q, job, now_us);
	if (q->line_tail)
		q->line_tail->next = job;
	else
		q->line_head = job;
	q->line_tail = job;
}

void job_queue_add_at(struct job_queue *q, struct job *job, int64_t due_us)
{
	stamp(q, job, due_us);
	q->heap = heap_join(q->heap, job);
}

static struct job *take_from_line(struct job_queue *q)
{
	struct job *job = q->line_head;
	q->line_head = job->next;
	if (!q->line_head)
		q->line_tail = NULL;
	q->count--;
	job->next = NULL;
	return job;
}

static struct job *take_from_heap(struct job_queue *q)
{
	struct job *job = q->heap;
	q->heap = heap_without_root(job);
	q->count--;
	job->next = job->child = NULL;
	return job;
}

/* The FIFO keeps its order even if the clock was set back between two posts. Its head competes with the
 * timers by the time it was posted, so neither starves the other. */
struct job *job_queue_take_due(struct job_queue *q, int64_t now_us)
{
	bool timer_is_due = q->heap && q->heap->due_us <= now_us;
	if (!q->line_head)
		return timer_is_due ? take_from_heap(q) : NULL;
	return timer_is_due && comes_before(q->heap, q->line_head) ? take_from_heap(q) : take_from_line(q);
}

struct job *job_queue_take_any(struct job_queue *q)
{
	return job_queue_take_due(q, INT64_MAX);
}

int64_t job_queue_next_due(const struct job_queue *q)
{
	if (q->line_head)
		return INT64_MIN;
	return q->heap ? q->heap->due_us : INT64_MAX;
}
