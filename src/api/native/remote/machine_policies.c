/* SPDX-License-Identifier: Apache-2.0
 * Machine policies: rules about machines here and elsewhere. ?dry=1 tells which machines a policy would find, why, and what
 * would happen to them when. The engine has the rules (engine/machine_policy/). */
#include "api/native/write.h"

#include "base/time_zone.h"
#include "engine/machine_policy/machine_policy.h"

struct policy_args {
	struct machine_policy_wish wish;
	const struct str *rule, *scope, *act, *power, *event;
	bool may_list_here, may_list_elsewhere; /* the kinds that a preview shows to the caller */
};
#define EVENTS "state_changed|power_drift|vanished|tag_missing"
#define P(name, member, ...) PARAM(struct policy_args, name, member, __VA_ARGS__)
#define NUMBER(name, most, ...)                                                                              \
	PARAM(struct policy_args, #name, wish.number.name, .max = (most),                                    \
	      .given = offsetof(struct policy_args, wish.given.name) + 1, __VA_ARGS__)
#define POLICY_ROWS                                                                                          \
	P("description", wish.description, .max = 255, .doc = "Description: free text."),                    \
		P("scope", scope, .words = "all|here|elsewhere",                                             \
		  .doc = "Machines of this region, machines of providers, or both; absent: both."),          \
		P("provider", wish.provider, .kind = KIND_PROVIDER, .flags = BY_NAME,                        \
		  .doc = "Only machines of this provider."),                                                 \
		P("tag_key", wish.tag_key, .max = 255,                                                       \
		  .doc = "Tag key that machines must have to be checked."),                                  \
		P("tag_value", wish.tag_value, .max = 255, .doc = "Value of the tag; empty: any."),          \
		P("act", act, .words = "none|stop|terminate|correct",                                        \
		  .doc = "Action on a machine that violates the rule; absent: report only. correct is for "  \
			 "power_state."),                                                                    \
		P("date_tag", wish.date_tag, .max = 255,                                                     \
		  .doc = "retirement: tag with the date of the machine, such as 2026-12-24."),               \
		NUMBER(age_days, POLICY_DAYS_MAX, .doc = "retirement: days after creation or launch."),      \
		NUMBER(warn_days, POLICY_DAYS_MAX,                                                           \
		       .doc = "retirement: days before the date at which the machine is reported."),         \
		P("stop_at", wish.stop_at, .max = 255,                                                       \
		  .doc = "schedule: stop times in cron format with five fields, such as 0 20 * * 1-5."),     \
		P("start_at", wish.start_at, .max = 255, .doc = "schedule: start times in cron format."),    \
		P("timezone", wish.timezone, .max = 64,                                                      \
		  .doc = "schedule: time zone, such as Asia/Seoul; absent: UTC."),                           \
		P("keys", wish.keys, .max = POLICY_KEYS_MAX,                                                 \
		  .given = offsetof(struct policy_args, wish.given.keys) + 1,                                \
		  .doc = "required_tags, and event with tag_missing: keys that each machine must have."),    \
		P("event", event, .words = EVENTS, .doc = "event: what begins a run of the playbook."),      \
		NUMBER(runs_per_hour, POLICY_RUNS_PER_HOUR_MAX,                                              \
		       .doc = "event: runs that the policy begins in an hour at most; absent: 10."),         \
		NUMBER(grace_hours, POLICY_GRACE_MAX_H,                                                      \
		       .doc = "required_tags and power_state: hours between report and action."),            \
		P("power", power, .words = "running|stopped",                                                \
		  .doc = "power_state: required state of the machines."),                                    \
		P("playbook", wish.playbook, .max = PLAYBOOK_NAME_MAX,                                       \
		  .doc = "provisioned, event and retirement: playbook of the operator that Ansible runs "    \
			 "after a machine was made, on the event, or before a machine is retired, such as "  \
			 "register.yml."),                                                                   \
		NUMBER(playbook_limit_s, PLAYBOOK_LIMIT_MAX_S,                                               \
		       .doc = "Seconds after which a run is killed; absent: 600."),                          \
		NUMBER(check_s, POLICY_CHECK_MAX_S,                                                          \
		       .doc = "Seconds between two checks, at least 60 except for administrators; absent: "  \
			      "60."),                                                                        \
		P("is_active", wish.is_active, .doc = "false: suspends the policy.")
static const struct param create_params[] = {
	P("name", wish.name, .min = 1, .max = 64, .flags = REQUIRED, .doc = "Name; unique in the account."),
	P("rule", rule, .words = "retirement|schedule|required_tags|power_state|provisioned|event",
	  .flags = REQUIRED, .doc = "Rule that the policy checks."),
	P("account", wish.account, .kind = KIND_ACCOUNT, .flags = BY_NAME,
	  .doc = "Owning account; for administrators."),
	POLICY_ROWS,
};
static const struct param change_params[] = {
	P("name", wish.name, .min = 1, .max = 64, .doc = "Name; unique in the account."), POLICY_ROWS};

static int place_of(const char *const *words, const struct str *word)
{
	return word ? 1 + native_place_of_word(words, *word) : 0;
}

/* A policy finds machines for its account; a preview shows them only to callers who may list them. */
static RESULT prepare_preview(struct native_call *e, struct policy_args *a)
{
	a->wish.is_preview = e->dry;
	if (!e->dry)
		return OK;
	TRY(native_may_read(e, KIND_INSTANCE, &a->may_list_here));
	return native_may_read(e, KIND_REMOTE_MACHINE, &a->may_list_elsewhere);
}

static RESULT prepare_policy(struct native_call *e, void *args)
{
	struct policy_args *a = args;
	const struct time_zone *zone = NULL;
	a->wish.rule = place_of(machine_policy_rule_words, a->rule);
	a->wish.scope = place_of(machine_policy_scope_words, a->scope);
	a->wish.act = place_of(machine_policy_act_words, a->act);
	a->wish.power = place_of(machine_policy_power_words, a->power);
	a->wish.event = place_of(machine_policy_event_words, a->event);
	TRY(prepare_preview(e, a));
	if (!a->wish.timezone)
		return OK;
	struct result result = time_zone_load(e->c, *a->wish.timezone, &zone);
	if (result.code == ERR_INVALID)
		e->c->problem.field = STR("timezone");
	return result;
}

static void tell_machine(const struct policy_would *would, struct json_writer *w)
{
	json_write_open(w, NULL);
	json_write_z(w, "kind", would->is_here ? "instance" : "remote_machine");
	json_write_uuid(w, "id", would->id);
	if (would->ref.n)
		json_write_text(w, "ref", would->ref);
	json_write_text(w, "name", would->name);
	json_write_text(w, "reason", would->verdict.reason);
	json_write_z(w, "act", policy_finding_act_words[would->verdict.act]);
	if (would->verdict.due_us)
		json_write_int(w, "due_us", would->verdict.due_us);
	json_write_close(w);
}

static void tell_policy(struct native_call *e, const void *args, struct json_writer *w)
{
	const struct policy_args *a = args;
	const struct machine_policy_wish *wish = &a->wish;
	(void) e;
	if (!wish->is_preview)
		return;
	json_write_int(w, "found", (int64_t) wish->found);
	json_write_open_list(w, "machines");
	for (size_t k = 0; k < wish->would_count; k++)
		if (wish->would[k].is_here ? a->may_list_here : a->may_list_elsewhere)
			tell_machine(&wish->would[k], w);
	json_write_close_list(w);
}

static const struct native_action actions[] = {
	CREATE("/machine-policies", "dari:CreateMachinePolicy", MACHINE_POLICY,
	       .args = PARAMS(struct policy_args, create_params), .prepare = prepare_policy,
	       .operation = engine_create_machine_policy_run, .tell = tell_policy,
	       .doc = "Creates a policy that checks machines here and elsewhere by a rule. With ?dry=1, "
		      "`machines` lists the violations that the caller may see."),
	CHANGE(PATCH, "/machine-policies/{id}", "dari:ModifyMachinePolicy", MACHINE_POLICY,
	       .args = PARAMS(struct policy_args, change_params),
	       .target = NATIVE_AT(policy_args, wish.policy), .prepare = prepare_policy,
	       .operation = engine_update_machine_policy_run, .tell = tell_policy,
	       .doc = "Changes, suspends or resumes a machine policy. An empty body with ?dry=1 previews its "
		      "actions."),
	DELETION("/machine-policies/{id}", "dari:DeleteMachinePolicy", MACHINE_POLICY, machine_policy_target,
		 policy, engine_delete_machine_policy_run,
		 .doc = "Deletes a machine policy and its findings. Its past actions stay."),
};
const struct api_actions native_machine_policies_actions = API_ACTIONS(actions);
