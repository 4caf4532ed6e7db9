/* SPDX-License-Identifier: Apache-2.0
 * Reads the JSON of a request into a query. Parameters of Cost Explorer that Dari does not implement are refused by
 * name.
 */
#include "api/cost/internal.h"
#include "base/clock.h"

const char *const cost_dimension_words[COST_TAG] = {[COST_SERVICE] = "SERVICE",
						    [COST_ACCOUNT] = "LINKED_ACCOUNT",
						    [COST_USAGE_TYPE] = "USAGE_TYPE",
						    [COST_INSTANCE_TYPE] = "INSTANCE_TYPE",
						    [COST_ZONE] = "AZ",
						    [COST_REGION] = "REGION",
						    [COST_RECORD_TYPE] = "RECORD_TYPE"};

const struct cost_metric_word cost_metrics[] = {
	{"AmortizedCost", COST_AMORTIZED},        {"BlendedCost", COST_BLENDED},
	{"NetAmortizedCost", COST_NET_AMORTIZED}, {"NetUnblendedCost", COST_NET_UNBLENDED},
	{"UnblendedCost", COST_UNBLENDED},        {"UsageQuantity", COST_QUANTITY}};
const size_t cost_metric_count = sizeof cost_metrics / sizeof *cost_metrics;

static struct str text_of(const json_t *value)
{
	return (struct str){json_string_value(value), json_string_length(value)};
}

static RESULT fail(struct target_call *e, const char *field, const char *what, struct str value)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "%s: %s%s%" STR_FMT, field, what,
			      value.n ? ": " : "", STR_ARG(str_slice(value, 0, 128)));
}

static RESULT refuse(struct target_call *e, const char *field)
{
	return json_object_get(e->body, field) ? ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
								"The parameter %s is not supported.", field)
					       : OK;
}

/* ---- the time ---- */

static RESULT read_day(struct target_call *e, const json_t *period, const char *name, int64_t *ret_s)
{
	struct str day = text_of(json_object_get(period, name));
	struct str text = str_print(e->c->arena, "%" STR_FMT "T00:00:00Z", STR_ARG(day));
	int64_t at_us = 0;
	if (day.n != 10 || !result_is_ok(clock_parse(text, &at_us)))
		return fail(e, "TimePeriod", "Start and End have the format YYYY-MM-DD", day);
	*ret_s = at_us / SECOND;
	return OK;
}

static RESULT read_period(struct target_call *e, struct cost_question *q)
{
	const json_t *period = json_object_get(e->body, "TimePeriod");
	if (!json_is_object(period))
		return fail(e, "TimePeriod", "is required", STR_NONE);
	TRY(read_day(e, period, "Start", &q->from_s));
	TRY(read_day(e, period, "End", &q->until_s));
	if (q->from_s >= q->until_s)
		return fail(e, "TimePeriod", "Start date (and hour) should be before end date (and hour)",
			    STR_NONE);
	int64_t oldest_s = month_of(clock_now_us() / SECOND).from_s;
	for (int n = 0; n < COST_MONTHS_MAX; n++)
		oldest_s = month_before(month_of(oldest_s)).from_s;
	if (q->from_s < oldest_s)
		return fail(e, "TimePeriod", "Start is more than 14 months ago", STR_NONE);
	if (q->until_s - q->from_s > (int64_t) COST_PERIODS_MAX * DAY_S)
		return fail(e, "TimePeriod", "is longer than 400 days", STR_NONE);
	return OK;
}

/* ---- dimensions and filters ---- */

static RESULT read_dimension(struct target_call *e, const char *field, struct str word,
			     struct cost_key *ret_key)
{
	for (int k = 0; k < COST_TAG; k++)
		if (str_is(word, cost_dimension_words[k])) {
			*ret_key = (struct cost_key){.dimension = (enum cost_dimension) k};
			return OK;
		}
	return fail(e, field, "the dimension is not supported", word);
}

static RESULT read_values(struct target_call *e, const json_t *list, struct strs *ret_values)
{
	size_t count = json_array_size(list);
	struct str *values = arena_new_array(e->c->arena, struct str, count + 1);
	if (!values)
		return ctx_no_memory(e->c);
	if (count > COST_VALUES_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("Filter"), "Filter: there may be %d values",
				      COST_VALUES_MAX);
	for (size_t k = 0; k < count; k++) {
		values[k] = str_copy(e->c->arena, text_of(json_array_get(list, k)));
		if (!json_is_string(json_array_get(list, k)))
			return fail(e, "Filter", "Values are texts", STR_NONE);
	}
	*ret_values = (struct strs){values, count};
	return OK;
}

static RESULT read_match(struct target_call *e, const json_t *options, struct cost_filter *f)
{
	for (size_t k = 0; k < json_array_size(options); k++) {
		struct str word = text_of(json_array_get(options, k));
		if (str_is(word, "ABSENT"))
			f->is_absent = true;
		else if (str_is(word, "STARTS_WITH"))
			f->is_start = true;
		else if (!str_is(word, "EQUALS") && !str_is(word, "CASE_SENSITIVE"))
			return fail(e, "Filter", "the match option is not supported", word);
	}
	return OK;
}

static RESULT read_one(struct target_call *e, const json_t *node, bool is_tag, struct cost_filter *f)
{
	struct str key = text_of(json_object_get(node, "Key"));
	f->operator= COST_ONE;
	if (is_tag)
		f->key = (struct cost_key){COST_TAG, str_copy(e->c->arena, key)};
	else
		TRY(read_dimension(e, "Filter", key, &f->key));
	TRY(read_values(e, json_object_get(node, "Values"), &f->values));
	TRY(read_match(e, json_object_get(node, "MatchOptions"), f));
	return !f->values.count && !f->is_absent ? fail(e, "Filter", "there are no Values for", key) : OK;
}

static RESULT read_filter(struct target_call *e, const json_t *node, int depth, size_t *nodes,
			  const struct cost_filter **ret_filter);

static RESULT read_parts(struct target_call *e, const json_t *list, int depth, size_t *nodes,
			 struct cost_filter *f)
{
	if (json_array_size(list) > COST_VALUES_MAX || !json_array_size(list))
		return fail(e, "Filter", "And and Or have expressions", STR_NONE);
	for (; f->part_count < json_array_size(list); f->part_count++)
		TRY(read_filter(e, json_array_get(list, f->part_count), depth + 1, nodes,
				&f->parts[f->part_count]));
	return OK;
}

/* An expression has a single member, whose name is its operator. */
static RESULT read_filter(struct target_call *e, const json_t *node, int depth, size_t *nodes,
			  const struct cost_filter **ret_filter)
{
	struct cost_filter *f = arena_new_object(e->c->arena, struct cost_filter);
	if (!f)
		return ctx_no_memory(e->c);
	if (depth > COST_DEEP_MAX || ++*nodes > COST_NODES_MAX)
		return ctx_fail_field(e->c, ERR_TOO_LARGE, STR("Filter"),
				      "Filter: the expression is too large");
	if (!json_is_object(node) || json_object_size(node) != 1)
		return fail(e, "Filter", "an expression has exactly one root operator", STR_NONE);
	const char *name = json_object_iter_key(json_object_iter((json_t *) node));
	const json_t *value = json_object_get(node, name);
	*ret_filter = f;
	if (strcmp(name, "Dimensions") == 0 || strcmp(name, "Tags") == 0)
		return read_one(e, value, *name == 'T', f);
	if (strcmp(name, "And") == 0 || strcmp(name, "Or") == 0) {
		f->operator= * name == 'A' ? COST_ALL : COST_ANY;
		return read_parts(e, value, depth, nodes, f);
	}
	if (strcmp(name, "Not") != 0)
		return fail(e, "Filter", "the operator is not supported", str_from(name));
	f->operator= COST_NONE_OF;
	f->part_count = 1;
	return read_filter(e, value, depth + 1, nodes, &f->parts[0]);
}

static RESULT read_whole_filter(struct target_call *e, struct cost_question *q)
{
	const json_t *node = json_object_get(e->body, "Filter");
	size_t nodes = 0;
	return node ? read_filter(e, node, 0, &nodes, &q->filter) : OK;
}

/* ---- GetCostAndUsage ---- */

static RESULT read_metrics(struct target_call *e, struct cost_question *q)
{
	const json_t *list = json_object_get(e->body, "Metrics");
	if (!json_array_size(list))
		return fail(e, "Metrics", "is required", STR_NONE);
	for (size_t k = 0; k < json_array_size(list); k++) {
		struct str word = text_of(json_array_get(list, k));
		unsigned bit = 0;
		for (size_t m = 0; m < cost_metric_count; m++)
			bit |= str_is(word, cost_metrics[m].name) ? cost_metrics[m].bit : 0;
		if (!bit)
			return fail(e, "Metrics", "the metric is not supported", word);
		q->metrics |= bit;
	}
	return OK;
}

static RESULT read_groups(struct target_call *e, struct cost_question *q)
{
	const json_t *list = json_object_get(e->body, "GroupBy");
	if (json_array_size(list) > COST_GROUPS_MAX)
		return fail(e, "GroupBy", "there may be two groups", STR_NONE);
	for (; q->group_count < json_array_size(list); q->group_count++) {
		const json_t *one = json_array_get(list, q->group_count);
		struct str type = text_of(json_object_get(one, "Type")),
			   key = text_of(json_object_get(one, "Key"));
		struct cost_key *into = &q->groups[q->group_count];
		if (str_is(type, "TAG"))
			*into = (struct cost_key){COST_TAG, str_copy(e->c->arena, key)};
		else if (str_is(type, "DIMENSION"))
			TRY(read_dimension(e, "GroupBy", key, into));
		else
			return fail(e, "GroupBy", "the type is not supported", type);
	}
	return OK;
}

RESULT cost_prepare_usage(struct target_call *e, void *args)
{
	struct cost_question *q = args;
	struct str granularity = text_of(json_object_get(e->body, "Granularity"));
	TRY(refuse(e, "NextPageToken"));
	TRY(refuse(e, "BillingViewArn"));
	TRY(read_period(e, q));
	q->is_monthly = str_is(granularity, "MONTHLY");
	if (str_is(granularity, "HOURLY"))
		return ctx_fail_field(e->c, ERR_NOT_FOUND, STR("Granularity"), "There is no hourly data.");
	if (!q->is_monthly && !str_is(granularity, "DAILY"))
		return fail(e, "Granularity", "is DAILY or MONTHLY", granularity);
	TRY(read_metrics(e, q));
	TRY(read_groups(e, q));
	return read_whole_filter(e, q);
}

/* ---- lists of values ---- */

static RESULT prepare_list(struct target_call *e, struct cost_question *q)
{
	TRY(refuse(e, "NextPageToken"));
	TRY(refuse(e, "SortBy"));
	TRY(refuse(e, "BillingViewArn"));
	TRY(read_period(e, q));
	q->search = str_copy(e->c->arena, text_of(json_object_get(e->body, "SearchString")));
	return read_whole_filter(e, q);
}

RESULT cost_prepare_values(struct target_call *e, void *args)
{
	struct cost_question *q = args;
	TRY(prepare_list(e, q));
	return read_dimension(e, "Dimension", text_of(json_object_get(e->body, "Dimension")), &q->key);
}

/* Without a key: the keys that there are. */
RESULT cost_prepare_tags(struct target_call *e, void *args)
{
	struct cost_question *q = args;
	TRY(prepare_list(e, q));
	q->key = (struct cost_key){COST_TAG,
				   str_copy(e->c->arena, text_of(json_object_get(e->body, "TagKey")))};
	return OK;
}
