/* SPDX-License-Identifier: Apache-2.0
 * Answers that quote: the server asks for the next bytes, and gets them from the answer's own text and from
 * the quotes in turn. */
#include "api/ec2/core/quote.h"

#include "base/heap.h"

/* An answer on its way. */
struct quoting {
	struct buf body;
	size_t own;         /* of the body, sent so far */
	size_t next, count; /* the quote that is next, and how many there are */
	size_t quoted;      /* of the next one, sent so far */
	struct ec2_quote *quotes;
	struct ec2_kept **kept; /* held */
	size_t kept_count;
};

static void quoting_free(struct quoting *q)
{
	heap_free(q->quotes);
	heap_free(q->kept);
	heap_free(q);
}

static void quoting_done(void *arg)
{
	struct quoting *q = arg;
	for (size_t k = 0; k < q->kept_count; k++)
		ec2_kept_drop(q->kept[k]);
	buf_done(&q->body);
	quoting_free(q);
}

/* What is left of the piece that comes next: of the body up to the next quote, else of that. */
static struct str rest_of_piece(const struct quoting *q)
{
	size_t end = q->next < q->count ? q->quotes[q->next].at : q->body.size;
	if (q->own < end || q->next == q->count)
		return str_slice(buf_str(&q->body), q->own, end);
	struct str text = ec2_kept_text(q->quotes[q->next].kept);
	return str_slice(text, q->quoted, text.n);
}

/* So many bytes of that piece are sent. */
static void pass(struct quoting *q, size_t size)
{
	if (q->next == q->count || q->own < q->quotes[q->next].at) {
		q->own += size;
		return;
	}
	q->quoted += size;
	if (q->quoted == ec2_kept_text(q->quotes[q->next].kept).n) {
		q->next++;
		q->quoted = 0;
	}
}

static ssize_t quoting_read(void *arg, uint64_t at, char *to, size_t room)
{
	struct quoting *q = arg;
	size_t size = 0;
	(void) at; /* it goes straight on */
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

static struct quoting *quoting_new(const struct ec2_quotes *quotes, struct ec2_kept *const *kept,
				   size_t kept_count)
{
	struct quoting *q = heap_new(struct quoting);
	if (!q)
		return NULL;
	q->quotes = heap_alloc_array(quotes->count, sizeof *q->quotes);
	q->kept = heap_alloc_array(kept_count, sizeof(struct ec2_kept *));
	if (!q->quotes || !q->kept) {
		quoting_free(q);
		return NULL;
	}
	for (size_t k = 0; k < quotes->count; k++)
		q->quotes[k] = quotes->at[k];
	for (size_t k = 0; k < kept_count; k++)
		q->kept[k] = kept[k];
	q->count = quotes->count;
	q->kept_count = kept_count;
	return q;
}

RESULT ec2_answer_quoting(struct call *call, const char *content_type, struct buf *body,
			  const struct ec2_quotes *quotes, struct ec2_kept *const *kept, size_t kept_count)
{
	struct quoting *q = quoting_new(quotes, kept, kept_count);
	if (!q)
		return ctx_no_memory(&call->ctx);
	uint64_t size = body->size;
	for (size_t k = 0; k < quotes->count; k++)
		size += ec2_kept_text(quotes->at[k].kept).n;
	q->body = *body;
	*body = (struct buf){0};
	call_answer_read(call, 200, content_type, size, quoting_read, quoting_done, q);
	return OK;
}
