/* SPDX-License-Identifier: Apache-2.0
 * Profiles and rules in the bodies of autoscale settings. A rule becomes a simple scaling policy with one alarm, whose period is the
 * rule's time window. Source: Azure REST API reference, "Autoscale Settings", 2022-10-01. */
#include "api/azure/scale_sets/autoscale_settings.h"

#include "base/clock.h"
#include "base/time_zone.h"

enum { MINUTE_S = 60, WINDOW_MIN_S = 300, WINDOW_MAX_S = 43200, COOLDOWN_MAX_S = 604800 };
#define PROFILES "properties.profiles"
#define RULES PROFILES ".rules"

/* ---- the tables ---- */

static const struct param trigger_rows[] = {
#define P(wire, member, ...) PARAM(struct autoscale_trigger, wire, member, __VA_ARGS__)
	P("metricName", metric, .flags = REQUIRED, .max = 255,
	  .doc = "Percentage CPU, Network In Total or Network Out Total."),
	P("metricNamespace", space, .max = 255,
	  .doc = "Empty, or microsoft.compute/virtualmachinescalesets."),
	P("metricResourceUri", resource, .flags = REQUIRED, .max = 1024, .doc = "The scale set itself."),
	P("timeGrain", grain, .flags = REQUIRED, .max = 32, .doc = "PT1M: metrics have a value each minute."),
	P("statistic", statistic, .flags = REQUIRED, .words = "Average|Min|Max|Sum|Count",
	  .doc = "How the values of the machines are combined: like timeAggregation."),
	P("timeWindow", window, .flags = REQUIRED, .max = 32,
	  .doc = "Time of which the metric is taken, of whole minutes, from PT5M to PT12H."),
	P("timeAggregation", aggregation, .flags = REQUIRED,
	  .words = "Average|Minimum|Maximum|Total|Count|Last",
	  .doc = "How the values of the window are combined."),
	P("operator", operator, .flags = REQUIRED,
	  .words = "Equals|NotEquals|GreaterThan|GreaterThanOrEqual|LessThan|LessThanOrEqual",
	  .doc = "Comparison of the metric with the threshold; Equals and NotEquals are not supported."),
	{.wire = "threshold",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct autoscale_trigger, threshold),
	 .flags = REQUIRED,
	 .max = 32,
	 .doc = "Percent of the processors, or bytes of a minute and machine."},
#undef P
	NOT_BUILT("dividePerInstance", .only = "false"),
	NOT_BUILT("dimensions", .only = "[]"),
	AZ_KEPT("metricResourceLocation"),
};
static const struct params trigger_params =
	PARAMS(struct autoscale_trigger, trigger_rows, .object = "MetricTrigger");
static const struct param action_rows[] = {
#define P(wire, member, ...) PARAM(struct autoscale_action, wire, member, __VA_ARGS__)
	P("direction", direction, .flags = REQUIRED, .words = "None|Increase|Decrease",
	  .doc = "Increase or Decrease."),
	P("type", type, .flags = REQUIRED,
	  .words = "ChangeCount|PercentChangeCount|ExactCount|ServiceAllowedNextValue",
	  .doc = "ChangeCount, PercentChangeCount or ExactCount."),
	P("value", value, .min = 1, .max = SCALING_SIZE_MAX,
	  .doc = "Number of machines, or percent of the present ones; absent: 1."),
	P("cooldown", cooldown, .flags = REQUIRED, .max = 32,
	  .doc = "Time after the action in which no other follows, from PT1M to P7D."),
#undef P
};
static const struct params action_params =
	PARAMS(struct autoscale_action, action_rows, .object = "ScaleAction");
static const struct param rule_rows[] = {
	PARAM_OBJECT(struct autoscale_rule_says, "metricTrigger", trigger, trigger_params, .flags = REQUIRED,
		     .doc = "When the rule acts."),
	PARAM_OBJECT(struct autoscale_rule_says, "scaleAction", action, action_params, .flags = REQUIRED,
		     .doc = "Action of the rule."),
};
static const struct params rule_params = PARAMS(struct autoscale_rule_says, rule_rows, .object = "ScaleRule");
static const struct param capacity_rows[] = {
#define P(wire, member, ...)                                                                                 \
	PARAM(struct autoscale_capacity, wire, member, .flags = REQUIRED, .max = SCALING_SIZE_MAX,           \
	      __VA_ARGS__)
	P("minimum", min, .doc = "Least number of machines."),
	P("maximum", max, .doc = "Greatest number of machines."),
	P("default", otherwise, .doc = "Number to which a smaller set grows when the profile takes effect."),
#undef P
};
static const struct params capacity_params =
	PARAMS(struct autoscale_capacity, capacity_rows, .object = "ScaleCapacity");
static const struct param window_rows[] = {
#define P(wire, member, ...) PARAM(struct autoscale_window, wire, member, .max = 64, __VA_ARGS__)
	P("start", start, .flags = REQUIRED, .doc = "Beginning in ISO 8601."),
	P("end", end, .flags = REQUIRED, .doc = "End in ISO 8601."),
	P("timeZone", zone, .doc = "Time zone of a time without an offset, by Windows's name; absent: UTC."),
#undef P
};
static const struct params window_params =
	PARAMS(struct autoscale_window, window_rows, .object = "TimeWindow");
static const struct param schedule_rows[] = {
#define P(wire, member, ...) PARAM(struct autoscale_schedule, wire, member, .flags = REQUIRED, __VA_ARGS__)
	P("timeZone", zone, .max = 64, .doc = "Time zone by Windows's name, such as UTC."),
	P("days", days, .words = "Sunday|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday",
	  .doc = "Days of the week."),
#undef P
	{.wire = "hours",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct autoscale_schedule, hours),
	 .flags = REQUIRED,
	 .max = 256,
	 .doc = "List of hours of the day, 0 to 23."},
	{.wire = "minutes",
	 .type = PARAM_JSON,
	 .offset = offsetof(struct autoscale_schedule, minutes),
	 .flags = REQUIRED,
	 .max = 256,
	 .doc = "List of minutes of the hour, 0 to 59."},
};
static const struct params schedule_params =
	PARAMS(struct autoscale_schedule, schedule_rows, .object = "RecurrentSchedule");
static const struct param recurrence_rows[] = {
	PARAM(struct autoscale_recurrence, "frequency", frequency, .flags = REQUIRED,
	      .words = "None|Second|Minute|Hour|Day|Week|Month|Year", .doc = "Week."),
	PARAM_OBJECT(struct autoscale_recurrence, "schedule", schedule, schedule_params, .flags = REQUIRED,
		     .doc = "When the profile begins."),
};
static const struct params recurrence_params =
	PARAMS(struct autoscale_recurrence, recurrence_rows, .object = "Recurrence");
static const struct param profile_rows[] = {
	PARAM(struct autoscale_profile_says, "name", name, .flags = REQUIRED, .max = 1024,
	      .doc = "Name of the profile."),
	PARAM_OBJECT(struct autoscale_profile_says, "capacity", capacity, capacity_params, .flags = REQUIRED,
		     .doc = "Limits of the set while the profile is in effect."),
	PARAM_LIST(struct autoscale_profile_says, "rules", rules, rule_params,
		   .max = AUTOSCALE_SETTING_RULES_MAX, .doc = "Rules; all that remove machines must agree."),
	PARAM_OBJECT(struct autoscale_profile_says, "fixedDate", window, window_params,
		     .given = offsetof(struct autoscale_profile_says, has_window) + 1,
		     .doc = "Time in which the profile is in effect."),
	PARAM_OBJECT(struct autoscale_profile_says, "recurrence", recurrence, recurrence_params,
		     .given = offsetof(struct autoscale_profile_says, has_recurrence) + 1,
		     .doc = "Times of a week when the profile takes effect, until another does."),
};
const struct params autoscale_profile_params =
	PARAMS(struct autoscale_profile_says, profile_rows, .object = "AutoscaleProfile");

/* ---- values ---- */

static RESULT fail_unsupported(struct az_call *e, const char *field, struct str value)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
			      "The value '%" STR_FMT "' of %s is not supported.", STR_ARG(value), field);
}

/* Seconds of a part of a duration; 0: no such part, or one of a second. */
static int64_t get_unit(char letter, bool is_time)
{
	if (letter == 'D')
		return is_time ? 0 : 86400;
	return !is_time ? 0 : letter == 'H' ? 3600 : letter == 'M' ? MINUTE_S : 0;
}

/* Reads "PT5M", "PT1H30M", "P1D"; ERR_INVALID: none, or one out of the bounds, or a part of a minute. */
static RESULT read_duration(struct az_call *e, const char *field, struct str text, int64_t min_s,
			    int64_t max_s, int64_t *ret_s)
{
	int64_t value = 0, all_s = 0;
	bool is_time = false, fits = text.n > 2 && text.p[0] == 'P';
	for (size_t k = 1; k < text.n && fits; k++) {
		char ch = text.p[k];
		int64_t unit_s = get_unit(ch, is_time);
		if (ch == 'T' && !is_time && !value)
			is_time = true;
		else if (ch >= '0' && ch <= '9' && value < COOLDOWN_MAX_S)
			value = value * 10 + (ch - '0');
		else
			fits = unit_s > 0;
		all_s += value * unit_s;
		value = unit_s ? 0 : value;
	}
	*ret_s = all_s;
	return fits && !value && all_s >= min_s && all_s <= max_s
		       ? OK
		       : az_fail(e, field,
				 "The duration '%" STR_FMT "' of %s is not between %lld and %lld minutes.",
				 STR_ARG(text), field, (long long) (min_s / MINUTE_S),
				 (long long) (max_s / MINUTE_S));
}

static bool is_decimal(struct str text)
{
	size_t digits = 0, points = 0;
	for (size_t k = 0; k < text.n; k++) {
		char ch = text.p[k];
		digits += ch >= '0' && ch <= '9';
		points += ch == '.';
		if (!(ch >= '0' && ch <= '9') && ch != '.' && !(ch == '-' && !k))
			return false;
	}
	return digits && points <= 1;
}

static RESULT read_zone(struct az_call *e, const char *field, struct str text, struct str *ret_zone)
{
	static const struct {
		const char *windows, *name;
	} zones[] = {
#define ZONE(windows, name) {windows, name},
#include "api/azure/scale_sets/autoscale_zones.def"
#undef ZONE
	};
	*ret_zone = STR("UTC");
	for (size_t k = 0; k < sizeof zones / sizeof *zones && text.n; k++)
		if (str_equal_nocase(text, str_from(zones[k].windows))) {
			*ret_zone = str_from(zones[k].name);
			return OK;
		}
	return text.n ? fail_unsupported(e, field, text) : OK;
}

/* ---- rules ---- */

static RESULT read_metric(struct az_call *e, const struct autoscale_trigger *t, struct autoscale_rule *rule)
{
	static const struct {
		const char *azure, *metric;
	} metrics[] = {{"Percentage CPU", "CPUUtilization"},
		       {"Network In Total", "NetworkIn"},
		       {"Network Out Total", "NetworkOut"}};
	static const struct {
		const char *statistic, *aggregation, *ours;
	} statistics[] = {{"Average", "Average", "Average"},
			  {"Min", "Minimum", "Minimum"},
			  {"Max", "Maximum", "Maximum"},
			  {"Sum", "Total", "Sum"}};
	for (size_t k = 0; k < sizeof metrics / sizeof *metrics; k++)
		if (str_equal_nocase(t->metric, str_from(metrics[k].azure)))
			rule->metric = metrics[k].metric;
	if (!rule->metric)
		return fail_unsupported(e, RULES ".metricTrigger.metricName", t->metric);
	for (size_t k = 0; k < sizeof statistics / sizeof *statistics; k++)
		if (str_is(t->statistic, statistics[k].statistic) &&
		    str_is(t->aggregation, statistics[k].aggregation))
			rule->statistic = statistics[k].ours;
	return rule->statistic
		       ? OK
		       : ctx_fail_field(e->c, ERR_UNSUPPORTED, STR(RULES ".metricTrigger.timeAggregation"),
					"The timeAggregation '%" STR_FMT "' with the statistic '%" STR_FMT
					"' is not supported.",
					STR_ARG(t->aggregation), STR_ARG(t->statistic));
}

static RESULT read_comparison(struct az_call *e, struct str word, enum alarm_comparison *ret_comparison)
{
	static const struct {
		const char *word;
		enum alarm_comparison comparison;
	} words[] = {{"GreaterThan", ALARM_COMPARISON_GREATER},
		     {"GreaterThanOrEqual", ALARM_COMPARISON_GREATER_OR_EQUAL},
		     {"LessThan", ALARM_COMPARISON_LESS},
		     {"LessThanOrEqual", ALARM_COMPARISON_LESS_OR_EQUAL}};
	for (size_t k = 0; k < sizeof words / sizeof *words; k++)
		if (str_is(word, words[k].word)) {
			*ret_comparison = words[k].comparison;
			return OK;
		}
	return fail_unsupported(e, RULES ".metricTrigger.operator", word);
}

static RESULT read_trigger(struct az_call *e, const struct autoscale_trigger *t, struct str set,
			   struct autoscale_rule *rule)
{
	int64_t grain_s = 0;
	if (!str_equal_nocase(t->resource, set))
		return fail_unsupported(e, RULES ".metricTrigger.metricResourceUri", t->resource);
	if (t->space.n && !str_equal_nocase(t->space, STR("microsoft.compute/virtualmachinescalesets")))
		return fail_unsupported(e, RULES ".metricTrigger.metricNamespace", t->space);
	TRY(read_metric(e, t, rule));
	TRY(read_comparison(e, t->operator, & rule->comparison));
	TRY(read_duration(e, RULES ".metricTrigger.timeGrain", t->grain, MINUTE_S, WINDOW_MAX_S, &grain_s));
	if (grain_s != MINUTE_S)
		return fail_unsupported(e, RULES ".metricTrigger.timeGrain", t->grain);
	TRY(read_duration(e, RULES ".metricTrigger.timeWindow", t->window, WINDOW_MIN_S, WINDOW_MAX_S,
			  &rule->window_s));
	rule->threshold = str_copy(e->c->arena, t->threshold);
	return is_decimal(rule->threshold)
		       ? OK
		       : az_fail(e, RULES ".metricTrigger.threshold",
				 "The threshold '%" STR_FMT "' is not a number.", STR_ARG(rule->threshold));
}

static RESULT read_action(struct az_call *e, const struct autoscale_action *a, struct autoscale_rule *rule)
{
	bool is_down = str_is(a->direction, "Decrease");
	int64_t value = a->value ? a->value : 1;
	if (str_is(a->direction, "None"))
		return fail_unsupported(e, RULES ".scaleAction.direction", a->direction);
	if (str_is(a->type, "ServiceAllowedNextValue"))
		return fail_unsupported(e, RULES ".scaleAction.type", a->type);
	bool is_exact = str_is(a->type, "ExactCount");
	rule->adjustment = is_exact                                ? SCALING_POLICY_ADJUSTMENT_EXACT
			   : str_is(a->type, "PercentChangeCount") ? SCALING_POLICY_ADJUSTMENT_PERCENT
								   : SCALING_POLICY_ADJUSTMENT_CHANGE;
	rule->amount = is_down && !is_exact ? -value : value;
	return read_duration(e, RULES ".scaleAction.cooldown", a->cooldown, MINUTE_S, COOLDOWN_MAX_S,
			     &rule->cooldown_s);
}

/* ---- profiles ---- */

static RESULT read_capacity(struct az_call *e, const struct autoscale_capacity *c, struct str *texts)
{
	if (c->min > c->otherwise || c->otherwise > c->max)
		return az_fail(e, PROFILES ".capacity",
			       "The capacity's minimum, default and maximum must be in this order.");
	texts[SETTING_MIN] = str_print(e->c->arena, "%lld", (long long) c->min);
	texts[SETTING_MAX] = str_print(e->c->arena, "%lld", (long long) c->max);
	texts[SETTING_DEFAULT] = str_print(e->c->arena, "%lld", (long long) c->otherwise);
	return OK;
}

/* Reads a time, which is local in the zone if it has no offset of its own. */
static RESULT read_time(struct az_call *e, const char *field, struct str text, const struct time_zone *zone,
			int64_t *ret_us)
{
	bool is_local = text.n <= 19 ||
			(text.p[text.n - 1] != 'Z' && text.p[text.n - 6] != '+' && text.p[text.n - 6] != '-');
	struct str whole = is_local ? str_print(e->c->arena, "%" STR_FMT "Z", STR_ARG(text)) : text;
	if (!result_is_ok(clock_parse(whole, ret_us)))
		return az_fail(e, field, "The time '%" STR_FMT "' of %s is not in ISO 8601.", STR_ARG(text),
			       field);
	if (is_local)
		*ret_us = time_zone_to_utc(zone, *ret_us / SECOND) * SECOND;
	return OK;
}

static RESULT read_window(struct az_call *e, const struct autoscale_window *w, struct str *texts)
{
	const struct time_zone *zone = NULL;
	int64_t from_us = 0, until_us = 0;
	TRY(read_zone(e, PROFILES ".fixedDate.timeZone", w->zone, &texts[SETTING_ZONE]));
	TRY(time_zone_load(e->c, texts[SETTING_ZONE], &zone));
	TRY(read_time(e, PROFILES ".fixedDate.start", w->start, zone, &from_us));
	TRY(read_time(e, PROFILES ".fixedDate.end", w->end, zone, &until_us));
	if (from_us <= 0 || until_us <= from_us)
		return az_fail(e, PROFILES ".fixedDate", "The end of a fixed date must be after its start.");
	texts[SETTING_FROM] = str_print(e->c->arena, "%lld", (long long) from_us);
	texts[SETTING_UNTIL] = str_print(e->c->arena, "%lld", (long long) until_us);
	return OK;
}

/* Turns a list of numbers in JSON into a field of cron. ERR_INVALID: it is none, or a number is out of the bounds. */
static RESULT join_numbers(struct az_call *e, const char *field, struct str list, int64_t max,
			   struct str *ret_field)
{
	struct str rest = list.n > 2 && list.p[0] == '[' && list.p[list.n - 1] == ']'
				  ? (struct str){list.p + 1, list.n - 2}
				  : STR_NONE;
	bool fits = rest.n > 0;
	*ret_field = str_copy(e->c->arena, rest);
	while (fits && rest.n) {
		int64_t number = -1;
		size_t n = 0;
		while (n < rest.n && rest.p[n] != ',')
			n++;
		fits = result_is_ok(str_parse_int((struct str){rest.p, n}, &number)) && number >= 0 &&
		       number <= max;
		n += n < rest.n;
		rest = (struct str){rest.p + n, rest.n - n};
	}
	return fits ? OK
		    : az_fail(e, field, "%s is a list of numbers from 0 to %lld.", field, (long long) max);
}

static RESULT read_recurrence(struct az_call *e, const struct autoscale_recurrence *r, struct str *texts)
{
	static const char *const names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
					    "Thursday", "Friday", "Saturday"};
	struct str days = STR_NONE, hours, minutes;
	if (!str_is(r->frequency, "Week"))
		return fail_unsupported(e, PROFILES ".recurrence.frequency", r->frequency);
	TRY(read_zone(e, PROFILES ".recurrence.schedule.timeZone", r->schedule.zone, &texts[SETTING_ZONE]));
	TRY(join_numbers(e, PROFILES ".recurrence.schedule.hours", r->schedule.hours, 23, &hours));
	TRY(join_numbers(e, PROFILES ".recurrence.schedule.minutes", r->schedule.minutes, 59, &minutes));
	for (size_t k = 0; k < r->schedule.days.count; k++)
		for (size_t day = 0; day < sizeof names / sizeof *names; day++)
			if (str_is(r->schedule.days.at[k], names[day]))
				days = str_print(e->c->arena, "%" STR_FMT "%s%zu", STR_ARG(days),
						 days.n ? "," : "", day);
	if (!days.n)
		return az_fail(e, PROFILES ".recurrence.schedule.days", "A recurrence needs a day.");
	texts[SETTING_CRON] = str_print(e->c->arena, "%" STR_FMT " %" STR_FMT " * * %" STR_FMT,
					STR_ARG(minutes), STR_ARG(hours), STR_ARG(days));
	return OK;
}

static RESULT read_profile(struct az_call *e, const struct autoscale_profile_says *p, struct str *texts)
{
	for (size_t k = 0; k < SETTING_TEXTS; k++)
		texts[k] = STR_NONE;
	texts[SETTING_NAME] = p->name;
	TRY(read_capacity(e, &p->capacity, texts));
	if (p->has_window && p->has_recurrence)
		return az_fail(e, PROFILES, "A profile has a fixed date or a recurrence, not both.");
	if (p->has_window)
		TRY(read_window(e, &p->window, texts));
	return p->has_recurrence ? read_recurrence(e, &p->recurrence, texts) : OK;
}

RESULT autoscale_read_profiles(struct az_call *e, const struct autoscale_profiles_says *says, struct str set,
			       struct autoscale_setting_wish *wish)
{
	size_t rules = 0, done = 0;
	for (size_t k = 0; k < says->count; k++)
		rules += says->at[k].rules.count;
	struct str *texts = arena_new_array(e->c->arena, struct str, says->count * SETTING_TEXTS + 1);
	struct autoscale_rule *at = arena_new_array(e->c->arena, struct autoscale_rule, rules + 1);
	if (!texts || !at)
		return ctx_no_memory(e->c);
	if (!says->count)
		return az_fail(e, PROFILES, "An autoscale setting needs a profile.");
	for (size_t k = 0; k < says->count; k++) {
		const struct autoscale_profile_says *p = &says->at[k];
		TRY(read_profile(e, p, texts + k * SETTING_TEXTS));
		for (size_t j = 0; j < p->rules.count; j++) {
			struct autoscale_rule *rule = &at[done++];
			*rule = (struct autoscale_rule){.profile = k};
			TRY(read_trigger(e, &p->rules.at[j].trigger, set, rule));
			TRY(read_action(e, &p->rules.at[j].action, rule));
		}
	}
	wish->profiles = (struct strs){texts, says->count * SETTING_TEXTS};
	wish->rules = at;
	wish->rule_count = rules;
	return engine_choose_autoscale_profile(e->c, &wish->profiles, clock_now_us(), &wish->profile,
					       &wish->next_us);
}
