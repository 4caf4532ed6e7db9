/* SPDX-License-Identifier: Apache-2.0
 * GetCostAndUsage, GetDimensionValues and GetTags. */
#include "api/cost/internal.h"
#include "base/clock.h"
#include "metering/tally.h"

#define BETWEEN "\x1f" /* what no value has */
enum { GROUPS_MAX = 50000, DATE_SIZE = 11, KEY_MAX = 1200 };

/* ---- sums ---- */

struct sums {
	struct target_call *e;
	const struct cost_question *question;
	struct tally tally; /* cost: unblended; list: amortized. By period and values */
	struct str currency;
	struct arena *arena; /* reset after each charge */
};

static char *date_of(int64_t at_s, char out[static CLOCK_TEXT_SIZE])
{
	clock_write_s(at_s * SECOND, out);
	out[DATE_SIZE - 1] = '\0';
	return out;
}

/* Finds the start of the period in which a charge counts, by the charge's own start: its day, or its month. A month that begins before the
 * question counts from the question's start. */
static bool find_period(const struct cost_question *q, int64_t at_s, int64_t *ret_s)
{
	if (at_s < q->from_s || at_s >= q->until_s)
		return false;
	int64_t day_s = at_s / DAY_S * DAY_S, month_s = month_of(at_s).from_s;
	*ret_s = !q->is_monthly ? day_s : month_s < q->from_s ? q->from_s : month_s;
	return true;
}

static RESULT add(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct sums *s = arg;
	const struct cost_question *q = s->question;
	char key[KEY_MAX], date[CLOCK_TEXT_SIZE];
	int64_t period_s = 0;
	if (!find_period(q, charge->from_s, &period_s))
		return OK;
	size_t n = (size_t) snprintf(key, sizeof key, "%s", date_of(period_s, date));
	arena_reset(s->arena);
	for (size_t k = 0; k < q->group_count; k++) {
		bool is_absent = false;
		struct str value = str_slice(
			cost_value(s->arena, &q->groups[k], billed, charge, s->e->config->region, &is_absent),
			0, 256);
		struct str tag =
			q->groups[k].dimension == COST_TAG ? str_slice(q->groups[k].tag, 0, 128) : STR_NONE;
		n += (size_t) snprintf(key + n, sizeof key - n, BETWEEN "%" STR_FMT "%s%" STR_FMT,
				       STR_ARG(tag), q->groups[k].dimension == COST_TAG ? "$" : "",
				       STR_ARG(value));
	}
	struct tally_line *line = tally_find(&s->tally, (struct str){key, n});
	if (!line)
		return ctx_no_memory(s->e->c);
	if (s->tally.count > GROUPS_MAX)
		return ctx_fail(s->e->c, ERR_TOO_LARGE, "There are more than %d groups.", GROUPS_MAX);
	if (s->currency.n && !str_equal(s->currency, charge_currency(charge)))
		return ctx_fail(s->e->c, ERR_NOT_FOUND, "The charges are in several currencies.");
	if (!s->currency.n)
		s->currency = str_copy(s->e->c->arena, charge_currency(charge));
	line->cost += charge_cost(charge);
	line->list += charge_effective_cost(charge);
	line->quantity += charge->is_unused || charge->category != CHARGE_USAGE ? 0 : charge->quantity;
	return OK;
}

/* ---- writing ---- */

static void write_metrics(const struct sums *s, struct json_writer *w, const char *name,
			  const struct tally_line *line)
{
	char text[MONEY_TEXT_SIZE];
	const char *unit = str_to_z(s->e->c->arena, s->currency.n ? s->currency : STR("USD"));
	json_write_open(w, name);
	for (size_t k = 0; k < cost_metric_count; k++) {
		unsigned bit = cost_metrics[k].bit;
		bool is_amortized = bit & (COST_AMORTIZED | COST_NET_AMORTIZED);
		if (!(s->question->metrics & bit))
			continue;
		json_write_open(w, cost_metrics[k].name);
		json_write_z(w, "Amount",
			     bit == COST_QUANTITY
				     ? money_write_micro(line->quantity, text)
				     : money_write(is_amortized ? line->list : line->cost, text));
		json_write_z(w, "Unit", bit == COST_QUANTITY ? "N/A" : unit);
		json_write_close(w);
	}
	json_write_close(w);
}

static void write_group(const struct sums *s, struct json_writer *w, const struct tally_line *line)
{
	struct str rest = str_slice(line->key, DATE_SIZE, line->key.n), value = STR_NONE;
	json_write_open(w, NULL);
	json_write_open_list(w, "Keys");
	for (size_t k = 0; k < s->question->group_count; k++) {
		value = STR_NONE;
		(void) str_split_next(&rest, *BETWEEN, &value);
		json_write_text(w, NULL, value);
	}
	json_write_close_list(w);
	write_metrics(s, w, "Metrics", line);
	json_write_close(w);
}

/* *at: the first line of the period, and then of the next. */
static void write_period(const struct sums *s, struct json_writer *w, int64_t from_s, int64_t until_s,
			 bool is_estimated, size_t *at)
{
	static const struct tally_line nothing;
	char from[CLOCK_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
	const struct tally_line *lines = s->tally.lines;
	size_t first = *at;
	date_of(from_s, from);
	while (*at < s->tally.count && str_starts_with(lines[*at].key, str_from(from)))
		++*at;
	json_write_open(w, NULL);
	json_write_open(w, "TimePeriod");
	json_write_z(w, "Start", from);
	json_write_z(w, "End", date_of(until_s, until));
	json_write_close(w);
	if (s->question->group_count) {
		json_write_open(w, "Total");
		json_write_close(w);
	} else {
		write_metrics(s, w, "Total", *at > first ? &lines[first] : &nothing);
	}
	json_write_open_list(w, "Groups");
	for (size_t k = first; s->question->group_count && k < *at; k++)
		write_group(s, w, &lines[k]);
	json_write_close_list(w);
	json_write_bool(w, "Estimated", is_estimated);
	json_write_close(w);
}

static void write_definitions(const struct cost_question *q, struct json_writer *w)
{
	if (!q->group_count)
		return;
	json_write_open_list(w, "GroupDefinitions");
	for (size_t k = 0; k < q->group_count; k++) {
		const struct cost_key *key = &q->groups[k];
		json_write_open(w, NULL);
		json_write_z(w, "Type", key->dimension == COST_TAG ? "TAG" : "DIMENSION");
		json_write_text(w, "Key",
				key->dimension == COST_TAG ? key->tag
							   : str_from(cost_dimension_words[key->dimension]));
		json_write_close(w);
	}
	json_write_close_list(w);
}

static RESULT write_usage(struct target_call *e, const void *args, struct json_writer *w)
{
	const struct cost_question *q = args;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct sums s = {.e = e, .question = q, .tally.arena = e->c->arena, .arena = arena};
	int64_t closed_until_s = 0;
	size_t at = 0;
	if (!arena)
		return ctx_no_memory(e->c);
	TRY(cost_read_charges(e, q, add, &s, &closed_until_s));
	tally_sort(&s.tally);
	write_definitions(q, w);
	json_write_open_list(w, "ResultsByTime");
	for (int64_t from_s = q->from_s, end_s = 0; from_s < q->until_s; from_s = end_s) {
		end_s = q->is_monthly ? month_of(from_s).until_s : from_s + DAY_S;
		end_s = end_s < q->until_s ? end_s : q->until_s;
		write_period(&s, w, from_s, end_s, end_s > closed_until_s, &at);
	}
	json_write_close_list(w);
	json_write_open_list(w, "DimensionValueAttributes");
	json_write_close_list(w);
	return OK;
}

/* ---- values ---- */

struct values {
	struct target_call *e;
	const struct cost_question *question;
	struct tally tally;
	struct arena *arena;
};

static RESULT add_text(struct values *v, struct str text, struct str name)
{
	if (!text.n || (v->question->search.n && !str_contains(text, v->question->search)))
		return OK;
	struct tally_line *line = tally_find(&v->tally, text);
	struct str *kept = line && !line->data ? arena_new_object(v->tally.arena, struct str) : NULL;
	if (!line || v->tally.count > GROUPS_MAX)
		return ctx_fail(v->e->c, ERR_TOO_LARGE, "There are too many values.");
	if (kept) {
		*kept = str_copy(v->tally.arena, name);
		line->data = kept;
	}
	return OK;
}

static RESULT add_tag_keys(struct values *v, const struct charge *charge)
{
	struct str text = charge->subject ? charge->subject->tags : STR_NONE;
	json_t *tags = text.n ? json_loadb(text.p, text.n, 0, NULL) : NULL, *value = NULL;
	const char *key = NULL;
	struct result result = OK;
	json_object_foreach (tags, key, value)
		if (result_is_ok(result))
			result = add_text(v, str_from(key), STR_NONE);
	json_decref(tags);
	return result;
}

static RESULT add_value(void *arg, const struct billed *billed, const struct charge *charge)
{
	struct values *v = arg;
	const struct cost_question *q = v->question;
	int64_t period_s = 0;
	bool is_absent = false;
	if (!find_period(q, charge->from_s, &period_s))
		return OK;
	if (q->key.dimension == COST_TAG && !q->key.tag.n)
		return add_tag_keys(v, charge);
	arena_reset(v->arena);
	struct str value = cost_value(v->arena, &q->key, billed, charge, v->e->config->region, &is_absent);
	return add_text(v, value, q->key.dimension == COST_ACCOUNT ? billed->name : STR_NONE);
}

static RESULT gather(struct values *v)
{
	int64_t closed_until_s = 0;
	TRY(cost_read_charges(v->e, v->question, add_value, v, &closed_until_s));
	tally_sort(&v->tally);
	return OK;
}

static void write_count(const struct values *v, struct json_writer *w)
{
	json_write_int(w, "ReturnSize", (int64_t) v->tally.count);
	json_write_int(w, "TotalSize", (int64_t) v->tally.count);
}

static RESULT write_values(struct target_call *e, const void *args, struct json_writer *w)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct values v = {.e = e, .question = args, .tally.arena = e->c->arena, .arena = arena};
	if (!arena)
		return ctx_no_memory(e->c);
	TRY(gather(&v));
	json_write_open_list(w, "DimensionValues");
	for (size_t k = 0; k < v.tally.count; k++) {
		const struct str *name = v.tally.lines[k].data;
		json_write_open(w, NULL);
		json_write_text(w, "Value", v.tally.lines[k].key);
		json_write_open(w, "Attributes");
		if (name && name->n)
			json_write_text(w, "description", *name);
		json_write_close(w);
		json_write_close(w);
	}
	json_write_close_list(w);
	write_count(&v, w);
	return OK;
}

static RESULT write_tags(struct target_call *e, const void *args, struct json_writer *w)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	struct values v = {.e = e, .question = args, .tally.arena = e->c->arena, .arena = arena};
	if (!arena)
		return ctx_no_memory(e->c);
	TRY(gather(&v));
	json_write_open_list(w, "Tags");
	for (size_t k = 0; k < v.tally.count; k++)
		json_write_text(w, NULL, v.tally.lines[k].key);
	json_write_close_list(w);
	write_count(&v, w);
	return OK;
}

static const struct target_action actions[] = {
	{COST_ACTION("GetCostAndUsage"), .flags = API_CHANGES_BY_TIME, .prepare = cost_prepare_usage,
	 .answer = write_usage, .doc = "Returns usage and costs by day or month, in up to two groups."},
	{COST_ACTION("GetDimensionValues"), .flags = API_CHANGES_BY_TIME, .prepare = cost_prepare_values,
	 .answer = write_values, .doc = "Lists the values of a dimension of the charges."},
	{COST_ACTION("GetTags"), .flags = API_CHANGES_BY_TIME, .prepare = cost_prepare_tags,
	 .answer = write_tags, .doc = "Lists the tag keys of the charges, or the values of one key."},
};
const struct api_actions cost_actions = API_ACTIONS(actions);
