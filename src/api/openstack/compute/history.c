/* SPDX-License-Identifier: Apache-2.0
 * Instance actions: the events stored with each change, made through any API. Source: Compute API
 * reference, "Servers actions". */
#include "api/openstack/core/list.h"
#include "api/openstack/core/write.h"
#include "base/vec.h"
#include "model/instance.h"
#include "model/states.h"
#include "store/port.h"
#include "store/sql.h"

enum { EVENTS_MAX = 1000 };

/* Event name in the engine, Nova's action, and Nova's event, which is a function of its compute manager;
 * NULL: Nova has no such event. */
static const struct {
	const char *what, *action, *event;
} names[] = {
	{"created", "create", "compute__do_build_and_run_instance"},
	{"start asked", "start", "compute_start_instance"},
	{"stop asked", "stop", "compute_stop_instance"},
	{"reboot asked", "reboot", "compute_reboot_instance"},
	{"pause asked", "pause", "compute_pause_instance"},
	{"unpause asked", "unpause", "compute_unpause_instance"},
	{"suspend asked", "suspend", "compute_suspend_instance"},
	{"resize asked", "resize", "compute_prep_resize"},
	{"cold migration asked", "migrate", "compute_prep_resize"},
	{"resize confirmed", "confirmResize", "compute_confirm_resize"},
	{"resize reverted", "revertResize", "compute_revert_resize"},
	{"rebuild asked", "rebuild", "compute_rebuild_instance"},
	{"evacuated", "evacuate", "compute_rebuild_instance"},
	{"rescue asked", "rescue", "compute_rescue_instance"},
	{"unrescue asked", "unrescue", "compute_unrescue_instance"},
	{"shelve asked", "shelve", "compute_shelve_instance"},
	{"unshelve asked", "unshelve", "compute_unshelve_instance"},
	{"locked", "lock"},
	{"unlocked", "unlock"},
	{"interface detached", "detach_interface", "compute_detach_interface"},
	{"terminate asked", "delete", "compute_terminate_instance"},
	{"swap asked", "swap_volume", "compute_swap_volume"},
	{"volume extension asked", "extend_volume", "compute_extend_volume"},
};

/* Returns Nova's action; NULL: the event is not a user's action. */
static const char *action_of(const struct event *event)
{
	if (str_ends_with(event->action, STR("os-suspend-server:resume")))
		return "resume";
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (str_is(event->what, names[k].what))
			return names[k].action;
	return NULL;
}

static struct str event_of(const struct event *event)
{
	for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
		if (str_is(event->what, names[k].what) && names[k].event)
			return str_from(names[k].event);
	return event->what;
}

struct history {
	struct os_call *e;
	bool is_detaching;        /* one of the server's ports is being detached */
	VEC(struct event) events; /* the events that are actions, newest first */
};

static bool is_losing_port(const struct tables *t, uuid instance)
{
	for (const struct port *p = port_first_by_seen_instance(t, instance); p;
	     p = port_next_by_seen_instance(t, p))
		if (uuid_is_none(p->instance))
			return true;
	return false;
}

static RESULT keep_event(void *arg, const struct event *event)
{
	struct history *h = arg;
	struct arena *a = h->e->c->arena;
	struct event kept = *event;
	if (str_is_empty(event->request_id) || !action_of(event))
		return OK;
	kept.request_id = str_copy(a, event->request_id);
	kept.action = str_copy(a, event->action);
	kept.what = str_copy(a, event->what);
	kept.text = STR_NONE; /* Nova's answer has no member for the text */
	bool is_kept = kept.request_id.p && kept.what.p && VEC_PUSH(a, &h->events, kept);
	return is_kept ? OK : ctx_no_memory(h->e->c);
}

enum { SINCE_PAGES = 58, SINCE_BEFORE = 66 };

struct os_history {
	struct ref server;
	struct str request;
	/* of lists: */
	struct str marker, since, before;
	int64_t limit;
	bool has_limit;
};
static const struct param list_params[] = {
	OS_PATH(struct os_history, "server_id", server, .kind = KIND_INSTANCE, .doc = "The server."),
	OS_QUERY(struct os_history, "limit", limit, .since = SINCE_PAGES, .min = 0, .max = INT32_MAX,
		 .given = offsetof(struct os_history, has_limit) + 1,
		 .doc = "Maximum number of actions in one page."),
	OS_QUERY(struct os_history, "marker", marker, .since = SINCE_PAGES,
		 .doc = "Request id (req-…) of the last action of the previous page."),
	OS_QUERY(struct os_history, "changes-since", since, .since = SINCE_PAGES, .max = 64,
		 .doc = "Earliest change."),
	OS_QUERY(struct os_history, "changes-before", before, .since = SINCE_BEFORE, .max = 64,
		 .doc = "Latest change."),
};
static const struct param one_params[] = {
	OS_PATH(struct os_history, "server_id", server, .kind = KIND_INSTANCE, .doc = "The server."),
	OS_PATH(struct os_history, "request_id", request, .doc = "Request id (req-…) of the action."),
};

/* Since 2.21 terminated servers have a history, too. */
static RESULT read_history(struct os_call *e, const struct ref *ref, struct history *ret_history)
{
	const struct instance *instance = NULL;
	TRY(engine_find_own_instance(e->c, os_tables(e), ref, &instance));
	if (e->request.version < 21 && model_derive_instance_state(instance) == INSTANCE_TERMINATED)
		return engine_fail_not_found(e->c, KIND_INSTANCE, ref);
	uuid id = instance->row.id;
	*ret_history = (struct history){.e = e, .is_detaching = is_losing_port(os_tables(e), id)};
	const struct event_query query = {.id = id, .max = EVENTS_MAX};
	os_release_tables(e);
	return store_read_events(e->config->store, e->c, &query, keep_event, ret_history);
}

static void write_action(struct os_call *e, struct json_writer *w, const struct event *event)
{
	json_write_z(w, "action", action_of(event));
	os_write_id(w, "instance_uuid", event->id);
	json_write_text(w, "request_id", str_print(e->c->arena, "req-%" STR_FMT, STR_ARG(event->request_id)));
	os_write_hex(w, "user_id", event->user);
	os_write_hex(w, "project_id", event->account);
	os_write_time_us(w, "start_time", event->at_us);
	json_write_null(w, "message");
	if (e->request.version >= 58)
		os_write_time_us(w, "updated_at", event->at_us);
}

/* Finds the first event behind those of the marker's request. */
static RESULT find_start(struct os_call *e, const struct os_history *a, const struct history *history,
			 size_t *ret_start)
{
	struct str id = str_slice(a->marker, strlen("req-"), a->marker.n);
	size_t start = 0;
	for (size_t k = 0; k < history->events.count; k++) /* a request may have several events */
		if (str_equal(history->events.at[k].request_id, id))
			start = k + 1;
	*ret_start = a->marker.n ? start : 0;
	if (a->marker.n && !start)
		return ctx_fail_field(e->c, ERR_INVALID, STR("marker"), "marker [%" STR_FMT "] not found",
				      STR_ARG(str_slice(a->marker, 0, 64)));
	return OK;
}

static RESULT read_bounds(struct os_call *e, const struct os_history *a, int64_t *ret_from_us,
			  int64_t *ret_until_us)
{
	*ret_from_us = 0;
	*ret_until_us = INT64_MAX;
	if (a->since.n)
		TRY(os_parse_time(e->c, a->since, "changes-since", ret_from_us));
	return a->before.n ? os_parse_time(e->c, a->before, "changes-before", ret_until_us) : OK;
}

static void write_next(struct os_call *e, struct json_writer *w, const struct event *last)
{
	const struct os_page page = {
		.count = 1,
		.has_more = true,
		.marker = str_print(e->c->arena, "req-%" STR_FMT, STR_ARG(last->request_id))};
	struct str query = os_next_query(e, &page);
	json_write_open_list(w, "links");
	os_write_link(w, "next",
		      str_print(e->c->arena, "%" STR_FMT "%" STR_FMT "?%" STR_FMT, STR_ARG(e->base_url),
				STR_ARG(e->call->path), STR_ARG(query)));
	json_write_close_list(w);
}

static RESULT list_actions(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_history *a = args;
	struct history history;
	int64_t from_us, until_us, left = a->has_limit ? a->limit : INT64_MAX;
	const struct event *last = NULL;
	size_t k = 0;
	TRY(read_bounds(e, a, &from_us, &until_us));
	TRY(read_history(e, &a->server, &history));
	TRY(find_start(e, a, &history, &k));
	json_write_open_list(w, "instanceActions");
	for (; k < history.events.count && left > 0; k++) {
		const struct event *event = &history.events.at[k];
		if (event->at_us < from_us || event->at_us > until_us)
			continue;
		json_write_open(w, NULL);
		write_action(e, w, event);
		json_write_close(w);
		last = event;
		left--;
	}
	json_write_close_list(w);
	if (last && left == 0) /* a full page has a link even if nothing follows, as in Nova */
		write_next(e, w, last);
	return OK;
}

/* An event ends with its change, except the detachment of a port, which ends when the guest has released
 * the port: clients wait for that. */
static void write_event(struct json_writer *w, const struct event *event, bool has_ended)
{
	json_write_open(w, NULL);
	json_write_text(w, "event", event_of(event));
	os_write_time_us(w, "start_time", event->at_us);
	if (has_ended) {
		os_write_time_us(w, "finish_time", event->at_us);
		json_write_z(w, "result", "Success");
	} else {
		json_write_null(w, "finish_time");
		json_write_null(w, "result");
	}
	json_write_null(w, "traceback");
	json_write_close(w);
}

static RESULT show_action(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_history *a = args;
	struct history history;
	struct str id = str_slice(a->request, strlen("req-"), a->request.n);
	TRY(read_history(e, &a->server, &history));
	for (size_t k = 0; k < history.events.count; k++) {
		const struct event *event = &history.events.at[k];
		if (!str_equal(event->request_id, id))
			continue;
		write_action(e, w, event);
		json_write_open_list(w, "events");
		write_event(w, event, !history.is_detaching || !str_is(event->what, "interface detached"));
		json_write_close_list(w);
		return OK;
	}
	return ctx_fail(e->c, ERR_NOT_FOUND,
			"Action for request_id %" STR_FMT " on instance %" STR_FMT " not found",
			STR_ARG(str_slice(a->request, 0, 64)), STR_ARG(a->server.text));
}

#define ACTIONS_PATH "/v2.1/servers/{server_id}/os-instance-actions"
static const struct os_action actions[] = {
	{HTTP_GET, ACTIONS_PATH, .permit = "os_compute_api:os-instance-actions:list",
	 .args = OS_PARAMS(struct os_history, list_params), .answer = list_actions,
	 .doc = "Lists the actions performed on a server."},
	{HTTP_GET, ACTIONS_PATH "/{request_id}", .permit = "os_compute_api:os-instance-actions:show",
	 .args = OS_PARAMS(struct os_history, one_params), .item = "instanceAction", .answer = show_action,
	 .doc = "Shows one action of a server."},
};
const struct os_actions os_server_history_actions = OS_ACTIONS(OS_COMPUTE, actions);
