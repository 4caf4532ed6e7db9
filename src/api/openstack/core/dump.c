/* SPDX-License-Identifier: Apache-2.0
 * Writes the action tables as JSON for `dari dump openstack`, the documentation, and tests that send every
 * documented parameter. Also writes the known calls that are not implemented. */
#include <stdio.h>

#include "api/core/dump.h"
#include "api/openstack/core/list.h"
#include "api/openstack/core/services.h"
#include "api/openstack/core/statuses.h"
#include "api/openstack/core/unknown.h"

static const struct os_actions *const action_groups[] = {
#define GROUP(name) &os_##name##_actions,
#include "api/openstack/core/action_groups.def"
#undef GROUP
};

static const struct call_known {
	enum os_service service;
	const char *method, *path, *name;
} known[] = {
#define CALL(service, method, path, name) {OS_##service, #method, path, name},
#include "api/openstack/core/calls_known.def"
#undef CALL
};

static const struct left_out {
	enum os_service service;
	const char *contains, *what, *why;
} left_out[] = {
#define LEFT_OUT(service, contains, what, why) {OS_##service, contains, what, why},
#include "api/openstack/core/left_out.def"
#undef LEFT_OUT
};
enum { LEFT_OUT_COUNT = sizeof left_out / sizeof left_out[0] };

static void write_param(struct json_writer *w, const struct param *p)
{
	json_write_bool(w, "nullable", p->flags & (NULLABLE | NULL_ABSENT));
	json_write_bool(w, "by_name", p->flags & BY_NAME);
	json_write_bool(w, "or_number", p->flags & OR_NUMBER);
	json_write_bool(w, "base64", p->flags & BASE64);
	if (param_yes(p)) {
		json_write_z(w, "yes", param_yes(p));
		json_write_z(w, "no", param_no(p));
	}
	if (p->since)
		json_write_int(w, "since", p->since);
	if (p->until)
		json_write_int(w, "until", p->until);
}

static const struct dump_form form = {.face = "openstack", .list_suffix = "", .write_param = write_param};

/* Writes the names of the table's sort keys, or of its filters. */
static void write_names(struct json_writer *w, const struct attributes *table, bool sorts)
{
	for (size_t k = 0; table && k < table->count; k++) {
		const struct attribute *a = &table->at[k];
		const char *names = sorts ? a->sort : a->filter;
		struct str rest = str_from(names ? names : ""), word;
		while (str_split_next(&rest, '|', &word))
			json_write_text(w, NULL, word);
		if (attribute_filters_within(a) && !sorts)
			write_names(w, a->within, sorts);
	}
}

void os_write_filter_names(struct json_writer *w, const struct os_listing *list)
{
	for (size_t k = 0; k < list->filters.count; k++)
		json_write_z(w, NULL, list->filters.at[k].name);
	write_names(w, list->attributes, false);
}

static void write_filters(struct json_writer *w, const struct os_listing *list)
{
	json_write_open_list(w, "filters");
	if (list)
		os_write_filter_names(w, list);
	json_write_close_list(w);
	if (!list || !os_shows_attributes(list))
		return;
	const struct attributes shown = os_shown_members(list);
	attributes_dump(w, list->kind, &shown);
}

/* Writes the member name, sort keys and paging of a list. */
static void write_list(struct json_writer *w, const struct os_listing *list)
{
	static const char *const always[] = {"created_at", "updated_at", "id"};
	if (!list)
		return;
	json_write_z(w, "items", list->items);
	json_write_z(w, "links", list->links);
	json_write_z(w, "marker", list->marker ? list->marker : "id");
	json_write_int(w, "page_max", list->page_max);
	json_write_open_list(w, "sort_keys");
	for (size_t k = 0; k < list->sort_keys.count; k++)
		json_write_z(w, NULL, list->sort_keys.at[k].name);
	write_names(w, list->attributes, true);
	for (size_t k = 0; k < sizeof always / sizeof always[0]; k++)
		json_write_z(w, NULL, always[k]);
	json_write_close_list(w);
}

static void write_action(struct json_writer *w, enum os_service service, const struct os_action *a)
{
	dump_open_action(w, &form, &a->core, os_service_info(service)->type, a->verb);
	json_write_z(w, "prefix", os_service_info(service)->prefix);
	json_write_z(w, "method", os_method_word(a->method));
	json_write_z(w, "path", a->path);
	json_write_bool(w, "admin", a->flags & OS_ADMIN);
	json_write_bool(w, "bulk", a->flags & OS_BULK);
	json_write_bool(w, "raw", a->flags & OS_RAW_BODY);
	json_write_int(w, "since", a->since);
	json_write_int(w, "until", a->until);
	json_write_int(w, "status", a->status ? a->status : 200);
	json_write_z(w, "wrap", a->wrap);
	dump_params(w, &form, NULL, &a->args);
	os_dump_statuses(w, service, a);
	write_filters(w, a->list);
	write_list(w, a->list);
	os_dump_unknown(w, service, a);
	json_write_close(w);
}

static bool is_built(const struct call_known *call)
{
	for (size_t g = 0; g < sizeof action_groups / sizeof action_groups[0]; g++)
		for (size_t k = 0; k < action_groups[g]->count; k++) {
			const struct os_action *a = &action_groups[g]->at[k];
			bool is_head = strcmp(call->method, "HEAD") == 0 && a->method == HTTP_GET;
			if (action_groups[g]->service == call->service &&
			    os_is_same_path(a->path, call->path) &&
			    (is_head || strcmp(os_method_word(a->method), call->method) == 0) &&
			    strcmp(a->verb ? a->verb : "", call->name) == 0)
				return true;
		}
	return false;
}

static bool is_left_out(const struct call_known *call, const struct left_out *row)
{
	return call->service == row->service &&
	       (strstr(call->path, row->contains) || strstr(call->name, row->contains));
}

/* The row of a call that is left out on purpose; NULL: none. */
static const struct left_out *find_left_out(const struct call_known *call)
{
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++)
		if (is_left_out(call, &left_out[k]))
			return &left_out[k];
	return NULL;
}

/* Writes the calls that are not built, and for no reason of the table. */
static void write_unbuilt(struct json_writer *w)
{
	json_write_open_list(w, "unbuilt");
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
		if (is_built(&known[k]) || find_left_out(&known[k]))
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "service", os_service_info(known[k].service)->type);
		json_write_z(w, "method", known[k].method);
		json_write_z(w, "path", known[k].path);
		json_write_z(w, "name", known[k].name[0] ? known[k].name : NULL);
		json_write_close(w);
	}
	json_write_close_list(w);
}

/* Each as "`GET /v2/tasks`". */
static void write_left_out_calls(struct json_writer *w, const struct left_out *row)
{
	char text[256];
	json_write_open_list(w, "actions");
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++) {
		if (is_built(&known[k]) || find_left_out(&known[k]) != row)
			continue;
		snprintf(text, sizeof text, "`%s %s%s%s`", known[k].method, known[k].path,
			 known[k].name[0] ? " " : "", known[k].name);
		json_write_z(w, NULL, text);
	}
	json_write_close_list(w);
}

static void write_left_out(struct json_writer *w)
{
	json_write_open_list(w, "left_out");
	for (size_t k = 0; k < LEFT_OUT_COUNT; k++) {
		json_write_open(w, NULL);
		json_write_z(w, "what", left_out[k].what);
		json_write_z(w, "why", left_out[k].why);
		write_left_out_calls(w, &left_out[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
}

void openstack_dump_answers(struct json_writer *w)
{
	for (size_t g = 0; g < sizeof action_groups / sizeof action_groups[0]; g++)
		for (size_t k = 0; k < action_groups[g]->count; k++) {
			const struct os_action *a = &action_groups[g]->at[k];
			const char *service = os_service_info(action_groups[g]->service)->type;
			if (!a->list || !os_shows_attributes(a->list))
				continue;
			const struct attributes shown = os_shown_members(a->list);
			dump_answer(w, "openstack", service, a->path, a->list->kind, &shown);
		}
}

void openstack_dump_actions(struct buf *out)
{
	struct json_writer w;
	json_write_begin(&w, out);
	json_write_open(&w, NULL);
	json_write_open_list(&w, "actions");
	for (size_t g = 0; g < sizeof action_groups / sizeof action_groups[0]; g++)
		for (size_t k = 0; k < action_groups[g]->count; k++)
			write_action(&w, action_groups[g]->service, &action_groups[g]->at[k]);
	json_write_close_list(&w);
	os_dump_left_out_statuses(&w);
	write_left_out(&w);
	write_unbuilt(&w);
	json_write_close(&w);
}
