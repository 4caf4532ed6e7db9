/* SPDX-License-Identifier: Apache-2.0
 * External events: other services report that a port or a volume of a server has changed. All services are
 * one here and the reconciler observes changes itself, so an event is validated and answered, but has no
 * effect. Source: Compute API reference, "Create external events". */
#include "api/openstack/compute/servers.h"
#include "api/openstack/core/write.h"
#include "model/states.h"
#include "store/instance.h"

enum { EVENTS_MAX = 1000, SOME_FAILED = 207 };

struct os_event {
	struct str name, status, tag;
	struct ref server;
};
struct os_events {
	struct {
		const struct os_event *at;
		size_t count;
	} events;
};
#define P(wire, member, ...) OS_BODY(struct os_event, wire, member, __VA_ARGS__)
#define NAMES "network-changed|network-vif-plugged|network-vif-unplugged|network-vif-deleted"
static const struct param event_rows[] = {
	P("name", name, .flags = REQUIRED, .until = 50, .words = NAMES, .doc = "Name of the event."),
	P("name", name, .flags = REQUIRED, .since = 51, .words = NAMES "|volume-extended",
	  .doc = "Name of the event."),
	P("server_uuid", server, .flags = REQUIRED, .kind = KIND_INSTANCE,
	  .doc = "Server that the event concerns."),
	P("status", status, .words = "failed|completed|in-progress", .absent = "completed",
	  .doc = "Outcome of the event."),
	P("tag", tag, .doc = "Port or volume that the event concerns."),
};
#undef P
static const struct params event_params = OS_PARAMS(struct os_event, event_rows);
static const struct param params[] = {
	OS_BODY_LIST(struct os_events, "events", events, event_params, .flags = REQUIRED, .min = 1,
		     .max = EVENTS_MAX, .doc = "Events; at least one."),
};

/* Finds a server of any project, since only administrators may call; NULL: none. */
static const struct instance *find_server(struct os_call *e, const struct os_event *event)
{
	const struct instance *i = instance_find(os_tables(e), event->server.prefix);
	return i && model_derive_instance_state(i) != INSTANCE_TERMINATED ? i : NULL;
}

static void write_event(struct os_call *e, struct json_writer *w, const struct os_event *event)
{
	bool is_found = find_server(e, event) != NULL;
	json_write_open(w, NULL);
	json_write_text(w, "name", event->name);
	os_write_id(w, "server_uuid", event->server.prefix);
	json_write_text(w, "status", is_found ? event->status : STR("failed"));
	json_write_int(w, "code", is_found ? 200 : 404);
	if (event->tag.p)
		json_write_text(w, "tag", event->tag);
	json_write_close(w);
}

static RESULT answer_events(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct os_events *a = args;
	size_t found = 0;
	if (!a->events.count)
		return ctx_fail_field(e->c, ERR_INVALID, STR("events"), "'events' is too short");
	for (size_t k = 0; k < a->events.count; k++)
		found += find_server(e, &a->events.at[k]) != NULL;
	if (!found)
		return ctx_fail(e->c, ERR_NOT_FOUND, "No instances found for any event");
	if (found < a->events.count)
		e->status = SOME_FAILED;
	json_write_open_list(w, "events");
	for (size_t k = 0; k < a->events.count; k++)
		write_event(e, w, &a->events.at[k]);
	json_write_close_list(w);
	return OK;
}

static const struct os_action actions[] = {
	{HTTP_POST, "/v2.1/os-server-external-events",
	 .permit = "os_compute_api:os-server-external-events:create", .flags = OS_ADMIN,
	 .args = OS_PARAMS(struct os_events, params), .answer = answer_events,
	 .doc = "Accepts external events, which the region notices without them."},
};
const struct os_actions os_server_event_actions = OS_ACTIONS(OS_COMPUTE, actions);
