/* SPDX-License-Identifier: Apache-2.0
 * Implements EventBridge's protocol for api/core: one path, a header that names the action, JSON in and out. */
#include "api/events/events.h"

#include "api/core/dump.h"
#include "api/events/internal.h"

#define BUS "default"

bool events_has_call(const struct call *call)
{
	return str_contains(call_header(call, "Authorization"), STR("/events/aws4_request"));
}

/* ---- for all actions ---- */

RESULT events_fail(struct events_call *e, const char *field, const char *words, struct str value)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "%s%" STR_FMT, words,
			      STR_ARG(str_cut(value, 512)));
}

struct str events_write_bus_arn(struct events_call *e)
{
	return engine_write_event_arn(events_tables(e), e->c->arena, e->config->region,
				      e->c->who->account_number, KIND_BUS_EVENT, NULL);
}

RESULT events_check_bus(struct events_call *e, struct str bus)
{
	if (!bus.n || str_is(bus, BUS) || str_equal(bus, events_write_bus_arn(e)))
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_BUS_EVENT, "Event bus %" STR_FMT " does not exist.",
			     STR_ARG(str_cut(bus, 256)));
}

RESULT events_read_page(struct events_call *e, struct events_page *page)
{
	if (!page->token.n || result_is_ok(str_decode_base64url(e->c->arena, page->token, &page->behind)))
		return OK;
	return events_fail(e, "NextToken", "Invalid NextToken: ", page->token);
}

void events_write_token(struct events_call *e, struct json_writer *w, struct str last)
{
	json_write_text(w, "NextToken", str_encode_base64url(e->c->arena, last));
}

/* ---- from request to action ---- */

static const struct target_service service = {.prefix = "AWSEvents.", .name = "EventBridge"};

static RESULT find(struct api_call *core)
{
	return target_find(core, &service, &events_call_of(core)->body);
}

static RESULT prepare(struct api_call *core)
{
	struct events_call *e = events_call_of(core);
	TRY(target_read_args(core, e->body));
	return events_action_of(e)->prepare ? events_action_of(e)->prepare(e, e->args) : OK;
}

static void end_request(struct api_call *core)
{
	struct events_call *e = events_call_of(core);
	json_decref(e->body);
	e->body = NULL;
}

static RESULT write_answer(struct api_call *core, struct buf *body)
{
	struct events_call *e = events_call_of(core);
	struct json_writer w;
	json_write_begin(&w, body);
	json_write_open(&w, NULL);
	if (events_action_of(e)->answer)
		TRY(events_action_of(e)->answer(e, e->args, &w));
	json_write_close(&w);
	return json_write_end(&w);
}

static const struct api_actions *const groups[] = {&events_rule_actions, &events_target_actions,
						   &events_bus_actions, &events_tag_actions};
static const struct api_groups action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol events_protocol = {
	.name = "events",
	.content_type = "application/x-amz-json-1.1",
	.call_size = sizeof(struct events_call),
	.groups = &action_groups,
	.errors = &events_errors,
	.find = find,
	.prepare = prepare,
	.end_request = end_request,
	.write = write_answer,
	.word_problem = target_word_problem,
	.write_problem = target_write_problem,
};

/* ---- for the documentation ---- */

void events_dump_actions(struct buf *out)
{
	target_dump_actions(out, "events", &action_groups);
}

void events_write_coverage(struct buf *out)
{
	api_write_coverage(out, &action_groups);
}
