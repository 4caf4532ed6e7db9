/* SPDX-License-Identifier: Apache-2.0
 * Parses a query string or a form into pairs of name and value.
 */
#include "api/core/pairs.h"

#include <stdlib.h>
#include <strings.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/vec.h"

enum { SHOWN_SIZE = 80 };

/* ---- the order of names that nest ---- */

static bool is_number(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (s.p[k] < '0' || s.p[k] > '9')
			return false;
	return s.n > 0 && s.n < 10;
}

static int compare_texts(struct str a, struct str b, unsigned form)
{
	if (!(form & PAIRS_IGNORE_CASE))
		return str_compare(a, b);
	int order = a.n && b.n ? strncasecmp(a.p, b.p, a.n < b.n ? a.n : b.n) : 0;
	return order ? order : (a.n > b.n) - (a.n < b.n);
}

static bool next_segment(struct str *rest, unsigned form, struct str *ret_segment)
{
	size_t end = 0;
	if (!(form & PAIRS_BRACKETS))
		return str_split_next(rest, '.', ret_segment);
	while (end < rest->n && !strchr(".[]", rest->p[end]))
		end++;
	bool has_more = rest->n;
	*ret_segment = str_slice(*rest, 0, end);
	*rest = str_slice(*rest, end + 1, rest->n);
	return has_more;
}

/* Compares names segment by segment, and numbers by value. */
static int compare_names(const void *a, const void *b, void *arg)
{
	const unsigned form = *(const unsigned *) arg;
	struct str rest_a = ((const struct pair *) a)->name, rest_b = ((const struct pair *) b)->name, x, y;
	for (;;) {
		bool more_a = next_segment(&rest_a, form, &x), more_b = next_segment(&rest_b, form, &y);
		if (!more_a || !more_b)
			return more_a   ? 1
			       : more_b ? -1
					: compare_texts(((const struct pair *) a)->name,
							((const struct pair *) b)->name, form);
		int64_t n = 0, m = 0;
		if (is_number(x) && is_number(y)) { /* is_number() allows nine digits, so neither fails */
			IGNORE(str_parse_int(x, &n));
			IGNORE(str_parse_int(y, &m));
		}
		int order = n != m ? (n > m) - (n < m) : compare_texts(x, y, form);
		if (order)
			return order;
	}
}

/* Names in order: equal ones are neighbours, and members of a list follow their numbers. Where letter case does not
 * matter, a parameter may be repeated with an equal value: clients of CloudStack send "listAll" beside "listall". */
static RESULT sort_pairs(struct ctx *c, struct pair *at, size_t count, unsigned form)
{
	if (count)
		qsort_r(at, count, sizeof *at, compare_names, &form);
	for (size_t k = 1; k < count; k++) {
		bool may_repeat = form & PAIRS_IGNORE_CASE && str_equal(at[k - 1].value, at[k].value);
		if (compare_texts(at[k - 1].name, at[k].name, form) == 0 && !may_repeat)
			return ctx_fail_field(c, ERR_INVALID, at[k].name,
					      "The parameter %" STR_FMT " was given more than once",
					      STR_ARG(at[k].name));
	}
	return OK;
}

/* ---- reading ---- */

struct pair_list {
	VEC(struct pair) pairs;
};

static RESULT decode_pair(struct ctx *c, const struct pairs_rules *rules, struct str piece, struct pair *out)
{
	size_t equals = str_find_char(piece, '=', 0);
	struct result name = str_decode_url(c->arena, str_slice(piece, 0, equals), &out->name);
	struct result value = str_decode_url(c->arena, str_slice(piece, equals + 1, piece.n), &out->value);
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	if (result_is_ok(name) && result_is_ok(value))
		return OK;
	if (rules->broken)
		return ctx_fail(c, ERR_INVALID, "%s", rules->broken);
	return ctx_fail(c, ERR_INVALID, "The %s has a broken %%-escape: %" STR_FMT, rules->noun,
			STR_ARG(str_slice(piece, 0, equals < SHOWN_SIZE ? equals : SHOWN_SIZE)));
}

static RESULT add_pairs(struct ctx *c, const struct pairs_rules *rules, struct str text,
			struct pair_list *list)
{
	struct str piece;
	while (str_split_next(&text, '&', &piece)) {
		struct pair pair;
		bool is_left_out = false;
		if (str_is_empty(piece))
			continue;
		TRY(decode_pair(c, rules, piece, &pair));
		if (rules->check)
			TRY(rules->check(c, &pair, &is_left_out));
		if (is_left_out)
			continue;
		if (list->pairs.count == rules->count_max)
			return ctx_fail(c, ERR_TOO_LARGE, "The %s has more than %zu parameters", rules->noun,
					rules->count_max);
		if (!VEC_PUSH(c->arena, &list->pairs, pair))
			return ctx_no_memory(c);
	}
	return OK;
}

RESULT pairs_parse(struct ctx *c, const struct pairs_rules *rules, struct str query, struct str form,
		   struct pairs *ret_pairs)
{
	struct pair_list list = {0};
	TRY(add_pairs(c, rules, query, &list));
	TRY(add_pairs(c, rules, form, &list));
	if (rules->form & PAIRS_NEST)
		TRY(sort_pairs(c, list.pairs.at, list.pairs.count, rules->form));
	*ret_pairs = (struct pairs){list.pairs.at, list.pairs.count};
	return OK;
}

struct str pairs_find(const struct pairs *pairs, const char *name)
{
	struct str wanted = str_from(name);
	for (size_t k = 0; k < pairs->count; k++)
		if (str_equal(pairs->at[k].name, wanted)) {
			struct str value = pairs->at[k].value;
			return (struct str){value.p ? value.p : "", value.n};
		}
	return STR_NONE;
}

/* ---- digests ---- */

static bool is_listed(struct str name, const char *const *names)
{
	for (; *names; names++)
		if (str_is(name, *names))
			return true;
	return false;
}

struct str pairs_digest(struct ctx *c, const struct pairs *pairs, const char *const *but)
{
	uint8_t digest[SHA256_SIZE];
	struct buf b;
	buf_init(&b, BUF_ANSWER_CAP);
	for (size_t k = 0; k < pairs->count; k++) {
		if (is_listed(pairs->at[k].name, but))
			continue;
		/* Lengths separate the texts, because names and values may contain any byte. */
		buf_print(&b, "%zu,%zu:", pairs->at[k].name.n, pairs->at[k].value.n);
		buf_add_str(&b, pairs->at[k].name);
		buf_add_str(&b, pairs->at[k].value);
	}
	struct str text = STR_NONE;
	if (result_is_ok(buf_finish(&b))) {
		crypto_sha256(buf_str(&b), digest);
		text = str_encode_hex(c->arena, digest, sizeof digest);
	}
	buf_done(&b);
	return text;
}
