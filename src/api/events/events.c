/* SPDX-License-Identifier: Apache-2.0
 * Implements EventBridge's protocol for api/core: one path, a header that names the action, JSON in and out. */
#include "api/events/events.h"

#include "api/core/dump.h"
#include "api/events/internal.h"

#define BUS "default"

bool events_has_call(const struct call *call)
{
	return target_is_for(call, "events");
}

/* ---- for all actions ---- */

RESULT events_fail(struct target_call *e, const char *field, const char *words, struct str value)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field), "%s%" STR_FMT, words,
			      STR_ARG(str_cut(value, 512)));
}

struct str events_write_bus_arn(struct target_call *e)
{
	return engine_write_event_arn(target_tables(e), e->c->arena, e->config->region,
				      e->c->who->account_number, KIND_BUS_EVENT, NULL);
}

RESULT events_check_bus(struct target_call *e, struct str bus)
{
	if (!bus.n || str_is(bus, BUS) || str_equal(bus, events_write_bus_arn(e)))
		return OK;
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_BUS_EVENT, "Event bus %" STR_FMT " does not exist.",
			     STR_ARG(str_cut(bus, 256)));
}

RESULT events_read_page(struct target_call *e, struct events_page *page)
{
	if (!page->token.n || result_is_ok(str_decode_base64url(e->c->arena, page->token, &page->behind)))
		return OK;
	return events_fail(e, "NextToken", "Invalid NextToken: ", page->token);
}

void events_write_token(struct target_call *e, struct json_writer *w, struct str last)
{
	json_write_text(w, "NextToken", str_encode_base64url(e->c->arena, last));
}

/* ---- from request to action ---- */

static const struct target_service service = {.prefix = "AWSEvents.", .name = "EventBridge"};

static RESULT find(struct api_call *core)
{
	return target_find(core, &service, &target_call_of(core)->body);
}

static const struct api_actions *const groups[] = {&events_rule_actions, &events_target_actions,
						   &events_bus_actions, &events_tag_actions};
static const struct api_groups action_groups = {groups, sizeof groups / sizeof groups[0]};

const struct api_protocol events_protocol = {
	.name = "events", .groups = &action_groups, .errors = &events_errors, .find = find, TARGET_PROTOCOL};

/* ---- for the documentation ---- */

void events_dump_actions(struct buf *out)
{
	target_dump_actions(out, "events", &action_groups);
}

void events_write_coverage(struct buf *out)
{
	api_write_coverage(out, &action_groups);
}
