/* SPDX-License-Identifier: Apache-2.0
 * The walker of parameter tables. It goes through the sorted pairs once: what belongs to one
 * element of a list stands together there, and elements come in the order of their numbers, so
 * gaps and any order in the request cost nothing. */
#include "api/query/params.h"

#include "base/vec.h"

struct reader {
	struct ctx *c;
	const char *const *common;
};

/* Pairs of one struct: all names begin with the same prefix of prefix_size bytes. */
struct span {
	const struct pair *at;
	size_t count, prefix_size;
};

/* Every list of ours begins so. */
struct any_list {
	void *at;
	size_t count;
};

static struct str name_rest(const struct pair *pair, size_t prefix_size)
{
	return str_slice(pair->name, prefix_size, pair->name.n);
}

static RESULT fail_value(struct ctx *c, const struct pair *pair, const char *why)
{
	return ctx_fail_field(c, ERR_INVALID, pair->name,
			      "Value (%" STR_FMT ") for parameter %" STR_FMT " is invalid. %s",
			      STR_ARG(str_slice(pair->value, 0, 256)), STR_ARG(pair->name), why);
}

static RESULT fail_unknown(struct ctx *c, const struct pair *pair)
{
	return ctx_fail_field(c, ERR_UNKNOWN, pair->name, "The parameter %" STR_FMT " is not recognized",
			      STR_ARG(pair->name));
}

/* ---- one value ---- */

static size_t count_characters(struct str s) /* of UTF-8 */
{
	size_t count = 0;
	for (size_t k = 0; k < s.n; k++)
		count += ((unsigned char) s.p[k] & 0xC0) != 0x80;
	return count;
}

static RESULT fail_words(struct ctx *c, const struct pair *pair, const char *words)
{
	struct str text = str_print(c->arena, "It must be one of: %s.", words);
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] == '|')
			((char *) text.p)[k] = ','; /* the copy is ours */
	return fail_value(c, pair, text.p ? text.p : "");
}

/* Of words between bars; "" holds the empty one. */
static bool is_one_of(const char *words, struct str value)
{
	struct str rest = str_from(words), word;
	if (str_is_empty(rest))
		return str_is_empty(value);
	while (str_split_next(&rest, '|', &word))
		if (str_equal(word, value))
			return true;
	return false;
}

static RESULT read_base64(struct ctx *c, const struct param *p, const struct pair *pair, struct str *out)
{
	struct result decoded = str_decode_base64(c->arena, pair->value, out);
	if (arena_is_full(c->arena))
		return ctx_no_memory(c);
	if (decoded.code)
		return fail_value(c, pair, "It must be base64.");
	if (p->max && out->n > (size_t) p->max)
		return ctx_fail_field(c, ERR_INVALID, pair->name, "%" STR_FMT " is limited to %lld bytes",
				      STR_ARG(pair->name), (long long) p->max);
	return OK;
}

static RESULT read_text(struct ctx *c, const struct param *p, const struct pair *pair, struct str *out)
{
	if (p->flags & BASE64)
		return read_base64(c, p, pair, out);
	if (p->words && !is_one_of(p->words, pair->value))
		return fail_words(c, pair, p->words);
	size_t count = count_characters(pair->value);
	size_t max = p->max ? (size_t) p->max : PARAM_TEXT_MAX;
	if (count > max || count < (size_t) p->min)
		return ctx_fail_field(c, ERR_INVALID, pair->name,
				      "The value of parameter %" STR_FMT
				      " has %zu characters. It must have %lld to %zu.",
				      STR_ARG(pair->name), count, (long long) p->min, max);
	*out = pair->value;
	return OK;
}

static RESULT read_int(struct ctx *c, const struct param *p, const struct pair *pair, int64_t *out)
{
	int64_t value = 0;
	if (!result_is_ok(str_parse_int(pair->value, &value)))
		return fail_value(c, pair, "It must be a whole number.");
	bool is_bounded = p->min || p->max;
	if (is_bounded && (value < p->min || value > p->max))
		return ctx_fail_field(c, ERR_INVALID, pair->name,
				      "Value ( %lld ) for parameter %" STR_FMT
				      " is invalid. Expecting a value of %lld to %lld.",
				      (long long) value, STR_ARG(pair->name), (long long) p->min,
				      (long long) p->max);
	*out = value;
	return OK;
}

static RESULT read_choice(struct ctx *c, const struct param *p, const struct pair *pair, enum choice *out)
{
	bool value = false;
	if (p->yes) {
		value = str_is(pair->value, p->yes);
		if (!value && !str_is(pair->value, p->no))
			return fail_value(c, pair,
					  str_to_z(c->arena, str_print(c->arena, "It must be %s or %s.",
								       p->yes, p->no)));
	} else if (!result_is_ok(str_parse_bool(pair->value, &value))) {
		return fail_value(c, pair, "It must be true or false.");
	}
	*out = value ? CHOICE_YES : CHOICE_NO;
	return OK;
}

static RESULT fail_malformed(struct ctx *c, enum kind kind, const struct pair *pair, const char *prefix)
{
	struct result r = ctx_fail_kind(c, ERR_MALFORMED, (int) kind,
					"Invalid id: \"%" STR_FMT "\" (expecting \"%s-...\")",
					STR_ARG(str_slice(pair->value, 0, 256)), prefix);
	c->problem.field = pair->name;
	return r;
}

static RESULT read_id(struct ctx *c, const struct param *p, const struct pair *pair, struct ref *out)
{
	if (p->none && str_is(pair->value, p->none)) {
		*out = (struct ref){.kind = p->kind, .text = pair->value, .field = pair->name};
		return OK;
	}
	if (p->flags & BY_NAME) {
		struct str name;
		TRY(read_text(c, p, pair, &name));
		*out = (struct ref){.kind = p->kind, .text = name, .field = pair->name};
		return OK;
	}
	enum kind kind = p->flags & ANY_KIND ? id_kind_of_ec2(pair->value) : p->kind;
	if (kind == KIND_NONE && !p->prefix)
		return fail_malformed(c, kind, pair, "i");
	const char *prefix = p->prefix ? p->prefix : model_kinds[kind].ec2_prefix;
	if (!result_is_ok(id_parse_prefixed(pair->value, prefix, out)))
		return fail_malformed(c, kind, pair, prefix);
	out->kind = kind;
	out->field = pair->name;
	return OK;
}

/* IPv6 has parameters of its own in EC2. */
static RESULT read_ip(struct ctx *c, const struct param *p, const struct pair *pair, struct ip *out)
{
	struct ip ip;
	bool is_ipv6 = p->flags & IPV6;
	if (!result_is_ok(ip_parse(pair->value, &ip)) || ip.family != (is_ipv6 ? IP_V6 : IP_V4))
		return fail_value(c, pair,
				  is_ipv6 ? "This is not a valid IPv6 address."
					  : "This is not a valid IPv4 address.");
	*out = ip;
	return OK;
}

static RESULT read_cidr(struct ctx *c, const struct param *p, const struct pair *pair, struct cidr *out)
{
	struct cidr cidr;
	if (!result_is_ok(cidr_parse(pair->value, &cidr)) ||
	    cidr.base.family != (p->flags & IPV6 ? IP_V6 : IP_V4))
		return fail_value(c, pair, "This is not a valid CIDR block.");
	*out = cidr;
	return OK;
}

static RESULT read_value(struct ctx *c, const struct param *p, const struct pair *pair, void *out)
{
	switch (p->type) {
	case PARAM_TEXT:
	case PARAM_TEXTS:
		return read_text(c, p, pair, out);
	case PARAM_INT:
		return read_int(c, p, pair, out);
	case PARAM_BOOL:
		return result_is_ok(str_parse_bool(pair->value, out))
			       ? OK
			       : fail_value(c, pair, "It must be true or false.");
	case PARAM_CHOICE:
		return read_choice(c, p, pair, out);
	case PARAM_ID:
	case PARAM_IDS:
		return read_id(c, p, pair, out);
	case PARAM_IP:
	case PARAM_IPS:
		return read_ip(c, p, pair, out);
	case PARAM_CIDR:
		return read_cidr(c, p, pair, out);
	case PARAM_TABLE:
	case PARAM_NOT_BUILT:
		break;
	}
	return FAIL(INTERNAL); /* the caller takes care of those */
}

/* ---- lists ---- */

static size_t element_size(const struct param *p)
{
	return p->type == PARAM_TABLE ? p->sub->size
	       : p->type == PARAM_IDS ? sizeof(struct ref)
	       : p->type == PARAM_IPS ? sizeof(struct ip)
				      : sizeof(struct str);
}

static RESULT read_struct(struct reader *r, const struct params *table, struct span span, char *out);

/* How many pairs at the span's head belong to one element of the list, and the size of their names
 * up to the element's number, included. ERR_UNKNOWN: there is no number. */
static RESULT cut_element(struct ctx *c, const struct param *p, struct span span, size_t *ret_count,
			  size_t *ret_head_size)
{
	const struct pair *first = &span.at[0];
	size_t from = span.prefix_size + strlen(p->wire) + 1;
	if (first->name.n < from) { /* its only value, without a number */
		*ret_count = 1;
		*ret_head_size = first->name.n;
		return OK;
	}
	size_t dot = str_find_char(first->name, '.', from);
	struct str number = str_slice(first->name, from, dot);
	int64_t index = 0;
	if (!result_is_ok(str_parse_int(number, &index)) || number.p[0] == '+' ||
	    (number.p[0] == '0' && number.n > 1))
		return fail_unknown(c, first);
	if (index < 0 || index > PARAM_INDEX_MAX) /* Libcloud counts from 0 */
		return ctx_fail_field(c, ERR_INVALID, first->name,
				      "The parameter %" STR_FMT " must be numbered from 1 to %d",
				      STR_ARG(first->name), PARAM_INDEX_MAX);
	struct str head = str_slice(first->name, 0, dot);
	size_t count = 1;
	while (count < span.count && str_starts_with(span.at[count].name, head) &&
	       span.at[count].name.n > dot && span.at[count].name.p[dot] == '.')
		count++;
	*ret_count = count;
	*ret_head_size = dot;
	return OK;
}

static RESULT read_element(struct reader *r, const struct param *p, struct span element, size_t head_size,
			   void *out)
{
	const struct pair *first = &element.at[0];
	bool is_leaf = first->name.n == head_size;
	if (is_leaf != (p->type != PARAM_TABLE) || (is_leaf && element.count > 1))
		return fail_unknown(r->c, &element.at[element.count - 1]);
	if (is_leaf)
		return read_value(r->c, p, first, out);
	element.prefix_size = head_size + 1;
	return read_struct(r, p->sub, element, out);
}

/* All pairs of the span are of the list p. */
static RESULT read_list(struct reader *r, const struct param *p, struct span span, char *out)
{
	struct any_list *list = (struct any_list *) (void *) out;
	size_t size = element_size(p), capacity = 0;
	size_t max = p->max && p->type == PARAM_TABLE ? (size_t) p->max : PARAM_INDEX_MAX;
	while (span.count) {
		size_t count = 0, head_size = 0;
		TRY(cut_element(r->c, p, span, &count, &head_size));
		if (list->count == max)
			return ctx_fail_field(r->c, ERR_INVALID, span.at[0].name,
					      "The parameter %s may be given %zu times at most", p->wire,
					      max);
		if (!vec_reserve_one(r->c->arena, &list->at, &capacity, list->count, size))
			return ctx_no_memory(r->c);
		char *element = (char *) list->at + list->count * size;
		memset(element, 0, size);
		TRY(read_element(r, p, (struct span){span.at, count, 0}, head_size, element));
		list->count++;
		span.at += count;
		span.count -= count;
	}
	return OK;
}

/* ---- structs ---- */

static bool is_list(const struct param *p)
{
	return p->type == PARAM_TEXTS || p->type == PARAM_IDS || p->type == PARAM_IPS ||
	       p->type == PARAM_TABLE;
}

static bool is_below(struct str name, const char *wire)
{
	size_t n = strlen(wire);
	return name.n > n && name.p[n] == '.' && memcmp(name.p, wire, n) == 0;
}

static bool param_takes(const struct param *p, struct str name)
{
	if (is_list(p)) /* Libcloud asks for a key by KeyName, which is a list */
		return is_below(name, p->wire) || (p->type != PARAM_TABLE && str_is(name, p->wire));
	return str_is(name, p->wire) || (p->type == PARAM_NOT_BUILT && is_below(name, p->wire));
}

static const struct param *find_param(const struct params *table, struct str name)
{
	for (size_t k = 0; k < table->count; k++)
		if (param_takes(&table->at[k], name))
			return &table->at[k];
	return 0;
}

static RESULT refuse_unbuilt(struct ctx *c, const struct param *p, const struct pair *pair)
{
	if (p->only && is_one_of(p->only, str_lower(c->arena, pair->value)))
		return OK;
	if (!p->only)
		return ctx_fail_field(c, ERR_UNSUPPORTED, pair->name,
				      "The parameter %" STR_FMT " is not supported", STR_ARG(pair->name));
	return ctx_fail_field(c, ERR_UNSUPPORTED, pair->name,
			      "The parameter %" STR_FMT " is supported with the value '%s' only",
			      STR_ARG(pair->name), p->only);
}

static void note_presence(const struct param *p, struct str name, char *out)
{
	if (p->given)
		*(bool *) (void *) (out + p->given - 1) = true;
	if (p->field)
		*(struct str *) (void *) (out + p->field - 1) = name;
}

static RESULT fail_missing(struct ctx *c, struct str prefix, const struct param *p)
{
	struct str name = str_print(c->arena, "%" STR_FMT "%s", STR_ARG(prefix), p->wire);
	return ctx_fail_field(c, ERR_MISSING, name, "The request must contain the parameter %" STR_FMT,
			      STR_ARG(name));
}

/* What was not sent: missing, or as its row says. */
static RESULT finish_struct(struct ctx *c, const struct params *table, const bool *seen, struct str prefix,
			    char *out)
{
	for (size_t k = 0; k < table->count; k++) {
		const struct param *p = &table->at[k];
		if (seen[k])
			continue;
		if (p->flags & REQUIRED)
			return fail_missing(c, prefix, p);
		if (p->absent) {
			struct pair pair = {str_from(p->wire), str_from(p->absent)};
			TRY(read_value(c, p, &pair, out + p->offset));
		}
	}
	return OK;
}

static bool is_common(const struct reader *r, const struct span *span)
{
	if (span->prefix_size)
		return false;
	for (const char *const *name = r->common; name && *name; name++)
		if (str_is(span->at[0].name, *name))
			return true;
	return false;
}

/* The pairs at the span's head that p takes: one, or all of a list. */
static size_t count_taken(const struct param *p, struct span span)
{
	size_t count = 1;
	while (is_list(p) && count < span.count &&
	       param_takes(p, name_rest(&span.at[count], span.prefix_size)))
		count++;
	return count;
}

/* Required and empty is as good as absent; so is a resource that is not named: Packer names no VPC and no
 * instance profile so. */
static bool is_as_good_as_absent(const struct param *p, const struct pair *pair)
{
	bool may_be_none = p->type == PARAM_ID && p->min == 0;
	return !is_list(p) && (may_be_none || p->flags & REQUIRED) && str_is_empty(pair->value);
}

/* The pairs at the span's head, all of p. */
static RESULT read_param(struct reader *r, const struct param *p, struct span span, bool *ret_seen, char *out)
{
	const struct pair *pair = &span.at[0];
	if (is_as_good_as_absent(p, pair))
		return OK;
	*ret_seen = true;
	note_presence(p, pair->name, out);
	if (p->type == PARAM_NOT_BUILT)
		return refuse_unbuilt(r->c, p, pair);
	if (is_list(p))
		return read_list(r, p, span, out + p->offset);
	return read_value(r->c, p, pair, out + p->offset);
}

/* Where a list's items are its members, an empty one is its name alone: "Tags=". */
static bool is_empty_list(const struct params *table, struct str name, struct str value)
{
	struct str member = STR(".member");
	for (size_t k = 0; k < table->count && str_is_empty(value); k++) {
		struct str wire = str_from(table->at[k].wire);
		if (is_list(&table->at[k]) && str_ends_with(wire, member) &&
		    str_equal(name, str_slice(wire, 0, wire.n - member.n)))
			return true;
	}
	return false;
}

static RESULT read_struct(struct reader *r, const struct params *table, struct span span, char *out)
{
	bool seen[PARAM_TABLE_MAX] = {false};
	struct str prefix = span.count ? str_slice(span.at[0].name, 0, span.prefix_size) : STR_NONE;
	while (span.count) {
		const struct param *p = find_param(table, name_rest(&span.at[0], span.prefix_size));
		size_t count = p ? count_taken(p, span) : 1;
		if (p)
			TRY(read_param(r, p, (struct span){span.at, count, span.prefix_size},
				       &seen[p - table->at], out));
		else if (!is_common(r, &span) &&
			 !is_empty_list(table, name_rest(&span.at[0], span.prefix_size), span.at[0].value))
			return fail_unknown(r->c, &span.at[0]);
		span.at += count;
		span.count -= count;
	}
	return finish_struct(r->c, table, seen, prefix, out);
}

RESULT params_read(struct ctx *c, const struct params *table, const char *const *common,
		   const struct pairs *pairs, void *out)
{
	struct reader r = {c, common};
	return read_struct(&r, table, (struct span){pairs->at, pairs->count, 0}, out);
}

static bool is_given(const struct ref *ref)
{
	return ref->bits || ref->text.n;
}

RESULT params_choose(struct ctx *c, const struct ref *one, const char *one_wire, const struct ref *other,
		     const char *other_wire, struct ref *ret_ref)
{
	if (is_given(one) && is_given(other))
		return ctx_fail_field(c, ERR_COMBINATION, str_from(other_wire),
				      "The parameter %s cannot be used with the parameter %s", other_wire,
				      one_wire);
	if (!is_given(one) && !is_given(other))
		return ctx_fail_field(c, ERR_MISSING, str_from(one_wire),
				      "The request must contain the parameter %s or %s", other_wire,
				      one_wire);
	*ret_ref = is_given(one) ? *one : *other;
	return OK;
}
