/* SPDX-License-Identifier: Apache-2.0
 * listEvents: lines of the engine's log that have a CloudStack name. Searches the newest LOOKED_AT lines of
 * the account or resource and time span; "enddate" reaches older ones. An event's id combines the region's
 * id and the line's number. Source: EventQueryServiceImpl and ListEventsCmd.
 */
#include "api/cloudstack/core/action.h"
#include "api/core/kinds_read.h"
#include "base/uuid_asked.h"
#include "base/vec.h"
#include "engine/region/region.h"
#include "engine/resolve.h"
#include "store/account.h"
#include "store/sql.h"
#include "store/user.h"

enum { LOOKED_AT = 10000 };

static const struct event_type {
	enum kind kind;
	const char *what, *type, *state, *level;
} types[] = {
#define EVENT(of, what, type, state, level) {KIND_##of, what, type, state, level},
#include "api/cloudstack/region/event_types.def"
#undef EVENT
};
enum { TYPES = sizeof types / sizeof *types };

static const struct event_type *type_of(const struct event *event)
{
	for (size_t k = 0; k < TYPES; k++)
		if (types[k].kind == event->kind && str_is(event->what, types[k].what))
			return &types[k];
	return NULL;
}

/* ---- ids ---- */

static uuid id_of(uuid region, int64_t number)
{
	uuid id = region;
	id.b[6] = (uint8_t) (0x80 | (id.b[6] & 0x0f)); /* UUID version 8: custom content */
	id.b[8] = 0x80;
	for (int k = 0; k < 7; k++)
		id.b[15 - k] = (uint8_t) (number >> 8 * k);
	return id;
}

/* Line number of an event id; 0: not one. */
static int64_t number_of(uuid region, struct str text)
{
	uuid id = UUID_NONE;
	int64_t number = 0;
	if (!result_is_ok(uuid_parse_asked(text, &id)))
		return 0;
	for (int k = 9; k < 16; k++)
		number = number << 8 | id.b[k];
	return uuid_equal(id, id_of(region, number)) ? number : 0;
}

/* ---- what is asked ---- */

struct list_events {
	struct cs_list_args list;
	struct str id, type, level, state, start, end, resource, resource_type;
	struct ref project;
	/* results: */
	struct event_query query;
	struct api_list_wish page;
};
#define P(wire, member, ...) PARAM(struct list_events, wire, member, __VA_ARGS__)
static const struct param params[] = {
	CS_PAGE_PARAMS(struct list_events),
	CS_OWNER_PARAMS(struct list_events),
	CS_PROJECT_PARAM(struct list_events, project),
	P("id", id, .doc = "Resource by id."),
	P("type", type, .doc = "Event type, such as VM.CREATE."),
	P("level", level, .doc = "Level: INFO, WARN or ERROR."),
	P("state", state, .words = "Created|Scheduled|Started|Completed", .doc = "State."),
	P("startdate", start, .doc = "Earliest event: 2024-01-02 or 2024-01-02 03:04:05."),
	P("enddate", end, .doc = "Latest event."),
	P("resourceid", resource, .doc = "Resource of the event; needs resourcetype."),
	P("resourcetype", resource_type, .doc = "Type of the event's resource, such as VirtualMachine."),
	NOT_BUILT("duration|entrytime|startid"),
	NOT_BUILT("archived", .only = "false"),
};
#undef P

static RESULT prepare(struct cs_call *e, void *args)
{
	struct list_events *a = args;
	TRY(cs_read_date(e, a->start, "startdate", CS_FROM, &a->query.from_us));
	TRY(cs_read_date(e, a->end, "enddate", CS_UNTIL, &a->query.before_us));
	TRY(cs_read_page(e, &a->list, &a->page));
	a->query.max = LOOKED_AT;
	TRY(cs_read_resource(e, a->resource, a->resource_type, &a->query.id));
	cs_choose_owners(e, &a->list, &a->page);
	a->query.account = a->page.is_of_all ? UUID_NONE : e->c->who->account;
	view_close(&e->view); /* the guard opens its own view */
	e->view = (struct view){0};
	TRY(api_list_kinds_read(&e->core, GUARD_OF_EC2, identity_is_admin(e->c->who), &a->query.kinds));
	a->query.seq = a->id.n ? number_of(engine_get_region_id(cs_tables(e)), a->id) : 0;
	return a->id.n && !a->query.seq ? cs_fail_id(e, KIND_NONE, "id", a->id) : OK;
}

/* ---- what is found ---- */

struct found {
	struct event event; /* only .text of its texts is set */
	const struct event_type *type;
};
struct search {
	struct cs_call *e;
	const struct list_events *asked;
	struct uuids accounts; /* accounts of the domain */
	size_t count;
	VEC(struct found) page;
};

static bool is_text(struct str asked, const char *text)
{
	return !asked.n || str_is(asked, text);
}

static bool has_keyword(struct cs_call *e, struct str keyword, const struct event *event,
			const struct event_type *type)
{
	struct arena *a = e->c->arena;
	const struct str texts[] = {event->text, str_from(type->type), str_from(type->level)};
	for (size_t k = 0; keyword.n && k < 3; k++)
		if (str_contains(str_lower(a, texts[k]), str_lower(a, keyword)))
			return true;
	return !keyword.n;
}

static bool is_of(const struct search *s, uuid account)
{
	const struct list_events *a = s->asked;
	if (!uuid_is_none(a->page.domain))
		return uuids_have(&s->accounts, account);
	return uuid_is_none(a->query.account) || uuid_equal(a->query.account, account);
}

static bool is_asked_for(const struct search *s, const struct event *event, const struct event_type *type)
{
	const struct list_events *a = s->asked;
	return is_text(a->type, type->type) && is_text(a->level, type->level) &&
	       is_text(a->state, type->state) && is_text(a->resource_type, cs_resource_type(type->kind)) &&
	       (uuid_is_none(a->query.id) || uuid_equal(a->query.id, event->id)) &&
	       is_of(s, event->account) && has_keyword(s->e, a->list.keyword, event, type);
}

static RESULT take(void *arg, const struct event *event)
{
	struct search *s = arg;
	struct arena *a = s->e->c->arena;
	struct found found = {.event = *event, .type = type_of(event)};
	if (!found.type || !is_asked_for(s, event, found.type))
		return OK;
	size_t place = s->count++, limit = s->asked->page.limit;
	if (place < s->asked->page.offset || (limit && s->page.count == limit))
		return OK;
	found.event.request_id = found.event.action = found.event.what = STR_NONE;
	found.event.text = str_copy(a, event->text);
	return VEC_PUSH(a, &s->page, found) ? OK : ctx_no_memory(s->e->c);
}

static RESULT find_accounts(struct cs_call *e, uuid domain, struct uuids *ret_accounts)
{
	VEC(uuid) found = {0};
	if (uuid_is_none(domain))
		return OK;
	for (const struct account *a = account_first_by_domain(cs_tables(e), domain); a;
	     a = account_next_by_domain(cs_tables(e), a))
		if (!VEC_PUSH(e->c->arena, &found, a->row.id))
			return ctx_no_memory(e->c);
	*ret_accounts = (struct uuids){found.at, found.count};
	return OK;
}

/* ---- writing ---- */

/* Writes the user. Reconciler events have the system user. */
static void write_user(struct cs_call *e, struct json_writer *w, uuid id)
{
	const struct user *user = user_find(cs_tables(e), id);
	if (user || uuid_is_none(id))
		json_write_text(w, "username", user ? user->name : STR("system"));
}

static void write_resource(struct cs_call *e, struct json_writer *w, const struct event *event)
{
	const struct row *row = tables_find(cs_tables(e), event->kind, event->id);
	const struct field *field = row ? query_find_field(event->kind, "name") : NULL;
	const struct str *name = field ? query_field_at(field, row) : &STR_NONE;
	json_write_text(w, "resourceid", uuid_to_str(e->c->arena, event->id));
	json_write_z(w, "resourcetype", cs_resource_type(event->kind));
	if (name->n)
		json_write_text(w, "resourcename", *name);
}

static void write_event(struct cs_call *e, struct json_writer *w, const void *item)
{
	const struct found *found = item;
	const struct event *event = &found->event;
	const struct tables *t = cs_tables(e);
	const struct row *account = tables_find(t, KIND_ACCOUNT, event->account);
	json_write_text(w, "id", uuid_to_str(e->c->arena, id_of(engine_get_region_id(t), event->seq)));
	write_user(e, w, event->user);
	json_write_z(w, "type", found->type->type);
	json_write_z(w, "level", found->type->level);
	json_write_text(w, "description", event->text);
	if (account)
		cs_write_owner(&e->core, w, NULL, account);
	write_resource(e, w, event);
	cs_write_time(w, "created", event->at_us);
	json_write_z(w, "state", found->type->state);
	json_write_bool(w, "archived", false);
}

/* Closes the view before SQL is read. */
static RESULT list_events(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct list_events *a = args;
	struct search search = {.e = e, .asked = a};
	TRY(find_accounts(e, a->page.domain, &search.accounts));
	view_close(&e->view);
	TRY(store_read_events(e->config->store, e->c, &a->query, take, &search));
	if (a->id.n && !search.count)
		return cs_fail_id(e, KIND_NONE, "id", a->id);
	if (!search.count)
		return OK;
	json_write_int(w, "count", (int64_t) search.count);
	json_write_open_list(w, "event");
	for (size_t k = 0; k < search.page.count; k++) {
		json_write_open(w, NULL);
		write_event(e, w, &search.page.at[k]);
		json_write_close(w);
	}
	json_write_close_list(w);
	return OK;
}

/* ---- listEventTypes ---- */

static RESULT list_types(struct cs_call *e, const void *args, struct json_writer *w)
{
	size_t count = 0;
	(void) e;
	(void) args;
	json_write_open_list(w, "eventtype");
	for (size_t k = 0; k < TYPES; k++) {
		bool is_new = true;
		for (size_t n = 0; n < k; n++)
			is_new = is_new && strcmp(types[n].type, types[k].type) != 0;
		if (!is_new)
			continue;
		json_write_open(w, NULL);
		json_write_z(w, "name", types[k].type);
		json_write_close(w);
		count++;
	}
	json_write_close_list(w);
	json_write_int(w, "count", (int64_t) count);
	return OK;
}

#define PERMIT "ec2:DescribeEvents"
static const struct cs_action actions[] = {
	{CS_ACTION("listEvents", PERMIT), .flags = CS_OF_ACCOUNT | API_CHANGES_BY_TIME,
	 .args = PARAMS(struct list_events, params), .prepare = prepare, .answer = list_events,
	 .says = "id|username|type|level|description|account|projectid|project|domainid|domain|resourceid|"
		 "resourcetype|resourcename|created|state|archived",
	 .doc = "Lists events, newest first: the newest 10,000, or those before \"enddate\"."},
	{CS_ACTION("listEventTypes", PERMIT), .answer = list_types, .says = "name",
	 .doc = "Lists the event types."},
};
const struct api_actions cs_event_actions = API_ACTIONS(actions);
