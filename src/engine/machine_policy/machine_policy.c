/* SPDX-License-Identifier: Apache-2.0
 * Machine policies: creation, change, deletion, and the preview that ?dry=1 shows. Called by: api/native/remote/. */
#include "engine/machine_policy/machine_policy.h"

#include <inttypes.h>

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/machine_policy/machine_policy_internal.h"
#include "engine/people/asker.h"
#include "model/schedule.h"
#include "store/instance.h"
#include "store/machine_policy.h"
#include "store/provider.h"
#include "store/remote_machine.h"

enum { TAG_TEXT_MAX = 255, TIMEZONE_MAX = 64 };

static RESULT fail(struct op *op, const char *field, const char *why)
{
	return ENGINE_FAIL(op, ERR_INVALID, KIND_MACHINE_POLICY, str_from(field), "%s", why);
}

/* ---- checks ---- */

static RESULT check_cron(struct op *op, const char *field, struct str text)
{
	struct schedule ignored;
	return !text.n || result_is_ok(schedule_read_cron(text, &ignored))
		       ? OK
		       : fail(op, field, "A time is the five fields of cron, such as 0 20 * * 1-5.");
}

static RESULT check_event(struct op *op, const struct machine_policy *p)
{
	bool has_keys = p->event == MACHINE_POLICY_EVENT_TAG_MISSING;
	if (p->event == MACHINE_POLICY_EVENT_NONE)
		return fail(op, "event", "A policy of events names the event.");
	if (!p->playbook.n)
		return fail(op, "playbook", "A policy of events names a playbook.");
	if (p->act != MACHINE_POLICY_ACT_NONE)
		return fail(op, "act", "A policy of events has no act: it runs its playbook.");
	if (has_keys != (p->keys.count > 0))
		return fail(op, "keys",
			    has_keys ? "The event tag_missing names the keys of tags."
				     : "Only the event tag_missing names keys of tags.");
	return p->event != MACHINE_POLICY_EVENT_VANISHED || p->scope == MACHINE_POLICY_SCOPE_ELSEWHERE
		       ? OK
		       : fail(op, "scope", "The event vanished concerns machines elsewhere alone.");
}

static RESULT check_rule(struct op *op, const struct machine_policy *p)
{
	bool is_correct = p->act == MACHINE_POLICY_ACT_CORRECT;
	switch (p->rule) {
	case MACHINE_POLICY_RULE_RETIREMENT:
		if (!p->date_tag.n && !p->age_days)
			return fail(op, "date_tag",
				    "A retirement policy names a tag with the date, or an age.");
		break;
	case MACHINE_POLICY_RULE_SCHEDULE:
		if (!p->stop_at.n && !p->start_at.n)
			return fail(op, "stop_at", "A schedule says when machines stop or start.");
		return p->act == MACHINE_POLICY_ACT_NONE
			       ? OK
			       : fail(op, "act", "A schedule has no act: it stops and starts machines.");
	case MACHINE_POLICY_RULE_PROVISIONED:
		if (!p->playbook.n)
			return fail(op, "playbook", "A policy of new machines names a playbook.");
		return p->act == MACHINE_POLICY_ACT_NONE
			       ? OK
			       : fail(op, "act",
				      "A policy of new machines has no act: it runs its playbook.");
	case MACHINE_POLICY_RULE_EVENT:
		return check_event(op, p);
	case MACHINE_POLICY_RULE_REQUIRED_TAGS:
		if (!p->keys.count)
			return fail(op, "keys", "A policy of required tags names their keys.");
		break;
	case MACHINE_POLICY_RULE_POWER_STATE:
		return is_correct || p->act == MACHINE_POLICY_ACT_NONE
			       ? OK
			       : fail(op, "act", "A policy of power states corrects them, or does nothing.");
	}
	return is_correct ? fail(op, "act", "Only a policy of power states corrects anything.") : OK;
}

/* Members of another rule would be accepted and ignored. Two of them have defaults, so that being given counts. */
static RESULT check_members(struct op *op, const struct machine_policy_wish *w,
			    const struct machine_policy *p)
{
	enum machine_policy_rule rule = p->rule;
	bool has_grace = rule == MACHINE_POLICY_RULE_REQUIRED_TAGS || rule == MACHINE_POLICY_RULE_POWER_STATE;
	const struct {
		const char *field;
		bool is_set;
		enum machine_policy_rule rule;
	} members[] = {{"date_tag", p->date_tag.n, MACHINE_POLICY_RULE_RETIREMENT},
		       {"age_days", p->age_days, MACHINE_POLICY_RULE_RETIREMENT},
		       {"warn_days", p->warn_days, MACHINE_POLICY_RULE_RETIREMENT},
		       {"stop_at", p->stop_at.n, MACHINE_POLICY_RULE_SCHEDULE},
		       {"start_at", p->start_at.n, MACHINE_POLICY_RULE_SCHEDULE},
		       {"timezone", w->timezone, MACHINE_POLICY_RULE_SCHEDULE},
		       {"keys", p->keys.count && rule != MACHINE_POLICY_RULE_EVENT,
			MACHINE_POLICY_RULE_REQUIRED_TAGS},
		       {"event", p->event != MACHINE_POLICY_EVENT_NONE, MACHINE_POLICY_RULE_EVENT},
		       {"runs_per_hour", w->given.runs_per_hour, MACHINE_POLICY_RULE_EVENT},
		       {"power", w->power, MACHINE_POLICY_RULE_POWER_STATE}};
	for (size_t k = 0; k < sizeof members / sizeof *members; k++)
		if (members[k].is_set && members[k].rule != rule)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_MACHINE_POLICY, str_from(members[k].field),
					   "%s belongs to policies of the rule %s.", members[k].field,
					   machine_policy_rule_words[members[k].rule]);
	bool has_playbook = rule == MACHINE_POLICY_RULE_PROVISIONED || rule == MACHINE_POLICY_RULE_EVENT ||
			    (rule == MACHINE_POLICY_RULE_RETIREMENT && p->act != MACHINE_POLICY_ACT_NONE);
	if (p->playbook.n && !has_playbook)
		return fail(op, "playbook",
			    "Only policies of new machines, of events, and of retirement with an act, run a "
			    "playbook.");
	if (w->given.playbook_limit_s && !p->playbook.n)
		return fail(op, "playbook_limit_s", "playbook_limit_s belongs to policies with a playbook.");
	return p->grace_hours && !has_grace
		       ? fail(op, "grace_hours", "grace_hours belongs to policies of tags and power states.")
		       : OK;
}

/* A file of the operator's directory, and no path, no option and no template. */
static RESULT check_playbook(struct op *op, struct str name)
{
	bool is_name = name.n <= PLAYBOOK_NAME_MAX && (!name.n || str_is_alphanumeric(name.p[0])) &&
		       !str_contains(name, STR(".."));
	for (size_t k = 0; k < name.n; k++)
		is_name &= str_is_alphanumeric(name.p[k]) || name.p[k] == '-' || name.p[k] == '_' ||
			   name.p[k] == '.';
	return is_name && (!name.n || str_ends_with(name, STR(".yml")) || str_ends_with(name, STR(".yaml")))
		       ? OK
		       : fail(op, "playbook",
			      "A playbook is the name of a file, such as register.yml: letters, digits and "
			      "._-.");
}

static RESULT check_texts(struct op *op, const struct machine_policy *p)
{
	TRY(engine_check_word(op, KIND_MACHINE_POLICY, p->name));
	if (p->tag_value.n && !p->tag_key.n)
		return fail(op, "tag_value", "A tag's value needs its key.");
	for (size_t k = 0; k < p->keys.count; k++)
		if (!p->keys.at[k].n || p->keys.at[k].n > TAG_TEXT_MAX)
			return fail(op, "keys", "A tag's key has 1 to 255 characters.");
	if (!p->timezone.n || p->timezone.n > TIMEZONE_MAX)
		return fail(op, "timezone", "A time zone's name has 1 to 64 characters.");
	if (!uuid_is_none(p->provider) && p->scope == MACHINE_POLICY_SCOPE_HERE)
		return fail(op, "provider", "A policy of this region's machines names no provider.");
	TRY(check_playbook(op, p->playbook));
	TRY(check_cron(op, "stop_at", p->stop_at));
	return check_cron(op, "start_at", p->start_at);
}

static RESULT check_numbers(struct op *op, const struct machine_policy *p)
{
	bool is_admin = identity_is_admin(op->ctx->who);
	const struct {
		const char *field;
		int64_t value, min, max;
	} numbers[] = {{"age_days", p->age_days, 0, POLICY_DAYS_MAX},
		       {"warn_days", p->warn_days, 0, POLICY_DAYS_MAX},
		       {"grace_hours", p->grace_hours, 0, POLICY_GRACE_MAX_H},
		       {"playbook_limit_s", p->playbook_limit_s, 1, PLAYBOOK_LIMIT_MAX_S},
		       {"runs_per_hour", p->runs_per_hour, 1, POLICY_RUNS_PER_HOUR_MAX},
		       {"check_s", p->check_s, is_admin ? 1 : POLICY_CHECK_MIN_S, POLICY_CHECK_MAX_S}};
	for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
		if (numbers[k].value < numbers[k].min || numbers[k].value > numbers[k].max)
			return ENGINE_FAIL(op, ERR_INVALID, KIND_MACHINE_POLICY, str_from(numbers[k].field),
					   "%s is %" PRId64 " to %" PRId64 ".", numbers[k].field,
					   numbers[k].min, numbers[k].max);
	return OK;
}

static RESULT check_name(struct op *op, const struct machine_policy *p)
{
	const struct machine_policy *other = machine_policy_find_by_account(op->head, p->account, p->name);
	return !other || uuid_equal(other->row.id, p->row.id)
		       ? OK
		       : ENGINE_FAIL(op, ERR_EXISTS, KIND_MACHINE_POLICY, STR("name"),
				     "The account has a machine policy '%" STR_FMT "' already.",
				     STR_ARG(p->name));
}

/* ---- wishes ---- */

static void take_text(const struct str *given, struct str *text)
{
	if (given)
		*text = *given;
}

static void take_number(bool is_given, int64_t given, int64_t *number)
{
	if (is_given)
		*number = given;
}

static RESULT take_provider(struct op *op, const struct machine_policy_wish *w, struct machine_policy *p)
{
	const struct row *row = NULL;
	if (!ref_is_given(&w->provider))
		return OK;
	TRY(engine_find_own(op->ctx, op->head, KIND_PROVIDER, &w->provider, &row));
	if (!uuid_equal(provider_of(row)->account, p->account))
		return engine_fail_not_found(op->ctx, KIND_PROVIDER, &w->provider);
	p->provider = row->id;
	return OK;
}

static void take_words(const struct machine_policy_wish *w, struct machine_policy *p)
{
	if (w->rule)
		p->rule = (enum machine_policy_rule)(w->rule - 1);
	if (w->scope)
		p->scope = (enum machine_policy_scope)(w->scope - 1);
	if (w->act)
		p->act = (enum machine_policy_act)(w->act - 1);
	if (w->event)
		p->event = (enum machine_policy_event)(w->event - 1);
	if (w->power)
		p->power = (enum machine_policy_power)(w->power - 1);
	take_text(w->name, &p->name);
	take_text(w->description, &p->description);
	take_text(w->tag_key, &p->tag_key);
	take_text(w->tag_value, &p->tag_value);
	take_text(w->date_tag, &p->date_tag);
	take_text(w->stop_at, &p->stop_at);
	take_text(w->start_at, &p->start_at);
	take_text(w->timezone, &p->timezone);
	take_text(w->playbook, &p->playbook);
}

static RESULT take_wish(struct op *op, const struct machine_policy_wish *w, struct machine_policy *p)
{
	bool is_changed = w->stop_at || w->start_at || w->timezone || w->is_active != CHOICE_DEFAULT;
	take_words(w, p);
	take_number(w->given.age_days, w->number.age_days, &p->age_days);
	take_number(w->given.warn_days, w->number.warn_days, &p->warn_days);
	take_number(w->given.grace_hours, w->number.grace_hours, &p->grace_hours);
	take_number(w->given.check_s, w->number.check_s, &p->check_s);
	take_number(w->given.playbook_limit_s, w->number.playbook_limit_s, &p->playbook_limit_s);
	if (w->is_active == CHOICE_YES && !p->is_active)
		p->since_us = op->now_us; /* machines that were made while the policy rested are left alone */
	take_number(w->given.runs_per_hour, w->number.runs_per_hour, &p->runs_per_hour);
	if (w->event)
		p->since_us = op->now_us;
	if (!p->runs_per_hour)
		p->runs_per_hour = POLICY_RUNS_PER_HOUR; /* a policy of a former version has none */
	choice_apply(w->is_active, &p->is_active);
	if (w->given.keys)
		p->keys = w->keys;
	if (is_changed) { /* times that were missed before are not made up for */
		p->next_us = 0;
		p->turn = MACHINE_POLICY_TURN_NONE;
		p->turn_us = 0;
	}
	TRY(take_provider(op, w, p));
	TRY(check_texts(op, p));
	TRY(check_numbers(op, p));
	TRY(check_rule(op, p));
	TRY(check_members(op, w, p));
	return check_name(op, p);
}

/* ---- preview ---- */

struct preview {
	struct op *op;
	const struct machine_policy *policy;
	struct machine_policy_wish *wish;
};

static struct str name_of(const struct policy_machine *m)
{
	const struct tag *tag = tags_find(m->tags, STR("Name"));
	struct str name = m->instance ? m->instance->name : m->remote->name;
	return tag && !name.n ? tag->value : name;
}

static RESULT preview_one(void *arg, const struct policy_machine *m)
{
	struct preview *v = arg;
	struct machine_policy_wish *w = v->wish;
	struct policy_text text;
	struct policy_verdict verdict =
		engine_weigh_policy(&text, v->policy, engine_find_policy_finding(v->op->head, v->policy, m),
				    m, v->op->now_us, true);
	if (!verdict.is_found)
		return OK;
	if (w->found++ >= POLICY_PREVIEW_MAX)
		return OK;
	struct arena *arena = v->op->ctx->arena;
	verdict.reason = str_copy(arena, verdict.reason);
	w->would[w->would_count++] =
		(struct policy_would){.is_here = m->instance,
				      .id = m->id,
				      .ref = m->remote ? str_copy(arena, m->remote->ref) : STR_NONE,
				      .name = str_copy(arena, name_of(m)),
				      .verdict = verdict};
	return arena_is_full(arena) ? ctx_no_memory(v->op->ctx) : OK;
}

static RESULT preview(struct op *op, const struct machine_policy *p, struct machine_policy_wish *wish)
{
	struct machine_policy next = *p;
	struct preview v = {op, &next, wish};
	next.is_active = true;
	wish->would = arena_new_array(op->ctx->arena, struct policy_would, POLICY_PREVIEW_MAX);
	if (!wish->would)
		return ctx_no_memory(op->ctx);
	TRY(machine_policy_find_next(op->ctx, &next, op->now_us, &next.next_us, &next.turn));
	return engine_visit_policy_machines(op->head, &next, preview_one, &v);
}

/* ---- operations ---- */

static RESULT write_policy(struct op *op, struct machine_policy_wish *wish, struct machine_policy *p,
			   const char *what)
{
	TRY(take_wish(op, wish, p));
	p->row.gen++;
	ASKER_NOTE(op, p);
	TRY(machine_policy_put(op, p));
	TRY(engine_log_event(op, KIND_MACHINE_POLICY, &p->row, what, "Rule: %s; action: %s.",
			     machine_policy_rule_words[p->rule], machine_policy_act_words[p->act]));
	return wish->is_preview ? preview(op, p, wish) : OK;
}

RESULT engine_create_machine_policy(struct op *op, struct machine_policy_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_owner_id(op, &wish->account, &account));
	struct machine_policy p = {.row.id = engine_new_id(op, KIND_MACHINE_POLICY),
				   .account = account,
				   .timezone = STR("UTC"),
				   .check_s = POLICY_CHECK_S,
				   .playbook_limit_s = PLAYBOOK_LIMIT_S,
				   .since_us = op->now_us,
				   .is_active = true};
	TRY(engine_permit_new(op, "machine_policy.create", KIND_MACHINE_POLICY, &p.row));
	TRY(limit_check(op, LIMIT_MACHINE_POLICIES, account, 1, STR_NONE));
	return write_policy(op, wish, &p, "created");
}

RESULT engine_update_machine_policy(struct op *op, struct machine_policy_wish *wish)
{
	const struct machine_policy *p = NULL;
	TRY(engine_permit_machine_policy(op, &wish->policy, "machine_policy.update", &p));
	struct machine_policy next = *p;
	return write_policy(op, wish, &next, "changed");
}

RESULT engine_delete_machine_policy(struct op *op, struct machine_policy_target *wish)
{
	const struct machine_policy *p = NULL;
	TRY(engine_permit_machine_policy(op, &wish->policy, "machine_policy.delete", &p));
	TRY(engine_log_event(op, KIND_MACHINE_POLICY, &p->row, "deleted", "Its findings are deleted, too."));
	return machine_policy_forget(op, p->row.id);
}
