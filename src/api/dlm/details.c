/* SPDX-License-Identifier: Apache-2.0
 * PolicyDetails: targets, the schedule, and retention. A policy has one schedule here. */
#include <inttypes.h>

#include "api/dlm/internal.h"
#include "engine/events/events.h"
#include "engine/tag.h"

struct create_rule {
	struct str location, unit, cron;
	int64_t interval;
	struct strs times;
};
struct retain_rule {
	int64_t count, interval;
	struct str unit;
};
struct dlm_schedule {
	struct str name;
	bool copies_tags;
	struct dlm_tags added, variable;
	struct create_rule create;
	struct retain_rule retain;
};

static const struct param tag_rows[] = {
	PARAM(struct tag, "Key", key, .flags = REQUIRED, .min = 1, .max = TAG_KEY_MAX, .doc = "Tag key."),
	PARAM(struct tag, "Value", value, .flags = REQUIRED | MAY_BE_EMPTY, .max = TAG_VALUE_MAX,
	      .doc = "Tag value."),
};
static const struct params tag_params = PARAMS(struct tag, tag_rows);

static const struct param create_rows[] = {
	PARAM(struct create_rule, "Location", location, .words = "CLOUD",
	      .doc = "Place of the snapshots: the region."),
	PARAM(struct create_rule, "Interval", interval, .min = 1, .max = 24,
	      .doc = "Hours between two snapshots: 1, 2, 3, 4, 6, 8, 12 or 24."),
	PARAM(struct create_rule, "IntervalUnit", unit, .words = "HOURS", .doc = "Unit of the interval."),
	PARAM(struct create_rule, "Times", times,
	      .doc = "Time of the first snapshot of a day in UTC, hh:mm."),
	PARAM(struct create_rule, "CronExpression", cron, .max = 106,
	      .doc = "Schedule instead of an interval: cron(0 9 * * ? *), in UTC, at most once an hour."),
	NOT_BUILT("Scripts"),
};
static const struct params create_params = PARAMS(struct create_rule, create_rows);

static const struct param retain_rows[] = {
	PARAM(struct retain_rule, "Count", count, .min = 0, .max = LIFECYCLE_KEPT_MAX,
	      .doc = "Number of snapshots of each volume to keep."),
	PARAM(struct retain_rule, "Interval", interval, .min = 0, .max = 366 * LIFECYCLE_YEARS_MAX,
	      .doc = "Age at which a snapshot is deleted."),
	PARAM(struct retain_rule, "IntervalUnit", unit, .words = "DAYS|WEEKS|MONTHS|YEARS",
	      .doc = "Unit of the age."),
};
static const struct params retain_params = PARAMS(struct retain_rule, retain_rows);

static const struct param schedule_rows[] = {
	PARAM(struct dlm_schedule, "Name", name, .min = 1, .max = 120, .flags = REQUIRED,
	      .doc = "Name of the schedule, which its snapshots show in a tag."),
	PARAM(struct dlm_schedule, "CopyTags", copies_tags, .doc = "Snapshots get the tags of their volume."),
	PARAM_LIST(struct dlm_schedule, "TagsToAdd", added, tag_params, .max = LIFECYCLE_TAGS_MAX,
		   .doc = "Tags of the snapshots."),
	PARAM_LIST(struct dlm_schedule, "VariableTags", variable, tag_params, .max = LIFECYCLE_TAGS_MAX,
		   .doc = "Tags of the snapshots whose values are $(instance-id) or $(timestamp)."),
	PARAM_OBJECT(struct dlm_schedule, "CreateRule", create, create_params, .flags = REQUIRED,
		     .doc = "When snapshots are taken."),
	PARAM_OBJECT(struct dlm_schedule, "RetainRule", retain, retain_params, .flags = REQUIRED,
		     .doc = "How long snapshots stay."),
	NOT_BUILT("FastRestoreRule"),
	NOT_BUILT("CrossRegionCopyRules", .only = "[]"),
	NOT_BUILT("ShareRules", .only = "[]"),
	NOT_BUILT("DeprecateRule"),
	NOT_BUILT("ArchiveRule"),
};
static const struct params schedule_params = PARAMS(struct dlm_schedule, schedule_rows);

static const struct param parameter_rows[] = {
	{.wire = "ExcludeBootVolume", .type = PARAM_BOOL, .doc = "Leaves out boot volumes of instances."},
	NOT_BUILT("NoReboot", .only = "true"),
	NOT_BUILT("ExcludeDataVolumeTags", .only = "[]"),
};
static const struct params parameter_params = {parameter_rows,
					       sizeof parameter_rows / sizeof parameter_rows[0],
					       sizeof(((struct dlm_details *) 0)->parameters)};

static const struct param details_rows[] = {
	PARAM(struct dlm_details, "PolicyType", policy_type, .absent = "EBS_SNAPSHOT_MANAGEMENT",
	      .words = "EBS_SNAPSHOT_MANAGEMENT|IMAGE_MANAGEMENT|EVENT_BASED_POLICY",
	      .doc = "EBS_SNAPSHOT_MANAGEMENT: the policy takes snapshots. The other types are refused."),
	PARAM(struct dlm_details, "ResourceTypes", resource_types, .flags = REQUIRED,
	      .words = "VOLUME|INSTANCE",
	      .doc = "VOLUME: volumes with a target tag; INSTANCE: all volumes of instances with one."),
	PARAM(struct dlm_details, "ResourceLocations", locations, .words = "CLOUD|OUTPOST",
	      .doc = "CLOUD: this region."),
	PARAM_LIST(struct dlm_details, "TargetTags", targets, tag_params, .flags = REQUIRED,
		   .max = LIFECYCLE_TARGET_TAGS_MAX, .doc = "Targets have one of these tags at least."),
	PARAM_LIST(struct dlm_details, "Schedules", schedules, schedule_params, .flags = REQUIRED, .max = 4,
		   .doc = "The schedule: one."),
	PARAM_OBJECT(struct dlm_details, "Parameters", parameters, parameter_params,
		     .doc = "Options of policies by instances."),
	NOT_BUILT("EventSource"),
	NOT_BUILT("Actions"),
	NOT_BUILT("PolicyLanguage", .only = "STANDARD"),
	NOT_BUILT("ResourceType"),
	NOT_BUILT("CreateInterval"),
	NOT_BUILT("RetainInterval"),
	NOT_BUILT("CopyTags"),
	NOT_BUILT("CrossRegionCopyTargets"),
	NOT_BUILT("ExtendDeletion"),
	NOT_BUILT("Exclusions"),
};
const struct params dlm_details_params = PARAMS(struct dlm_details, details_rows);

/* ---- reading ---- */

static bool is_digits(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (text.p[k] < '0' || text.p[k] > '9')
			return false;
	return true;
}

static RESULT read_time(struct rest_json_call *e, struct str text, int64_t *ret_hour, int64_t *ret_minute)
{
	struct str rest = text, hour = STR_NONE;
	bool is_time = text.n == 5 && str_split_next(&rest, ':', &hour) && hour.n == 2 && is_digits(hour) &&
		       is_digits(rest) && result_is_ok(str_parse_int(hour, ret_hour)) &&
		       result_is_ok(str_parse_int(rest, ret_minute)) && *ret_hour < 24 && *ret_minute < 60;
	return is_time ? OK
		       : DLM_FAIL(e, "Times", "Times: '%" STR_FMT "' is no time as hh:mm.", STR_ARG(text));
}

/* DLM runs at most once an hour: an expression has one minute. */
static RESULT read_cron(struct rest_json_call *e, struct str cron, struct snapshot_policy *row)
{
	struct str rest = str_starts_with(cron, STR("cron(")) ? str_slice(cron, 5, cron.n) : STR_NONE;
	struct str minute = STR_NONE;
	int64_t ignored = 0;
	bool is_hourly = str_split_next(&rest, ' ', &minute) && result_is_ok(str_parse_int(minute, &ignored));
	if (!is_hourly || !result_is_ok(engine_check_event_schedule(e->c, cron))) {
		ctx_clear_problem(e->c);
		return DLM_FAIL(
			e, "CronExpression",
			"CronExpression: '%" STR_FMT
			"' is no expression such as cron(0 9 * * ? *) that occurs at most once an hour.",
			STR_ARG(str_cut(cron, 106)));
	}
	row->schedule = cron;
	return OK;
}

static RESULT read_create(struct rest_json_call *e, const struct create_rule *rule,
			  struct snapshot_policy *row)
{
	int64_t hour = 9, minute = 0; /* DLM's own default of Times */
	if (rule->cron.n && (rule->interval || rule->times.count || rule->unit.n))
		return DLM_FAIL(
			e, "CreateRule",
			"CreateRule: CronExpression and Interval, IntervalUnit or Times exclude each other.");
	if (rule->cron.n)
		return read_cron(e, rule->cron, row);
	if (!rule->interval || !rule->unit.n)
		return DLM_FAIL(
			e, "CreateRule",
			"CreateRule: either CronExpression or Interval and IntervalUnit are required.");
	if (24 % rule->interval)
		return DLM_FAIL(e, "Interval",
				"Interval: %" PRId64 " is none of 1, 2, 3, 4, 6, 8, 12 and 24 hours.",
				rule->interval);
	if (rule->times.count > 1)
		return DLM_FAIL(e, "Times", "Times: a schedule has one time.");
	if (rule->times.count)
		TRY(read_time(e, rule->times.at[0], &hour, &minute));
	row->every_hours = rule->interval;
	row->schedule = engine_write_hours(e->c->arena, rule->interval, hour, minute);
	return OK;
}

static RESULT read_retain(struct rest_json_call *e, const struct retain_rule *rule,
			  struct snapshot_policy *row)
{
	static const struct {
		const char *word;
		enum snapshot_policy_age_unit unit;
		int64_t max;
	} units[] = {{"DAYS", SNAPSHOT_POLICY_AGE_UNIT_DAYS, 365 * LIFECYCLE_YEARS_MAX},
		     {"WEEKS", SNAPSHOT_POLICY_AGE_UNIT_WEEKS, 52 * LIFECYCLE_YEARS_MAX},
		     {"MONTHS", SNAPSHOT_POLICY_AGE_UNIT_MONTHS, 12 * LIFECYCLE_YEARS_MAX},
		     {"YEARS", SNAPSHOT_POLICY_AGE_UNIT_YEARS, LIFECYCLE_YEARS_MAX}};
	if ((rule->count > 0) == (rule->interval > 0))
		return DLM_FAIL(e, "RetainRule",
				"RetainRule: either Count or Interval is required, from 1 on.");
	row->kept = rule->count;
	row->kept_age = rule->interval;
	if (!rule->interval)
		return rule->unit.n ? DLM_FAIL(e, "IntervalUnit", "IntervalUnit: Count has no unit.") : OK;
	for (size_t k = 0; k < sizeof units / sizeof units[0]; k++)
		if (str_is(rule->unit, units[k].word) && rule->interval <= units[k].max) {
			row->age_unit = units[k].unit;
			return OK;
		}
	return DLM_FAIL(e, "RetainRule",
			"RetainRule: Interval needs an IntervalUnit, and at most 100 years.");
}

static RESULT read_schedule(struct rest_json_call *e, const struct dlm_schedule *s,
			    struct snapshot_policy *row)
{
	bool of_instances = row->targets == SNAPSHOT_POLICY_TARGETS_TAGGED_INSTANCES;
	for (size_t k = 0; k < s->variable.count; k++)
		if (!str_is(s->variable.at[k].value, "$(instance-id)") &&
		    !str_is(s->variable.at[k].value, "$(timestamp)"))
			return DLM_FAIL(e, "VariableTags",
					"VariableTags: a value is $(instance-id) or $(timestamp).");
	if (s->variable.count && !of_instances)
		return DLM_FAIL(e, "VariableTags", "VariableTags: only policies by instances have them.");
	row->schedule_name = s->name;
	row->copies_tags = s->copies_tags;
	row->added_tags = (struct tags){s->added.at, s->added.count};
	row->variable_tags = (struct tags){s->variable.at, s->variable.count};
	TRY(read_create(e, &s->create, row));
	return read_retain(e, &s->retain, row);
}

static RESULT refuse(struct rest_json_call *e, const char *field, struct str value)
{
	return ctx_fail_field(e->c, ERR_UNSUPPORTED, str_from(field),
			      "The value %" STR_FMT " of the parameter %s is not supported.", STR_ARG(value),
			      field);
}

RESULT dlm_read_details(struct rest_json_call *e, const struct dlm_details *d,
			struct snapshot_policy *ret_row)
{
	struct snapshot_policy row = {.target_tags = {d->targets.at, d->targets.count}};
	if (!str_is(d->policy_type, "EBS_SNAPSHOT_MANAGEMENT"))
		return refuse(e, "PolicyType", d->policy_type);
	if (d->locations.count && !str_is(d->locations.at[0], "CLOUD"))
		return refuse(e, "ResourceLocations", d->locations.at[0]);
	if (d->resource_types.count != 1 || d->locations.count > 1)
		return DLM_FAIL(e, "ResourceTypes",
				"ResourceTypes and ResourceLocations have one element each.");
	row.targets = str_is(d->resource_types.at[0], "VOLUME") ? SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES
								: SNAPSHOT_POLICY_TARGETS_TAGGED_INSTANCES;
	row.without_root = d->parameters.excludes_root;
	if (row.without_root && row.targets == SNAPSHOT_POLICY_TARGETS_TAGGED_VOLUMES)
		return DLM_FAIL(e, "ExcludeBootVolume",
				"ExcludeBootVolume: only policies by instances have it.");
	if (!d->targets.count)
		return DLM_FAIL(e, "TargetTags", "TargetTags: one tag at least is required.");
	if (d->schedules.count != 1)
		return ctx_fail_field(
			e->c, d->schedules.count ? ERR_UNSUPPORTED : ERR_INVALID, STR("Schedules"),
			"The parameter Schedules has one element here. Create a policy for each "
			"schedule.");
	TRY(read_schedule(e, &d->schedules.at[0], &row));
	*ret_row = row;
	return OK;
}

/* ---- writing ---- */

/* Reads minute and first hour back from the expression of an interval. */
static void write_create(struct rest_json_call *e, struct json_writer *w, const struct snapshot_policy *p)
{
	struct str rest = str_slice(p->schedule, 5, p->schedule.n), minute = STR_NONE, hour = STR_NONE;
	int64_t hours = 0, minutes = 0;
	json_write_open(w, "CreateRule");
	json_write_z(w, "Location", "CLOUD");
	if (p->every_hours) {
		(void) str_split_next(&rest, ' ', &minute);
		(void) str_split_next(&rest, ' ', &hour);
		rest = hour;
		(void) str_split_next(&rest, ',', &hour);
		if (!result_is_ok(str_parse_int(hour, &hours)) ||
		    !result_is_ok(str_parse_int(minute, &minutes)))
			hours = minutes = 0;
		json_write_int(w, "Interval", p->every_hours);
		json_write_z(w, "IntervalUnit", "HOURS");
		json_write_open_list(w, "Times");
		json_write_text(w, NULL, str_print(e->c->arena, "%02" PRId64 ":%02" PRId64, hours, minutes));
		json_write_close_list(w);
	} else {
		json_write_text(w, "CronExpression", p->schedule);
	}
	json_write_close(w);
}

static void write_retain(struct json_writer *w, const struct snapshot_policy *p)
{
	static const char *const units[] = {[SNAPSHOT_POLICY_AGE_UNIT_DAYS] = "DAYS",
					    [SNAPSHOT_POLICY_AGE_UNIT_WEEKS] = "WEEKS",
					    [SNAPSHOT_POLICY_AGE_UNIT_MONTHS] = "MONTHS",
					    [SNAPSHOT_POLICY_AGE_UNIT_YEARS] = "YEARS"};
	json_write_open(w, "RetainRule");
	if (p->kept_age) {
		json_write_int(w, "Interval", p->kept_age);
		json_write_z(w, "IntervalUnit", units[p->age_unit]);
	} else {
		json_write_int(w, "Count", p->kept);
	}
	json_write_close(w);
}

void dlm_write_details(struct rest_json_call *e, struct json_writer *w, const struct snapshot_policy *p)
{
	bool of_instances = p->targets == SNAPSHOT_POLICY_TARGETS_TAGGED_INSTANCES;
	json_write_open(w, "PolicyDetails");
	json_write_z(w, "PolicyType", "EBS_SNAPSHOT_MANAGEMENT");
	json_write_open_list(w, "ResourceTypes");
	json_write_z(w, NULL, of_instances ? "INSTANCE" : "VOLUME");
	json_write_close_list(w);
	json_write_open_list(w, "ResourceLocations");
	json_write_z(w, NULL, "CLOUD");
	json_write_close_list(w);
	target_write_tags(w, "TargetTags", p->target_tags);
	json_write_open_list(w, "Schedules");
	json_write_open(w, NULL);
	json_write_text(w, "Name", p->schedule_name);
	json_write_bool(w, "CopyTags", p->copies_tags);
	target_write_tags(w, "TagsToAdd", p->added_tags);
	target_write_tags(w, "VariableTags", p->variable_tags);
	write_create(e, w, p);
	write_retain(w, p);
	json_write_close(w);
	json_write_close_list(w);
	if (of_instances) {
		json_write_open(w, "Parameters");
		json_write_bool(w, "ExcludeBootVolume", p->without_root);
		json_write_close(w);
	}
	json_write_close(w);
}
