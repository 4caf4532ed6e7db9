/* SPDX-License-Identifier: Apache-2.0
 * Azure's instance metadata service: /metadata/instance and what is below it, /metadata/versions,
 * attested/document, identity/oauth2/token and scheduledevents. A request must have the header Metadata, which
 * proves that no browser or forwarder made it. Source: "Azure Instance Metadata Service", "Scheduled Events for
 * Linux VMs"; where those have no words, the words here are guessed. */
#include "api/metadata/azure.h"

#include "api/core/park.h"
#include "api/metadata/internal.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/instance/azure_guest.h"
#include "engine/instance/instance_event.h"
#include "model/id.h"
#include "model/instance_event.h"

enum { QUERY_PAIRS_MAX = 16, EVENTS_MAX = 16 };

/* Oldest first. */
static const char *const versions[] = {
	"2017-03-01", "2017-04-02", "2017-08-01", "2017-10-01", "2017-11-01", "2017-12-01", "2018-02-01",
	"2018-04-02", "2018-10-01", "2019-01-01", "2019-02-01", "2019-03-11", "2019-04-01", "2019-04-30",
	"2019-06-01", "2019-06-04", "2019-08-01", "2019-08-15", "2019-11-01", "2020-06-01", "2020-07-01",
	"2020-07-15", "2020-09-01", "2020-10-01", "2020-12-01", "2021-01-01", "2021-02-01", "2021-03-01",
	"2021-05-01", "2021-08-01", "2021-10-01", "2021-11-01", "2021-11-15", "2021-12-13"};
enum { VERSION_COUNT = sizeof versions / sizeof versions[0], NEWEST_COUNT = 3 };

/* ---- answers ---- */

static const char content_type[] = "application/json; charset=utf-8";

static int add_bytes(const char *bytes, size_t size, void *arg)
{
	buf_add(arg, bytes, size);
	return 0;
}

void azure_answer_json(struct call *call, int status, json_t *document)
{
	struct buf body;
	buf_init(&body, BUF_ANSWER_CAP);
	if (!document || json_dump_callback(document, add_bytes, &body, JSON_COMPACT) != 0)
		body.failed = true;
	json_decref(document);
	call_answer(call, body.failed ? 500 : status, content_type, &body);
}

void azure_fail(struct call *call, int status, const char *code, const char *words)
{
	azure_answer_json(call, status,
			  code ? json_pack("{s:s, s:s}", "error", code, "error_description", words)
			       : json_pack("{s:s}", "error", words));
}

static void fail_version(struct call *call, bool is_missing)
{
	json_t *newest = json_array();
	for (size_t k = 0; k < NEWEST_COUNT; k++)
		(void) json_array_append_new(newest, json_string(versions[VERSION_COUNT - 1 - k]));
	azure_answer_json(
		call, 400,
		json_pack("{s:s, s:o}", "error",
			  is_missing ? "Bad request. api-version was not specified in the request. For more "
				       "information refer to aka.ms/azureimds"
				     : "Bad request. api-version is invalid. For more information refer to "
				       "aka.ms/azureimds",
			  "newest-versions", newest));
}

static void answer_versions(struct call *call)
{
	json_t *list = json_array();
	for (size_t k = 0; k < VERSION_COUNT; k++)
		(void) json_array_append_new(list, json_string(versions[k]));
	azure_answer_json(call, 200, json_pack("{s:o}", "apiVersions", list));
}

/* ---- requests ---- */

RESULT azure_read_query(struct call *call, struct pairs *ret_query)
{
	static const struct pairs_rules rules = {
		.noun = "query", .count_max = QUERY_PAIRS_MAX, .form = PAIRS_IGNORE_CASE};
	return pairs_parse(&call->ctx, &rules, call->query, STR_NONE, ret_query);
}

static bool is_version(struct str text)
{
	for (size_t k = 0; k < VERSION_COUNT; k++)
		if (str_is(text, versions[k]))
			return true;
	return false;
}

/* Checks the header and the API version; false: it has answered. */
static bool check_request(struct call *call, bool needs_version, struct pairs *ret_query)
{
	struct str version;
	if (!str_equal_nocase(str_trim(call_header(call, "Metadata")), STR("true"))) {
		azure_fail(call, 400, "invalid_request", "Required metadata header not specified");
		return false;
	}
	if (call_header(call, "X-Forwarded-For").p) {
		azure_fail(call, 400, "invalid_request", "Requests with X-Forwarded-For are not served");
		return false;
	}
	if (!result_is_ok(azure_read_query(call, ret_query))) {
		azure_fail(call, 400, NULL, "Bad request. The query cannot be read.");
		return false;
	}
	version = pairs_find(ret_query, "api-version");
	if (needs_version && !is_version(version)) {
		fail_version(call, !version.n);
		return false;
	}
	return true;
}

/* ---- /metadata/instance ---- */

/* Finds the part that the path names; borrowed. NULL: there is none. */
static const json_t *find_part(const json_t *document, const struct strs *path)
{
	const json_t *at = document, *value;
	for (size_t k = 0; k < path->count && at; k++) {
		int64_t index = 0;
		const char *key;
		const json_t *next = NULL;
		if (json_is_array(at) && result_is_ok(str_parse_int(path->at[k], &index)) && index >= 0)
			next = json_array_get(at, (size_t) index);
		if (json_is_object(at)) {
			void *iter = json_object_iter((json_t *) at);
			for (; iter && !next; iter = json_object_iter_next((json_t *) at, iter)) {
				key = json_object_iter_key(iter);
				value = json_object_iter_value(iter);
				next = str_equal_nocase(str_from(key), path->at[k]) ? value : NULL;
			}
		}
		at = next;
	}
	return at;
}

static void add_line(struct buf *b, struct str name, const json_t *value)
{
	if (b->size)
		buf_add_char(b, '\n');
	buf_add_str(b, name);
	if (!json_is_string(value))
		buf_add_char(b, '/');
}

/* Answers a leaf as text, or a listing of names. */
static void answer_text(struct call *call, const json_t *part)
{
	struct buf body;
	const char *key;
	json_t *value;
	size_t index;
	buf_init(&body, BUF_ANSWER_CAP);
	if (json_is_string(part))
		buf_add(&body, json_string_value(part), json_string_length(part));
	json_object_foreach ((json_t *) part, key, value)
		add_line(&body, str_from(key), value);
	json_array_foreach (part, index, value)
		add_line(&body, str_print(call->ctx.arena, "%zu", index), value);
	call_answer(call, 200, "text/plain; charset=utf-8", &body);
}

static void answer_instance(struct call *call, const struct imds_facts *s, const struct strs *path,
			    const struct pairs *query)
{
	struct str format = pairs_find(query, "format");
	bool is_extended = str_equal_nocase(pairs_find(query, "extended"), STR("true"));
	bool is_text = str_equal_nocase(format, STR("text"));
	json_t *document = azure_make_document(s, is_extended);
	const json_t *part = document ? find_part(document, path) : NULL;
	if (!document)
		azure_fail(call, 500, NULL, "Internal server error");
	else if (!is_text && format.n && !str_equal_nocase(format, STR("json")))
		azure_fail(call, 400, NULL, "Bad request. The format is json or text.");
	else if (!part)
		azure_fail(call, 404, NULL, "Not found");
	else if (is_text)
		answer_text(call, part);
	else if (json_is_string(part))
		azure_fail(call, 400, NULL, "Bad request. A leaf is told with format=text alone.");
	else
		azure_answer_json(call, 200, json_incref((json_t *) part));
	json_decref(document);
}

/* ---- /metadata/scheduledevents ---- */

static const char *type_of(const struct instance_event *e)
{
	switch (e->code) {
	case INSTANCE_EVENT_CODE_SYSTEM_REBOOT:
		return "Reboot";
	case INSTANCE_EVENT_CODE_INSTANCE_STOP:
		return "Redeploy"; /* guessed: Azure has no event for a stop */
	case INSTANCE_EVENT_CODE_SYSTEM_MAINTENANCE:
		break;
	}
	return "Freeze";
}

static json_t *json_of_event(const struct imds_facts *s)
{
	const struct instance_event *e = s->event;
	bool has_begun = e->stage == INSTANCE_EVENT_STAGE_BEGUN;
	bool is_frozen = e->code == INSTANCE_EVENT_CODE_SYSTEM_MAINTENANCE;
	char time[CLOCK_TEXT_SIZE];
	return json_pack("{s:o, s:s, s:s, s:[o], s:s, s:s, s:o, s:s, s:i}", "EventId",
			 azure_json_of(uuid_to_str(s->arena, e->row.id)), "EventStatus",
			 has_begun ? "Started" : "Scheduled", "EventType", type_of(e), "Resources",
			 azure_json_of(s->azure_name), "ResourceType", "VirtualMachine", "NotBefore",
			 has_begun ? "" : clock_write_http(e->not_before_us, time), "Description",
			 azure_json_of(e->description), "EventSource", "Platform", "DurationInSeconds",
			 is_frozen ? 9 : -1);
}

/* Answers the scheduled events. DocumentIncarnation changes with their content. */
static void answer_events(struct call *call, const struct imds_facts *s)
{
	bool has_one = s->event && !s->event->ended_us;
	json_t *events = json_array();
	if (has_one)
		(void) json_array_append_new(events, json_of_event(s));
	azure_answer_json(call, 200,
			  json_pack("{s:I, s:o}", "DocumentIncarnation",
				    s->event ? (json_int_t) (s->event->row.updated_us / SECOND) : 0, "Events",
				    events));
}

struct acknowledgement {
	struct event_start wish;
	struct api_change change;
};

static bool reads_event(const struct imds_facts *s, struct str body)
{
	json_t *document = json_loadb(body.p ? body.p : "", body.n, JSON_REJECT_DUPLICATES, NULL);
	const json_t *requests = json_object_get(document, "StartRequests");
	bool is_found = false;
	for (size_t k = 0; k < json_array_size(requests) && k < EVENTS_MAX; k++) {
		uuid id = UUID_NONE;
		const char *text = json_string_value(json_object_get(json_array_get(requests, k), "EventId"));
		is_found = is_found || (s->event && result_is_ok(uuid_parse_asked(str_from(text), &id)) &&
					uuid_equal(id, s->event->row.id));
	}
	json_decref(document);
	return is_found;
}

static void answer_acknowledged(struct call *call, struct result result)
{
	if (result_is_ok(result))
		azure_answer_text(call, 200, content_type, STR_NONE);
	else
		azure_fail(call, 500, NULL, "Internal server error");
}

/* Starts an event at once that the guest has approved. */
static void acknowledge(struct metadata *m, struct call *call, const struct imds_facts *s)
{
	struct acknowledgement *k = arena_new_object(call->ctx.arena, struct acknowledgement);
	call->action = "scheduledevents";
	if (!reads_event(s, call->body)) {
		azure_fail(call, 400, NULL, "Bad request. StartRequests name no event of this machine.");
		return;
	}
	if (!k) {
		azure_fail(call, 500, NULL, "Internal server error");
		return;
	}
	k->wish = (struct event_start){.event = s->event->row.id};
	k->change = (struct api_change){
		.action = "metadata:scheduledevents", .run = engine_start_event_run, .wish = &k->wish};
	api_commit(call, m->config.store, &k->change, answer_acknowledged);
}

/* ---- the whole ---- */

static bool is_path(const struct strs *path, const char *first, const char *second, const char *third)
{
	const char *const parts[] = {first, second, third};
	size_t count = third ? 3 : second ? 2 : 1;
	for (size_t k = 0; k < count; k++)
		if (path->count != count || !str_equal_nocase(path->at[k], str_from(parts[k])))
			return false;
	return true;
}

void azure_answer_metadata(struct metadata *m, struct call *call, const struct imds_facts *s,
			   const struct strs *path)
{
	struct pairs query = {0};
	bool is_events = is_path(path, "scheduledevents", NULL, NULL);
	bool is_versions = is_path(path, "versions", NULL, NULL);
	bool is_read = call->method == HTTP_GET || call->method == HTTP_HEAD;
	call->action = "azure";
	if (!check_request(call, !is_versions, &query))
		return;
	if (!is_read && !(is_events && call->method == HTTP_POST)) {
		call_set_answer_header(call, "Allow", is_events ? STR("GET, POST") : STR("GET"));
		azure_fail(call, 405, NULL, "Method not allowed");
	} else if (is_events) {
		if (is_read)
			answer_events(call, s);
		else
			acknowledge(m, call, s);
	} else if (is_versions) {
		answer_versions(call);
	} else if (path->count && str_equal_nocase(path->at[0], STR("instance"))) {
		const struct strs below = {path->at + 1, path->count - 1};
		answer_instance(call, s, &below, &query);
	} else if (is_path(path, "attested", "document", NULL)) {
		azure_answer_attested(m, call, s, &query);
	} else if (is_path(path, "identity", "oauth2", "token")) {
		azure_answer_token(m, call, s, &query);
	} else {
		azure_fail(call, 404, NULL, "Not found");
	}
}
