/* SPDX-License-Identifier: Apache-2.0
 * The HostGAPlugin, to which an agent uploads the status of itself and its extensions. Guests are untrusted:
 * sizes and counts are bounded, and a guest changes only rows of its own instance. The document is JSON,
 * base64-encoded if the plugin is to forward it. Source: waagent 2.7.
 */
#include "api/core/park.h"
#include "api/metadata/azure.h"
#include "api/metadata/internal.h"
#include "base/vec.h"
#include "engine/instance/azure_guest.h"
#include "model/instance.h"

enum { WORD_MAX = 255 };

struct status_call {
	struct azure_status_report wish;
	struct api_change change;
};

/* ---- the document ---- */

static const json_t *member(const json_t *object, const char *name)
{
	return json_object_get(object, name);
}

/* Copies a text to the arena; anything else becomes empty. */
static struct str text_of(struct arena *a, const json_t *value, size_t most)
{
	struct str text = {json_string_value(value), json_string_length(value)};
	text = text.p && str_is_xml_text(text) ? text : STR_NONE;
	return str_copy(a, str_cut(text, most));
}

static struct str message_of(struct arena *a, const json_t *object, size_t most)
{
	const json_t *formatted = member(object, "formattedMessage");
	return text_of(a, formatted ? member(formatted, "message") : member(object, "message"), most);
}

static enum instance_extension_status status_of(struct str word)
{
	for (int k = 0; instance_extension_status_words[k]; k++)
		if (k != INSTANCE_EXTENSION_STATUS_NONE &&
		    str_equal_nocase(word, str_from(instance_extension_status_words[k])))
			return (enum instance_extension_status) k;
	return INSTANCE_EXTENSION_STATUS_TRANSITIONING;
}

static void read_handler(struct arena *a, const json_t *handler, struct extension_report *r)
{
	const json_t *settings = member(handler, "runtimeSettingsStatus");
	const json_t *status = member(member(settings, "settingsStatus"), "status");
	*r = (struct extension_report){.handler = text_of(a, member(handler, "handlerName"), WORD_MAX),
				       .handler_version =
					       text_of(a, member(handler, "handlerVersion"), WORD_MAX),
				       .handler_state = text_of(a, member(handler, "status"), WORD_MAX),
				       .handler_message = message_of(a, handler, AZURE_TEXT_MAX)};
	if (!json_is_object(status))
		return;
	r->has_status = true;
	r->sequence = json_integer_value(member(settings, "sequenceNumber"));
	r->code = json_integer_value(member(status, "code"));
	r->status = status_of(text_of(a, member(status, "status"), WORD_MAX));
	r->message = message_of(a, status, EXTENSION_MESSAGE_MAX);
}

/* Reads the status; false: not a status. */
static bool read_status(struct arena *a, const json_t *document, struct azure_status_report *r)
{
	const json_t *aggregate = member(document, "aggregateStatus"), *os = member(document, "guestOSInfo");
	const json_t *agent = member(aggregate, "guestAgentStatus");
	const json_t *handlers = member(aggregate, "handlerAggregateStatus");
	VEC(struct extension_report) extensions = {0};
	if (!json_is_object(agent))
		return false;
	if (!os) /* earlier agents put it here */
		os = member(aggregate, "guestOSInfo");
	r->agent_version = text_of(a, member(agent, "version"), WORD_MAX);
	r->agent_state = text_of(a, member(agent, "status"), WORD_MAX);
	r->os_name = text_of(a, member(os, "osName"), WORD_MAX);
	r->os_version = text_of(a, member(os, "osVersion"), WORD_MAX);
	for (size_t k = 0; k < json_array_size(handlers) && k < EXTENSIONS_OF_INSTANCE_MAX; k++) {
		struct extension_report extension;
		read_handler(a, json_array_get(handlers, k), &extension);
		if (!VEC_PUSH(a, &extensions, extension))
			return false;
	}
	r->extensions = extensions.at;
	r->extension_count = extensions.count;
	return !arena_is_full(a);
}

static bool parse_status(struct arena *a, struct str text, bool is_wrapped, struct azure_status_report *r)
{
	json_t *document = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	struct str inner = STR_NONE;
	bool is_read = false;
	if (is_wrapped) {
		const json_t *content = member(document, "content");
		struct str encoded = {json_string_value(content), json_string_length(content)};
		is_read = encoded.p && result_is_ok(str_decode_base64(a, encoded, &inner)) &&
			  parse_status(a, inner, false, r);
	} else {
		is_read = read_status(a, document, r);
	}
	json_decref(document);
	return is_read;
}

/* ---- uploads ---- */

/* Answers 201, like a blob store. */
static void answer_made(struct call *call, struct result result)
{
	if (result_is_ok(result))
		azure_answer_text(call, 201, "text/plain", STR_NONE);
	else
		azure_answer_reported(call, result);
}

static void take_status(struct metadata *m, struct call *call, const struct imds_facts *s, bool is_wrapped)
{
	struct status_call *u = arena_new_object(call->ctx.arena, struct status_call);
	if (!u || !parse_status(call->ctx.arena, call->body, is_wrapped, &u->wish)) {
		azure_answer_text(call, u && !arena_is_full(call->ctx.arena) ? 400 : 500, "text/plain",
				  STR_NONE);
		return;
	}
	u->wish.instance = s->instance->row.id;
	AUTO_VIEW view = {0};
	view_open(m->config.store, &view);
	bool is_new = engine_is_azure_status_new(view.tables, &u->wish);
	view_close(&view);
	if (!is_new) {
		azure_answer_text(call, is_wrapped ? 200 : 201, "text/plain", STR_NONE);
		return;
	}
	u->change = (struct api_change){
		.action = "metadata:status", .run = engine_report_azure_status_run, .wish = &u->wish};
	api_commit(call, m->config.store, &u->change, is_wrapped ? azure_answer_reported : answer_made);
}

bool azure_answer_host(struct metadata *m, struct call *call, const struct imds_facts *s)
{
	struct str path = call->path;
	bool is_put = call->method == HTTP_PUT, is_get = call->method == HTTP_GET;
	if (is_put && str_is(path, "/status"))
		take_status(m, call, s, true);
	else if (is_put && str_is(path, "/dari/status")) /* status blob: the agent expects 201 */
		take_status(m, call, s, false);
	else if (is_get && str_is(path, "/versions"))
		azure_answer_text(call, 200, "application/json; charset=utf-8", STR("[\"2015-09-01\"]"));
	else if ((is_get && str_is(path, "/health")) || (is_put && str_is(path, "/vmAgentLog")))
		azure_answer_text(call, 200, "text/plain", STR_NONE);
	else if (is_get && str_is(path, "/vmSettings")) /* not supported: the goal state has all settings */
		azure_answer_text(call, 404, "text/plain", STR_NONE);
	else
		return false;
	return true;
}
