/* SPDX-License-Identifier: Apache-2.0
 * Rules of the default event bus: ARNs, patterns, and the operations that put, switch and delete rules. Called by: api/events. Source:
 * Amazon EventBridge API Reference. */
#include <jansson.h>

#include "base/buf.h"
#include "engine/acting.h"
#include "engine/events/events_internal.h"
#include "engine/limits.h"
#include "engine/messaging/json_pattern.h"
#include "engine/people/policy/iam_role.h"
#include "engine/region/region.h"
#include "engine/tag_internal.h"

/* ---- ARNs ---- */

bool engine_is_event_kind(enum kind kind)
{
	return kind == KIND_EVENT_RULE || kind == KIND_EVENT_TARGET || kind == KIND_BUS_EVENT ||
	       kind == KIND_EVENT_DELIVERY;
}

struct str engine_write_event_arn(const struct tables *t, struct arena *a, struct str region,
				  struct str account_number, enum kind kind, const struct row *row)
{
	const struct event_rule *rule = kind == KIND_EVENT_RULE ? event_rule_of(row)
					: kind == KIND_EVENT_TARGET && row
						? event_rule_find(t, event_target_of(row)->event_rule)
						: NULL;
	if (kind == KIND_BUS_EVENT || kind == KIND_EVENT_DELIVERY)
		return str_print(a, "arn:aws:events:%" STR_FMT ":%" STR_FMT ":event-bus/default",
				 STR_ARG(region), STR_ARG(account_number));
	return str_print(a, "arn:aws:events:%" STR_FMT ":%" STR_FMT ":rule/%" STR_FMT, STR_ARG(region),
			 STR_ARG(account_number), STR_ARG(rule ? rule->name : STR("*")));
}

struct str engine_find_event_rule_arn(const struct tables *t, struct arena *a, const struct event_rule *rule)
{
	struct str number = engine_account_number(t, rule->account);
	return engine_write_event_arn(t, a, engine_get_region_name(t), number, KIND_EVENT_RULE, &rule->row);
}

/* ---- patterns ---- */

#define WORDS "Event pattern is not valid. Reason: "
static const struct json_pattern_dialect dialect = {.field = "EventPattern",
						    .words = WORDS,
						    .numeric_words = WORDS,
						    .complex_words = "Rule is too complex",
						    .number_max = 5e9,
						    .precision = 1e6,
						    .is_wide = true};

json_t *event_read_object(struct str text)
{
	json_t *document = json_loadb(text.p ? text.p : "", text.n, JSON_REJECT_DUPLICATES, NULL);
	if (json_is_object(document))
		return document;
	json_decref(document);
	return NULL;
}

RESULT engine_check_event_pattern(struct ctx *c, struct str pattern)
{
	json_t *document = event_read_object(pattern);
	struct result result = document ? json_pattern_check(c, &dialect, document)
					: ctx_fail_field(c, ERR_INVALID, STR("EventPattern"),
							 WORDS "Filter is not an object");
	json_decref(document);
	return result;
}

bool event_matches(struct str pattern, const json_t *document)
{
	json_t *level = event_read_object(pattern);
	bool matches = level && document && json_pattern_matches(&dialect, level, document);
	json_decref(level);
	return matches;
}

bool engine_matches_event(struct str pattern, struct str event)
{
	json_t *document = event_read_object(event);
	bool matches = event_matches(pattern, document);
	json_decref(document);
	return matches;
}

/* ---- put ---- */

static RESULT check_rule(struct op *op, const struct event_rule *next)
{
	if (!next->pattern.n && !next->schedule.n)
		return ENGINE_FAIL(op, ERR_MISSING, KIND_EVENT_RULE, STR("ScheduleExpression"),
				   "Parameter(s) EventPattern or ScheduleExpression must be specified.");
	if (next->pattern.n)
		TRY(engine_check_event_pattern(op->ctx, next->pattern));
	return next->schedule.n ? engine_check_event_schedule(op->ctx, next->schedule) : OK;
}

/* Tags of a rule that exists are left alone, as EventBridge does. */
static void apply(struct op *op, struct event_rule *next, const struct event_rule *wanted)
{
	bool is_new_schedule = !str_equal(next->schedule, wanted->schedule);
	bool is_woken = next->is_disabled && !wanted->is_disabled;
	next->description = wanted->description;
	next->pattern = wanted->pattern;
	next->schedule = wanted->schedule;
	next->is_disabled = wanted->is_disabled;
	next->role = wanted->role;
	if (is_new_schedule || is_woken)
		next->next_us = event_schedule_next(next->schedule, op->now_us, op->now_us);
	if (next->is_disabled)
		next->next_us = 0;
	next->row.gen++;
}

RESULT engine_put_event_rule(struct op *op, struct event_rule_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	uuid owner = account;
	const struct event_rule *present = event_rule_find_by_account(op->head, owner, wish->row.name);
	struct event_rule next = {.account = owner,
				  .name = wish->row.name,
				  .made_by = op->ctx->who ? op->ctx->who->user : UUID_NONE};
	TRY(present ? engine_permit(op, "event_rule.put", KIND_EVENT_RULE, &present->row)
		    : engine_permit_new(op, "event_rule.put", KIND_EVENT_RULE, &next.row));
	TRY(check_rule(op, &wish->row));
	TRY(tag_normalize(op, wish->row.tags, &next.tags));
	if (wish->row.role.n)
		TRY(iam_role_permit_pass(op, owner, wish->row.role, STR(EVENTS_PRINCIPAL), KIND_EVENT_RULE,
					 STR("RoleArn")));
	if (present)
		next = *present;
	else
		TRY(limit_check(op, LIMIT_EVENT_RULES, owner, 1, STR_NONE));
	if (!present)
		next.row.id = engine_new_id(op, KIND_EVENT_RULE);
	apply(op, &next, &wish->row);
	wish->made = next.row.id;
	return event_rule_put(op, &next);
}

/* ---- others ---- */

RESULT engine_set_event_rule(struct op *op, struct event_rule_target *wish)
{
	const struct event_rule *rule = NULL;
	TRY(engine_permit_event_rule(op, &wish->rule,
				     wish->is_disabled ? "event_rule.disable" : "event_rule.enable", &rule));
	struct event_rule next = *rule, wanted = *rule;
	wanted.is_disabled = wish->is_disabled;
	apply(op, &next, &wanted);
	return event_rule_put(op, &next);
}

RESULT engine_delete_event_rule(struct op *op, struct event_rule_target *wish)
{
	const struct event_rule *rule = NULL;
	TRY(engine_permit_event_rule(op, &wish->rule, "event_rule.delete", &rule));
	if (event_target_first_by_event_rule(op->head, rule->row.id))
		return ENGINE_FAIL(op, ERR_IN_USE, KIND_EVENT_RULE, STR("Name"),
				   "Rule can't be deleted since it has targets.");
	return event_rule_forget(op, rule->row.id);
}

RESULT engine_fire_event_rule(struct op *op, struct event_firing *wish)
{
	const struct event_rule *rule = event_rule_find(op->head, wish->rule);
	if (!rule || rule->is_disabled || !rule->next_us || rule->next_us > op->now_us)
		return OK;
	struct event_rule next = *rule;
	struct str arn = engine_find_event_rule_arn(op->head, op->ctx->arena, rule);
	struct bus_event made = {.row = {.id = engine_new_id(op, KIND_BUS_EVENT), .gen = 1},
				 .account = rule->account,
				 .event_rule = rule->row.id,
				 .at_us = rule->next_us,
				 .source = STR("aws.events"),
				 .detail_type = STR("Scheduled Event"),
				 .resources = {&arn, 1},
				 .detail = STR("{}")};
	next.next_us = event_schedule_next(rule->schedule, rule->next_us, op->now_us);
	TRY(event_rule_put(op, &next));
	if (result_is_ok(limit_check(op, LIMIT_BUS_EVENTS, next.account, 1, STR_NONE)))
		return bus_event_put(op, &made);
	ctx_clear_problem(op->ctx);
	return OK;
}
