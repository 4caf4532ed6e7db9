/* SPDX-License-Identifier: Apache-2.0
 * The activity log lists changes with their callers and results. It is made from the engine's jobs, which remain for
 * an hour after they end; the region's audit log is for operators. Source: Azure Monitor REST API reference,
 * "Activity Logs - List", 2015-04-01; "Azure Activity Log event schema".
 */
#include <stdlib.h>

#include "api/azure/core/action.h"

#include "base/clock.h"
#include "base/vec.h"
#include "store/async_job.h"

/* Properties that the terms of a filter compare. */
enum property {
	OF_GROUP,
	OF_RESOURCE,
	OF_CORRELATION,
	OF_PROVIDER,
	OF_TYPE,
	OF_CALLER,
	OF_STATUS,
	OF_LEVELS,   /* the term is a list of words */
	OF_CHANNELS, /* likewise */
	PROPERTIES
};
enum { TERMS_MAX = 16 };

/* "eventTimestamp ge '…' and eventTimestamp le '…' and resourceGroupName eq '…'". An event fits all terms, also two terms of one
 * property. */
struct filter {
	int64_t from_us, to_us;
	bool has_from;
	struct {
		enum property of;
		struct str value;
	} terms[TERMS_MAX];
	size_t count;
};

/* True if the time ends with "Z" or an offset such as "+02:00". */
static bool has_zone(struct str time)
{
	struct str clock = str_slice(time, strlen("2024-01-02T"), time.n);
	return str_find_char(clock, 'Z', 0) < clock.n || str_find_char(clock, '+', 0) < clock.n ||
	       str_find_char(clock, '-', 0) < clock.n;
}

static bool take_time(struct str *rest, const char *word, int64_t *ret_us)
{
	struct str before = *rest, text;
	if (!az_take_word(rest, str_from(word))) {
		*rest = before;
		return false;
	}
	/* az sends the time of a group's list without quotes. */
	bool is_quoted = str_starts_with(*rest, STR("'"));
	size_t end = str_find_char(*rest, is_quoted ? '\'' : ' ', is_quoted);
	text = str_slice(*rest, is_quoted, end);
	*rest = str_slice(*rest, end + 1, rest->n);
	char whole[48];
	int n = snprintf(whole, sizeof whole, "%" STR_FMT "%s", STR_ARG(str_slice(text, 0, 40)),
			 has_zone(text) ? "" : "Z");
	return n > 0 && result_is_ok(clock_parse((struct str){whole, (size_t) n}, ret_us));
}

static bool take_bound(struct str *rest, struct filter *f)
{
	int64_t us = 0;
	if (take_time(rest, "ge", &us)) {
		f->from_us = !f->has_from || us > f->from_us ? us : f->from_us;
		f->has_from = true;
		return true;
	}
	bool is_end = take_time(rest, "le", &us);
	if (is_end && us < f->to_us)
		f->to_us = us;
	return is_end;
}

static bool take_term(struct str *rest, struct filter *f)
{
	static const struct {
		const char *word;
		enum property of;
	} words[] = {{"resourceGroupName", OF_GROUP},
		     {"resourceUri", OF_RESOURCE},
		     {"resourceId", OF_RESOURCE},
		     {"correlationId", OF_CORRELATION},
		     {"resourceProvider", OF_PROVIDER},
		     {"resourceType", OF_TYPE},
		     {"caller", OF_CALLER},
		     {"status", OF_STATUS},
		     {"levels", OF_LEVELS},
		     {"eventChannels", OF_CHANNELS}};
	if (az_take_word(rest, STR("eventTimestamp")))
		return take_bound(rest, f);
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++) {
		if (!az_take_word(rest, str_from(words[k].word)))
			continue;
		if (f->count == TERMS_MAX)
			return false;
		f->terms[f->count].of = words[k].of;
		return az_take_value(rest, &f->terms[f->count++].value);
	}
	return false;
}

static RESULT read_filter(struct az_call *e, struct filter *ret_filter)
{
	struct str rest = str_trim(az_query_value(e, "$filter"));
	struct filter f = {.to_us = INT64_MAX};
	bool is_good = true;
	while (rest.n && is_good) {
		is_good = take_term(&rest, &f);
		if (is_good && rest.n)
			is_good = az_take_word(&rest, STR("and"));
	}
	*ret_filter = f;
	if (!is_good)
		return az_fail(e, "$filter", "The filter '%" STR_FMT "' is not supported.",
			       STR_ARG(str_slice(az_query_value(e, "$filter"), 0, 256)));
	/* "This argument is required and it also requires at least the start date/time." The wording of the error is guessed. */
	return f.has_from ? OK
			  : az_fail(e, "$filter",
				    "The filter needs the start of the time range: eventTimestamp ge '…'.");
}

/* Finds the call that started the job, by permit and kind. NULL: another face's job. */
static const struct az_action *find_action(const struct async_job *job, bool any_command)
{
	for (size_t g = 0; g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *a = az_row_of(api_action_at(az_groups[g], k));
			enum kind kind = a->subject_kind ? a->subject_kind : a->kind;
			if (a->outcome && kind == (enum kind) job->subject_kind &&
			    (any_command || str_is(job->command, a->permit)))
				return a;
		}
	return NULL;
}

struct event {
	const struct async_job *job;
	int64_t at_us;
	const struct az_action *action;
	struct str operation, resource, group;
	struct str select; /* members that are shown, with commas; empty: all */
};

static const char *const states[] = {[ASYNC_JOB_ENDED_NONE] = "Started",
				     [ASYNC_JOB_ENDED_DONE] = "Succeeded",
				     [ASYNC_JOB_ENDED_FAILED] = "Failed"};

static const char *level_of(const struct async_job *job)
{
	return job->ended == ASYNC_JOB_ENDED_FAILED ? "Error" : "Informational";
}

/* True if the list, such as "Admin, Operation", has the word; an absent list matches everything. */
static bool has_word(struct str list, struct str is)
{
	struct str one;
	bool has = !list.n;
	while (str_split_next(&list, ',', &one))
		has = has || str_equal_nocase(str_trim(one), is);
	return has;
}

/* Names accepted in $select: the members of EventData. A name that no event has here selects nothing. */
static const char *const selectable[] = {"authorization",
					 "caller",
					 "channels",
					 "claims",
					 "correlationId",
					 "description",
					 "eventDataId",
					 "eventName",
					 "category",
					 "httpRequest",
					 "id",
					 "resourceGroupName",
					 "level",
					 "operationId",
					 "operationName",
					 "properties",
					 "resourceId",
					 "resourceProviderName",
					 "resourceType",
					 "status",
					 "subStatus",
					 "eventTimestamp",
					 "submissionTimestamp",
					 "subscriptionId",
					 "tenantId"};

static bool is_selectable(struct str name)
{
	for (size_t k = 0; k < sizeof selectable / sizeof selectable[0]; k++)
		if (str_equal_nocase(name, str_from(selectable[k])))
			return true;
	return false;
}

static RESULT read_select(struct az_call *e, struct str *ret_select)
{
	struct str rest = az_query_value(e, "$select"), name;
	*ret_select = rest;
	while (str_split_next(&rest, ',', &name))
		if (!is_selectable(str_trim(name)))
			return az_fail(e, "$select",
				       "The property '%" STR_FMT "' cannot be selected.", /* guessed */
				       STR_ARG(str_slice(str_trim(name), 0, 64)));
	return OK;
}

static bool wants(const struct event *v, const char *name)
{
	return has_word(v->select, str_from(name));
}

static void write_selected(struct json_writer *w, const struct event *v, const char *name, struct str value)
{
	if (wants(v, name))
		json_write_text(w, name, value);
}

static void write_selected_words(struct json_writer *w, const struct event *v, const char *name,
				 struct str value, struct str words)
{
	if (!wants(v, name))
		return;
	json_write_open(w, name);
	json_write_text(w, "value", value);
	json_write_text(w, "localizedValue", words);
	json_write_close(w);
}

static void write_kinds(struct az_call *e, struct json_writer *w, const struct event *v)
{
	const struct az_type *type = &az_types[v->action->type];
	struct str full = str_print(e->c->arena, "%s/%s", type->space, type->name);
	struct str state = str_from(states[v->job->ended]), space = str_from(type->space);
	bool has_ended = v->job->ended != ASYNC_JOB_ENDED_NONE;
	write_selected_words(w, v, "eventName", has_ended ? STR("EndRequest") : STR("BeginRequest"),
			     has_ended ? STR("End request") : STR("Begin request"));
	write_selected_words(w, v, "category", STR("Administrative"), STR("Administrative"));
	write_selected_words(w, v, "operationName", v->operation, v->job->command);
	write_selected_words(w, v, "resourceProviderName", space, space);
	write_selected_words(w, v, "resourceType", full, full);
	write_selected_words(w, v, "status", state, state);
	write_selected_words(w, v, "subStatus", STR(""), STR(""));
	write_selected(w, v, "level", str_from(level_of(v->job)));
}

static void write_event(struct az_call *e, struct json_writer *w, const struct event *v)
{
	const struct async_job *job = v->job;
	struct arena *a = e->c->arena;
	struct str id = uuid_to_str(a, job->row.id);
	json_write_open(w, NULL);
	if (wants(v, "authorization")) {
		json_write_open(w, "authorization");
		json_write_text(w, "action", v->operation);
		json_write_text(w, "scope", v->resource);
		json_write_close(w);
	}
	write_selected(w, v, "caller", uuid_is_none(job->made_by) ? STR("") : uuid_to_str(a, job->made_by));
	write_selected(w, v, "channels", STR("Operation"));
	write_selected(w, v, "correlationId", id);
	write_selected(w, v, "eventDataId", id);
	write_selected(w, v, "operationId", id);
	write_selected(w, v, "description", job->problem);
	write_kinds(e, w, v);
	write_selected(w, v, "id",
		       str_print(a, "%" STR_FMT "/events/%" STR_FMT, STR_ARG(v->resource), STR_ARG(id)));
	write_selected(w, v, "resourceId", v->resource);
	write_selected(w, v, "resourceGroupName", v->group);
	if (wants(v, "eventTimestamp"))
		az_write_time(w, "eventTimestamp", job->ended_us ? job->ended_us : job->row.created_us);
	if (wants(v, "submissionTimestamp"))
		az_write_time(w, "submissionTimestamp", job->row.created_us);
	write_selected(w, v, "subscriptionId", uuid_to_str(a, e->c->who->account));
	write_selected(w, v, "tenantId", uuid_to_str(a, e->bearer.tenant));
	json_write_close(w);
}

static bool fits_filter(struct az_call *e, const struct filter *f, const struct event *v)
{
	const struct async_job *job = v->job;
	const struct az_type *type = &az_types[v->action->type];
	const struct str is[PROPERTIES] = {
		[OF_GROUP] = v->group,
		[OF_RESOURCE] = v->resource,
		[OF_CORRELATION] = uuid_to_str(e->c->arena, job->row.id),
		[OF_PROVIDER] = str_from(type->space),
		[OF_TYPE] = az_full_type(e->c->arena, v->action->type),
		[OF_CALLER] = uuid_is_none(job->made_by) ? STR("-") : uuid_to_str(e->c->arena, job->made_by),
		[OF_STATUS] = str_from(states[job->ended]),
		[OF_LEVELS] = str_from(level_of(job)),
		[OF_CHANNELS] = STR("Operation"),
	};
	bool fits = true;
	for (size_t k = 0; k < f->count && fits; k++) {
		enum property of = f->terms[k].of;
		fits = of == OF_LEVELS || of == OF_CHANNELS ? has_word(f->terms[k].value, is[of])
							    : str_equal_nocase(f->terms[k].value, is[of]);
	}
	return fits;
}

/* Reads a job as an event; false: filtered out, or not of an Azure type. */
static bool read_event(struct az_call *e, const struct filter *f, const struct async_job *job,
		       struct event *ret_event)
{
	int64_t at_us = job->ended_us ? job->ended_us : job->row.created_us;
	const struct az_action *a = find_action(job, false), *like = a ? a : find_action(job, true);
	if (!like || at_us < f->from_us || at_us > f->to_us)
		return false;
	bool is_group = job->subject_kind == KIND_RESOURCE_GROUP;
	*ret_event = (struct event){
		.job = job,
		.at_us = at_us,
		.action = like,
		.operation = a ? az_operation_of(e->c->arena, a)
			       : str_print(e->c->arena, "%s/%s/write", az_types[like->type].space,
					   az_types[like->type].name),
		.group = is_group ? STR("") : az_group_of(e, job->subject),
		.resource = is_group ? STR("")
				     : az_id_of(e, like->type, (enum kind) job->subject_kind, job->subject)};
	return fits_filter(e, f, ret_event);
}

/* Puts the newest event first. az shows the first 50 of the answer unless the command asks for more. */
static int compare_events(const void *a, const void *b)
{
	const struct event *x = a, *y = b;
	return x->at_us != y->at_us ? (x->at_us < y->at_us ? 1 : -1)
				    : uuid_compare(y->job->row.id, x->job->row.id);
}

static RESULT list_events(struct az_call *e, const void *args, struct json_writer *w)
{
	struct filter f;
	struct event event;
	struct str select;
	VEC(struct event) events = {0};
	(void) args;
	TRY(read_filter(e, &f));
	TRY(read_select(e, &select));
	const struct async_job *job = async_job_first_by_account(az_tables(e), e->c->who->account);
	for (; job; job = async_job_next_by_account(az_tables(e), job)) {
		if (!read_event(e, &f, job, &event))
			continue;
		event.select = select;
		if (!VEC_PUSH(e->c->arena, &events, event))
			return ctx_no_memory(e->c);
	}
	if (events.count)
		qsort(events.at, events.count, sizeof events.at[0], compare_events);
	json_write_open_list(w, "value");
	for (size_t k = 0; k < events.count; k++)
		write_event(e, w, &events.at[k]);
	json_write_close_list(w);
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION "/providers/Microsoft.Insights/eventtypes/management/values",
	 .name = "ActivityLogs_List", .permit = "ec2:DescribeJobs", .flags = API_CHANGES_BY_TIME,
	 .type = AZ_EVENTS, .answer = list_events, .query = "$filter|$select",
	 .doc = "Lists the changes of the last hour and their results."},
};
const struct api_actions az_event_actions = API_ACTIONS(actions);
