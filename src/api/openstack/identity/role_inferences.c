/* SPDX-License-Identifier: Apache-2.0
 * Implied roles. Source: Identity API reference, "Roles". */
#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "engine/people/policy/role.h"
#include "store/role.h"

/* Writes id, name and link of a role. */
static void write_short(struct os_call *e, struct json_writer *w, const char *key, const struct role *role)
{
	json_write_open(w, key);
	os_write_hex(w, "id", role->row.id);
	json_write_text(w, "name", role->name);
	os_write_self(e, w, "roles", role->row.id);
	json_write_close(w);
}

static void write_implied(struct os_call *e, struct json_writer *w, const struct role *prior)
{
	write_short(e, w, "prior_role", prior);
	json_write_open_list(w, "implies");
	for (size_t k = 0; k < prior->implies.count; k++) {
		const struct role *implied = role_find(os_tables(e), prior->implies.at[k]);
		if (implied)
			write_short(e, w, NULL, implied);
	}
	json_write_close_list(w);
}

static RESULT list_rules(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = os_tables(e);
	(void) args;
	json_write_open_list(w, "role_inferences");
	for (const struct role *r = role_first(t); r; r = role_next(t, r)) {
		if (!r->implies.count)
			continue;
		json_write_open(w, NULL);
		write_implied(e, w, r);
		json_write_close(w);
	}
	json_write_close_list(w);
	os_write_list_links(e, w);
	return OK;
}

struct rule_args {
	struct role_implication wish;
};
#define PRIOR                                                                                                \
	OS_PATH(struct rule_args, "prior_role_id", wish.role, .kind = KIND_ROLE,                             \
		.doc = "Prior role, which implies the other one.")
static const struct param prior_params[] = {PRIOR};
static const struct param rule_params[] = {
	PRIOR,
	OS_PATH(struct rule_args, "implied_role_id", wish.implied, .kind = KIND_ROLE, .doc = "Implied role."),
};

static RESULT find_roles(struct os_call *e, const struct rule_args *a, const struct role **ret_prior,
			 const struct role **ret_implied)
{
	const struct row *prior = NULL, *implied = NULL;
	TRY(engine_find(e->c, os_tables(e), KIND_ROLE, &a->wish.role, &prior));
	*ret_prior = role_of(prior);
	if (!a->wish.implied.kind)
		return OK;
	TRY(engine_find(e->c, os_tables(e), KIND_ROLE, &a->wish.implied, &implied));
	*ret_implied = role_of(implied);
	return OK;
}

static RESULT list_implied(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct role *prior = NULL, *implied = NULL;
	TRY(find_roles(e, args, &prior, &implied));
	json_write_open(w, "role_inference");
	write_implied(e, w, prior);
	json_write_close(w);
	os_write_list_links(e, w);
	return OK;
}

static RESULT show_rule(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct rule_args *a = args;
	const struct role *prior = NULL, *implied = NULL;
	TRY(find_roles(e, a, &prior, &implied));
	if (!uuids_have(&prior->implies, implied->row.id))
		return ctx_fail(e->c, ERR_NOT_FOUND, "%" STR_FMT " does not imply %" STR_FMT,
				STR_ARG(a->wish.role.text), STR_ARG(a->wish.implied.text));
	if (e->call->method == HTTP_HEAD) /* HEAD asks only whether the rule exists */
		e->status = 204;
	json_write_open(w, "role_inference");
	write_short(e, w, "prior_role", prior);
	write_short(e, w, "implies", implied);
	json_write_close(w);
	os_write_list_links(e, w);
	return OK;
}

#define ONE "/v3/roles/{prior_role_id}/implies/{implied_role_id}"
static const struct os_action actions[] = {
	{HTTP_GET, "/v3/role_inferences", .permit = "identity:list_role_inference_rules",
	 .args = OS_NO_PARAMS, .answer = list_rules, .doc = "Lists all role inference rules."},
	{HTTP_GET, "/v3/roles/{prior_role_id}/implies", .permit = "identity:list_implied_roles",
	 .args = OS_PARAMS(struct rule_args, prior_params), .answer = list_implied,
	 .doc = "Lists the roles that a role implies directly."},
	{HTTP_GET, ONE, .permit = "identity:get_implied_role",
	 .args = OS_PARAMS(struct rule_args, rule_params), .answer = show_rule,
	 .doc = "Checks whether a role implies another one."},
	{HTTP_PUT, ONE, .permit = "identity:create_implied_role", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 201, .args = OS_PARAMS(struct rule_args, rule_params),
	 .sets = {API_SETS(struct rule_args, wish.implies)}, .operation = engine_imply_role_run,
	 .answer = show_rule, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Makes a role imply another one."},
	{HTTP_DELETE, ONE, .permit = "identity:delete_implied_role", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = OS_PARAMS(struct rule_args, rule_params), .operation = engine_imply_role_run,
	 .doc = "Deletes a role inference rule."},
};
const struct os_actions os_role_inference_actions = OS_ACTIONS(OS_IDENTITY, actions);
