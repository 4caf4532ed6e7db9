/* SPDX-License-Identifier: Apache-2.0
 * Answers gathered from cached fragments: the server asks for the next bytes, which come from the answer's
 * own text and from the fragments in turn. */
#include "api/ec2/core/gathered_answer.h"

#include "base/heap.h"

/* An answer that is being sent. */
struct gathered {
	struct buf body;
	size_t own;           /* bytes of the body sent so far */
	size_t next, count;   /* index of the next fragment, and number of fragments */
	size_t fragment_sent; /* bytes of the next fragment sent so far */
	struct ec2_fragment *fragments;
	struct ec2_cached_item **cached; /* references held until the end */
	size_t cached_count;
};

static void gathered_free(struct gathered *q)
{
	heap_free(q->fragments);
	heap_free(q->cached);
	heap_free(q);
}

static void gathered_done(void *arg)
{
	struct gathered *q = arg;
	for (size_t k = 0; k < q->cached_count; k++)
		ec2_cached_drop(q->cached[k]);
	buf_done(&q->body);
	gathered_free(q);
}

/* Returns the rest of the next piece: the body up to the next fragment, or the fragment itself. */
static struct str rest_of_piece(const struct gathered *q)
{
	size_t end = q->next < q->count ? q->fragments[q->next].at : q->body.size;
	if (q->own < end || q->next == q->count)
		return str_slice(buf_str(&q->body), q->own, end);
	struct str text = ec2_cached_text(q->fragments[q->next].cached);
	return str_slice(text, q->fragment_sent, text.n);
}

/* Records that n bytes of that piece were sent. */
static void pass(struct gathered *q, size_t size)
{
	if (q->next == q->count || q->own < q->fragments[q->next].at) {
		q->own += size;
		return;
	}
	q->fragment_sent += size;
	if (q->fragment_sent == ec2_cached_text(q->fragments[q->next].cached).n) {
		q->next++;
		q->fragment_sent = 0;
	}
}

static ssize_t gathered_read(void *arg, uint64_t at, char *to, size_t room)
{
	struct gathered *q = arg;
	size_t size = 0;
	(void) at; /* the answer is always read in order */
	while (size < room && (q->next < q->count || q->own < q->body.size)) {
		struct str piece = rest_of_piece(q);
		size_t n = piece.n < room - size ? piece.n : room - size;
		if (n)
			memcpy(to + size, piece.p, n);
		size += n;
		pass(q, n);
	}
	return (ssize_t) size;
}

static struct gathered *gathered_new(const struct ec2_fragments *fragments,
				     struct ec2_cached_item *const *cached, size_t cached_count)
{
	struct gathered *q = heap_new(struct gathered);
	if (!q)
		return NULL;
	q->fragments = heap_alloc_array(fragments->count, sizeof *q->fragments);
	q->cached = heap_alloc_array(cached_count, sizeof(struct ec2_cached_item *));
	if (!q->fragments || !q->cached) {
		gathered_free(q);
		return NULL;
	}
	for (size_t k = 0; k < fragments->count; k++)
		q->fragments[k] = fragments->at[k];
	for (size_t k = 0; k < cached_count; k++)
		q->cached[k] = cached[k];
	q->count = fragments->count;
	q->cached_count = cached_count;
	return q;
}

RESULT ec2_answer_gathered(struct call *call, const char *content_type, struct buf *body,
			   const struct ec2_fragments *fragments, struct ec2_cached_item *const *cached,
			   size_t cached_count)
{
	struct gathered *q = gathered_new(fragments, cached, cached_count);
	if (!q)
		return ctx_no_memory(&call->ctx);
	uint64_t size = body->size;
	for (size_t k = 0; k < fragments->count; k++)
		size += ec2_cached_text(fragments->at[k].cached).n;
	q->body = *body;
	*body = (struct buf){0};
	call_answer_read(call, 200, content_type, size, gathered_read, gathered_done, q);
	return OK;
}
