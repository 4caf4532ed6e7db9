/* SPDX-License-Identifier: Apache-2.0
 * Condition operators: names, parsing of values, evaluation. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "auth/policy/policy_internal.h"
#include "base/clock.h"

/* ---- names ---- */

struct operator_name {
	const char *name;
	enum condition_type type;
	enum condition_order order;
	bool is_negated;
};

static const struct operator_name operators[] = {
	{"StringEquals", CONDITION_STRING, ORDER_EQUAL, false},
	{"StringNotEquals", CONDITION_STRING, ORDER_EQUAL, true},
	{"StringEqualsIgnoreCase", CONDITION_STRING_NOCASE, ORDER_EQUAL, false},
	{"StringNotEqualsIgnoreCase", CONDITION_STRING_NOCASE, ORDER_EQUAL, true},
	{"StringLike", CONDITION_LIKE, ORDER_EQUAL, false},
	{"StringNotLike", CONDITION_LIKE, ORDER_EQUAL, true},
	{"NumericEquals", CONDITION_NUMBER, ORDER_EQUAL, false},
	{"NumericNotEquals", CONDITION_NUMBER, ORDER_EQUAL, true},
	{"NumericLessThan", CONDITION_NUMBER, ORDER_LESS, false},
	{"NumericLessThanEquals", CONDITION_NUMBER, ORDER_LESS_EQUAL, false},
	{"NumericGreaterThan", CONDITION_NUMBER, ORDER_GREATER, false},
	{"NumericGreaterThanEquals", CONDITION_NUMBER, ORDER_GREATER_EQUAL, false},
	{"DateEquals", CONDITION_DATE, ORDER_EQUAL, false},
	{"DateNotEquals", CONDITION_DATE, ORDER_EQUAL, true},
	{"DateLessThan", CONDITION_DATE, ORDER_LESS, false},
	{"DateLessThanEquals", CONDITION_DATE, ORDER_LESS_EQUAL, false},
	{"DateGreaterThan", CONDITION_DATE, ORDER_GREATER, false},
	{"DateGreaterThanEquals", CONDITION_DATE, ORDER_GREATER_EQUAL, false},
	{"Bool", CONDITION_BOOL, ORDER_EQUAL, false},
	{"BinaryEquals", CONDITION_BINARY, ORDER_EQUAL, false},
	{"IpAddress", CONDITION_IP, ORDER_EQUAL, false},
	{"NotIpAddress", CONDITION_IP, ORDER_EQUAL, true},
	{"ArnEquals", CONDITION_ARN, ORDER_EQUAL, false},
	{"ArnLike", CONDITION_ARN, ORDER_EQUAL, false},
	{"ArnNotEquals", CONDITION_ARN, ORDER_EQUAL, true},
	{"ArnNotLike", CONDITION_ARN, ORDER_EQUAL, true},
	{"Null", CONDITION_NULL, ORDER_EQUAL, false},
};

static bool cut_front(struct str *name, const char *front)
{
	if (!str_starts_with(*name, str_from(front)))
		return false;
	*name = str_slice(*name, strlen(front), name->n);
	return true;
}

static bool cut_end(struct str *name, const char *end)
{
	if (!str_ends_with(*name, str_from(end)))
		return false;
	*name = str_slice(*name, 0, name->n - strlen(end));
	return true;
}

RESULT policy_read_operator(struct ctx *c, struct str name, struct policy_condition *ret_condition)
{
	struct str rest = name;
	struct policy_condition out = {.scope = SCOPE_SINGLE};
	if (cut_front(&rest, "ForAnyValue:"))
		out.scope = SCOPE_ANY_VALUE;
	else if (cut_front(&rest, "ForAllValues:"))
		out.scope = SCOPE_ALL_VALUES;
	out.if_exists = cut_end(&rest, "IfExists");
	for (size_t k = 0; k < sizeof operators / sizeof operators[0]; k++) {
		const struct operator_name *o = &operators[k];
		if (!str_is(rest, o->name) ||
		    (o->type == CONDITION_NULL && (out.if_exists || out.scope != SCOPE_SINGLE)))
			continue;
		out.type = (uint8_t) o->type;
		out.order = (uint8_t) o->order;
		out.is_negated = o->is_negated;
		*ret_condition = out;
		return OK;
	}
	return ctx_fail(c, ERR_INVALID, "Invalid Condition type : %" STR_FMT,
			STR_ARG(str_slice(name, 0, 128)));
}

/* ---- values ---- */

static bool read_number(struct arena *a, struct str text, double *ret_number)
{
	char *end = NULL;
	const char *z = str_to_z(a, text);
	if (text.n == 0 || text.n > 64 || strspn(z, "+-.0123456789eE") != text.n)
		return false;
	*ret_number = strtod(z, &end);
	return *end == 0 && isfinite(*ret_number);
}

/* Completes a shortened ISO 8601 date of W3C's profile: a year, month or day starts at its first moment, a
 * time without seconds at :00. Empty: another form. */
static struct str lengthen_date(struct str text, char out[static 40])
{
	static const char rest_of[] = "0000-01-01T00:00:00Z"; /* parts that a year, month or day leaves out */
	bool has_minutes = text.n > 16 && text.n < 32 && text.p[10] == 'T' && text.p[13] == ':';
	if (text.n == 4 || text.n == 7 || text.n == 10) {
		memcpy(out, rest_of, sizeof rest_of);
		memcpy(out, text.p, text.n);
		return text.n == 4 || text.p[4] == '-' ? str_from(out) : STR_NONE;
	}
	if (!has_minutes || text.p[16] == ':')
		return STR_NONE;
	memcpy(out, text.p, 16);
	memcpy(out + 16, ":00", 3);
	memcpy(out + 19, text.p + 16, text.n - 16);
	return (struct str){out, text.n + 3};
}

/* ISO 8601, or seconds since 1970; four digits are a year. */
static bool read_date(struct str text, int64_t *ret_time_us)
{
	char longer[40];
	int64_t seconds = 0;
	if (result_is_ok(clock_parse(text, ret_time_us)) ||
	    result_is_ok(clock_parse(lengthen_date(text, longer), ret_time_us)))
		return true;
	if (!result_is_ok(str_parse_int(text, &seconds)) || seconds < 0 || seconds > INT64_MAX / SECOND)
		return false;
	*ret_time_us = seconds * SECOND;
	return true;
}

/* CIDR block, or a single address. */
static bool read_block(struct str text, struct cidr *ret_cidr)
{
	if (result_is_ok(cidr_parse(text, ret_cidr))) {
		*ret_cidr = cidr_canonical(*ret_cidr);
		return true;
	}
	if (!result_is_ok(ip_parse(text, &ret_cidr->base)))
		return false;
	ret_cidr->bits = ret_cidr->base.family == IP_V4 ? 32 : 128;
	return true;
}

static bool is_base64(struct arena *a, struct str text)
{
	struct str bytes;
	return result_is_ok(str_decode_base64(a, text, &bytes));
}

RESULT policy_read_value(struct policy_builder *b, const struct policy_condition *condition, struct str text,
			 struct condition_value *ret_value)
{
	struct condition_value v = {0};
	struct arena *a = b->c->arena;
	bool is_good = true, is_text = false, is_matched = false;
	switch ((enum condition_type) condition->type) {
	case CONDITION_STRING:
	case CONDITION_STRING_NOCASE:
		is_text = true;
		break;
	case CONDITION_LIKE:
	case CONDITION_ARN:
		is_text = is_matched = true;
		break;
	case CONDITION_NUMBER:
		is_good = read_number(a, text, &v.number);
		break;
	case CONDITION_DATE:
		is_good = read_date(text, &v.time_us);
		break;
	case CONDITION_BOOL:
	case CONDITION_NULL:
		is_good = result_is_ok(str_parse_bool(text, &v.is_true));
		break;
	case CONDITION_BINARY:
		is_good = is_base64(a, text);
		break;
	case CONDITION_IP:
		is_good = read_block(text, &v.cidr);
		break;
	}
	if (!is_good && condition->type == CONDITION_DATE) /* IAM's text */
		return ctx_fail(b->c, ERR_INVALID, "The policy failed legacy parsing");
	if (!is_good)
		return ctx_fail(b->c, ERR_INVALID,
				"The value '%" STR_FMT "' does not fit its condition operator",
				STR_ARG(str_slice(text, 0, 128)));
	TRY(policy_add_pattern(b, text, is_text, is_matched, &v.pattern));
	*ret_value = v;
	return OK;
}

/* ---- one value against one ---- */

static bool compare(enum condition_order order, double got, double wanted)
{
	switch (order) {
	case ORDER_EQUAL:
		return !(got < wanted) && !(got > wanted);
	case ORDER_LESS:
		return got < wanted;
	case ORDER_LESS_EQUAL:
		return got <= wanted;
	case ORDER_GREATER:
		return got > wanted;
	case ORDER_GREATER_EQUAL:
		return got >= wanted;
	}
	return false;
}

static enum truth of_bool(bool is_true)
{
	return is_true ? TRUTH_YES : TRUTH_NO;
}

static enum truth fits_text(const struct policy_code *p, const struct policy_condition *condition,
			    const struct condition_value *v, const struct policy_question *q, struct str got)
{
	struct str wanted;
	enum policy_known known = policy_fill(p, &v->pattern, q, &wanted);
	if (known != POLICY_PRESENT)
		return known == POLICY_NOT_YET ? TRUTH_NOT_YET : TRUTH_NO;
	if (condition->type == CONDITION_STRING_NOCASE)
		return of_bool(str_equal_nocase(got, wanted));
	if (condition->type == CONDITION_STRING)
		return of_bool(str_equal(got, wanted));
	if (condition->type == CONDITION_ARN) {
		struct policy_arn arn = {0}, pattern = {0};
		policy_split_arn(got, &arn);
		policy_split_arn(wanted, &pattern);
		return of_bool(policy_match_arn(&arn, &pattern));
	}
	return of_bool(v->pattern.is_any || str_matches(got, wanted));
}

static enum truth fits(const struct policy_code *p, const struct policy_condition *condition,
		       const struct condition_value *v, const struct policy_question *q, struct str got)
{
	double number = 0;
	int64_t time_us = 0;
	bool is_true = false;
	struct ip ip;
	enum condition_order order = (enum condition_order) condition->order;
	switch ((enum condition_type) condition->type) {
	case CONDITION_STRING:
	case CONDITION_STRING_NOCASE:
	case CONDITION_LIKE:
	case CONDITION_ARN:
		return fits_text(p, condition, v, q, got);
	case CONDITION_NUMBER:
		return of_bool(read_number(q->arena, got, &number) && compare(order, number, v->number));
	case CONDITION_DATE: /* microseconds within some 250 years are exact in a double */
		return of_bool(read_date(got, &time_us) &&
			       compare(order, (double) time_us, (double) v->time_us));
	case CONDITION_BOOL:
		return of_bool(result_is_ok(str_parse_bool(got, &is_true)) && is_true == v->is_true);
	case CONDITION_BINARY:
		return of_bool(str_equal(got, policy_text(p, v->pattern.text)));
	case CONDITION_IP:
		return of_bool(result_is_ok(ip_parse(got, &ip)) && ip.family == v->cidr.base.family &&
			       cidr_contains(v->cidr, ip));
	case CONDITION_NULL:
		break;
	}
	return TRUTH_NO;
}

/* True if any of the condition's values fits; inverted for a negated operator. */
static enum truth fits_any(const struct policy_code *p, const struct policy_condition *condition,
			   const struct policy_question *q, struct str got)
{
	const struct condition_value *values = policy_at(p, condition->values);
	enum truth truth = TRUTH_NO;
	for (size_t k = 0; k < condition->values.count && truth != TRUTH_YES; k++) {
		enum truth one = fits(p, condition, &values[k], q, got);
		truth = one == TRUTH_NO ? truth : one;
	}
	if (!condition->is_negated || truth == TRUTH_NOT_YET)
		return truth;
	return of_bool(truth == TRUTH_NO);
}

/* ---- all values of the request ---- */

/* A negated operator without ForAnyValue requires that no value of the key fits. */
static enum truth check_values(const struct policy_code *p, const struct policy_condition *condition,
			       const struct policy_question *q, const struct strs *values)
{
	bool wants_all = condition->scope == SCOPE_ALL_VALUES ||
			 (condition->scope == SCOPE_SINGLE && condition->is_negated);
	enum truth decisive = wants_all ? TRUTH_NO : TRUTH_YES;
	bool is_open = false;
	for (size_t k = 0; k < values->count; k++) {
		enum truth one = fits_any(p, condition, q, values->at[k]);
		if (one == decisive)
			return one;
		is_open = is_open || one == TRUTH_NOT_YET;
	}
	return is_open ? TRUTH_NOT_YET : of_bool(wants_all);
}

enum truth policy_check_condition(const struct policy_code *p, const struct policy_condition *condition,
				  const struct policy_question *q)
{
	struct strs values = {0};
	enum policy_known known = q->find(q, policy_text(p, condition->key), &values);
	if (known == POLICY_NOT_YET)
		return TRUTH_NOT_YET;
	bool is_there = known == POLICY_PRESENT && values.count > 0;
	if (condition->type == CONDITION_NULL) {
		const struct condition_value *wanted = policy_at(p, condition->values);
		bool any = false;
		for (size_t k = 0; k < condition->values.count; k++)
			any = any || wanted[k].is_true != is_there;
		return of_bool(any);
	}
	if (is_there)
		return check_values(p, condition, q, &values);
	if (condition->if_exists || condition->scope == SCOPE_ALL_VALUES)
		return TRUTH_YES;
	return of_bool(condition->is_negated && condition->scope == SCOPE_SINGLE);
}
