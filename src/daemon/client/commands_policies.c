/* SPDX-License-Identifier: Apache-2.0
 * dari machine policy …: rules about machines here and elsewhere, and what they find. */
#include <inttypes.h>

#include "base/clock.h"
#include "daemon/client/ask.h"
#include "daemon/command.h"

/* ---- lists ---- */

static RESULT list_policies(struct asking *a)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	TRY(asking_list(a, "/machine-policies", "*", &rows));
	buf_print(&a->text, "%-20s %-14s %-9s %-10s %-6s %s\n", "name", "rule", "machines", "act", "active",
		  "next time");
	json_array_foreach (rows, k, row) {
		struct str name = asking_text(row, "name"), rule = asking_text(row, "rule"),
			   scope = asking_text(row, "scope"), act = asking_text(row, "act");
		buf_print(&a->text, "%-20.*s %-14.*s %-9.*s %-10.*s %-6s %s\n", STR_ARG(name), STR_ARG(rule),
			  STR_ARG(scope), STR_ARG(act), asking_bool(row, "is_active") ? "yes" : "no",
			  asking_time(a, row, "next_us", "-"));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

/* The machine's id as people know it: EC2's of an instance, or that of its cloud. */
static struct str machine_of(const json_t *finding, const json_t *remotes)
{
	struct str instance = asking_text(finding, "instance"), machine = asking_text(finding, "machine");
	const json_t *row = machine.n ? asking_find(remotes, machine) : NULL;
	return row ? asking_text(row, "ref") : machine.n ? machine : instance;
}

static RESULT list_findings(struct asking *a)
{
	const json_t *rows = NULL, *policies = NULL, *remotes = NULL;
	json_t *row = NULL;
	size_t k = 0;
	struct str wanted = asking_arg(a, "policy");
	TRY(asking_list(a, "/policy-findings", "*", &rows));
	TRY(asking_list(a, "/machine-policies", "id,name", &policies));
	TRY(asking_list(a, "/remote-machines", "id,ref", &remotes));
	buf_print(&a->text, "%-20s %-36s %-9s %-9s %-20s %s\n", "policy", "machine", "state", "act", "due",
		  "reason");
	json_array_foreach (rows, k, row) {
		struct str id = asking_text(row, "policy"), machine = machine_of(row, remotes),
			   state = asking_text(row, "state"), act = asking_text(row, "act"),
			   reason = asking_text(row, "reason"), problem = asking_text(row, "problem"),
			   name = asking_text(asking_find(policies, id), "name");
		if (wanted.n && !str_equal(wanted, name) && !str_equal(wanted, id))
			continue;
		buf_print(&a->text, "%-20.*s %-36.*s %-9.*s %-9.*s %-20s %" STR_FMT "%s%" STR_FMT "\n",
			  STR_ARG(name), STR_ARG(machine), STR_ARG(state), STR_ARG(act),
			  asking_time(a, row, "due_us", "-"), STR_ARG(reason), problem.n ? " " : "",
			  STR_ARG(problem));
		(void) json_array_append(a->value, row);
	}
	return OK;
}

/* ---- changes ---- */

static const struct carried members[] = {
	{"description", "description"},
	{"account", "account"},
	{"rule", "rule"},
	{"scope", "scope"},
	{"provider", "provider"},
	{"tag_key", "tag-key"},
	{"tag_value", "tag-value"},
	{"act", "act"},
	{"date_tag", "date-tag"},
	{"age_days", "age-days"},
	{"warn_days", "warn-days"},
	{"stop_at", "stop-at"},
	{"start_at", "start-at"},
	{"timezone", "timezone"},
	{"keys", "key", CARRY_LINES},
	{"grace_hours", "grace-hours"},
	{"power", "power"},
	{"event", "event"},
	{"playbook", "playbook"},
	{"playbook_limit_s", "playbook-limit-s"},
	{"check_s", "check-s"},
	{"is_active", "active", CARRY_CHOICE},
};

static RESULT find_policy(struct asking *a, const char **ret_path)
{
	const json_t *row = NULL;
	TRY(asking_find_named(a, "/machine-policies", "id,name", "machine policies", &row));
	*ret_path = asking_path(a, "/machine-policies", row, "");
	return *ret_path ? OK : ctx_no_memory(a->c);
}

/* Says what would happen to which machine, and why. */
static RESULT say_would(struct asking *a, const json_t *answer)
{
	const json_t *would = json_object_get(answer, "would");
	json_t *m = NULL;
	size_t k = 0;
	json_decref(a->value);
	a->value = json_deep_copy(would);
	buf_print(&a->text, "%-36s %-20s %-9s %-20s %s\n", "machine", "name", "act", "due", "reason");
	json_array_foreach (json_object_get(would, "machines"), k, m) {
		struct str ref = asking_text(m, "ref"), id = asking_text(m, "id"),
			   name = asking_text(m, "name"), act = asking_text(m, "act"),
			   reason = asking_text(m, "reason");
		buf_print(&a->text, "%-36.*s %-20.*s %-9.*s %-20s %" STR_FMT "\n",
			  STR_ARG((ref.n ? ref : id)), STR_ARG(name), STR_ARG(act),
			  asking_time(a, m, "due_us", "-"), STR_ARG(reason));
	}
	buf_print(&a->text, "%" PRId64 " machines\n", asking_int(would, "found"));
	return a->value ? OK : ctx_no_memory(a->c);
}

static RESULT send_policy(struct asking *a, const char *method, const char *path, const json_t *body,
			  const char *done)
{
	const json_t *answer = NULL;
	bool is_dry = json_is_true(json_object_get(a->args, "dry"));
	struct str name = asking_arg(a, "name");
	path = str_print(a->c->arena, "%s%s", path, is_dry ? "?dry=1" : "").p;
	TRY(asking_change(a, method, path, body, &answer));
	if (is_dry)
		return say_would(a, answer);
	buf_print(&a->text, "machine policy %" STR_FMT " %s\n", STR_ARG(name), done);
	asking_tell_nothing(a);
	return OK;
}

/* The operator sees providers of all accounts, whose names need not differ: the call gets an id. */
static RESULT put_provider(struct asking *a, json_t *body)
{
	const json_t *rows = NULL;
	json_t *row = NULL;
	size_t k = 0;
	struct str said = asking_arg(a, "provider");
	if (!said.n)
		return OK;
	TRY(asking_list(a, "/providers", "id,name", &rows));
	json_array_foreach (rows, k, row)
		if (str_equal(asking_text(row, "name"), said))
			(void) json_object_set(body, "provider", json_object_get(row, "id"));
	return OK;
}

static RESULT put_policy(struct asking *a, bool is_new)
{
	const char *path = "/machine-policies";
	if (!is_new)
		TRY(find_policy(a, &path));
	json_t *body = json_object();
	struct str name = asking_arg(a, "name");
	struct result result = asking_carry_all(a, members, sizeof members / sizeof *members, body);
	if (is_new)
		(void) json_object_set_new(body, "name", asking_json(name));
	if (result_is_ok(result))
		result = put_provider(a, body);
	if (result_is_ok(result))
		result = send_policy(a, is_new ? "POST" : "PATCH", path, body, is_new ? "added" : "changed");
	json_decref(body);
	return result;
}

static RESULT add_policy(struct asking *a)
{
	return put_policy(a, true);
}

static RESULT set_policy(struct asking *a)
{
	return put_policy(a, false);
}

static RESULT remove_policy(struct asking *a)
{
	const char *path = NULL;
	TRY(find_policy(a, &path));
	return send_policy(a, "DELETE", path, NULL, "removed");
}

/* ---- commands ---- */

#define NAME                                                                                                 \
	{                                                                                                    \
		"name", PARAM_POSITIONAL, true, "The policy's name."                                         \
	}
#define POLICY_OPTIONS                                                                                       \
	{"description", PARAM_OPTION, false, "Description: free text."},                                     \
		{"scope", PARAM_OPTION, false,                                                               \
		 "all (default), here or elsewhere: machines of this region, or of other clouds."},          \
		{"provider", PARAM_OPTION, false, "Only machines of this provider."},                        \
		{"tag-key", PARAM_OPTION, false, "Only machines with this tag."},                            \
		{"tag-value", PARAM_OPTION, false, "The tag's value (default: any)."},                       \
		{"act", PARAM_OPTION, false,                                                                 \
		 "Action: none (default), stop, terminate or correct. Schedules have none."},                \
		{"date-tag", PARAM_OPTION, false, "retirement: tag with the date, such as 2026-12-24."},     \
		{"age-days", PARAM_OPTION, false, "retirement: days after creation or launch."},             \
		{"warn-days", PARAM_OPTION, false, "retirement: days before the date to report it."},        \
		{"stop-at", PARAM_OPTION, false, "schedule: when to stop, five fields of cron."},            \
		{"start-at", PARAM_OPTION, false, "schedule: when to start."},                               \
		{"timezone", PARAM_OPTION, false, "schedule: Asia/Seoul (default: UTC)."},                   \
		{"key", PARAM_OPTION, false, "required_tags, event: a tag's key; may be repeated.",          \
		 .repeats = true},                                                                           \
		{"grace-hours", PARAM_OPTION, false,                                                         \
		 "required_tags, power_state: hours between report and action."},                            \
		{"power", PARAM_OPTION, false, "power_state: running (default) or stopped."},                \
		{"playbook", PARAM_OPTION, false,                                                            \
		 "provisioned, event, retirement: the operator's playbook, such as register.yml."},          \
		{"event", PARAM_OPTION, false,                                                               \
		 "event: state_changed, power_drift, vanished or tag_missing."},                             \
		{"playbook-limit-s", PARAM_OPTION, false,                                                    \
		 "Seconds after which a run of the playbook is killed (default: 600)."},                     \
		{"check-s", PARAM_OPTION, false, "Seconds between two checks (default: 60)."},               \
		{"active", PARAM_OPTION, false, "yes or no: whether the policy is checked."},                \
	{                                                                                                    \
		"dry", PARAM_FLAG, false, "Dry run: lists the machines that it would find, and why."         \
	}

const struct command policy_commands[] = {
	{"machine policy list", "Lists machine policies.", .ask = list_policies},
	{"machine policy findings",
	 "Lists machines that violate machine policies, and the actions taken.",
	 {{"policy", PARAM_OPTION, false, "Policy, by name or id (default: all)."}},
	 .ask = list_findings},
	{"machine policy add",
	 "Adds a rule about machines here and in other clouds.",
	 {{"name", PARAM_POSITIONAL, true, "Its name."},
	  {"rule", PARAM_OPTION, true,
	   "retirement, schedule, required_tags, power_state, provisioned or event."},
	  {"account", PARAM_OPTION, false, "The account that owns it (default: the caller's)."},
	  POLICY_OPTIONS},
	 .ask = add_policy},
	{"machine policy set", "Changes a machine policy.", {NAME, POLICY_OPTIONS}, .ask = set_policy},
	{"machine policy remove",
	 "Removes a machine policy and its findings. Its past actions stay.",
	 {NAME},
	 .ask = remove_policy},
	{0},
};
