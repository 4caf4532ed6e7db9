/* SPDX-License-Identifier: Apache-2.0
 * Access rules, which limit what an application credential may call. Created with a credential
 * (application_credentials.c) and enforced in core/access_rules.c. Source: Identity API reference,
 * "Application Credentials". */
#include "engine/people/policy/access_rule.h"

#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "store/access_rule.h"

void os_write_access_rules(struct os_call *e, struct json_writer *w, const struct uuids *rules)
{
	if (!rules->count)
		return;
	json_write_open_list(w, "access_rules");
	for (size_t k = 0; k < rules->count; k++) {
		const struct access_rule *rule = access_rule_find(os_tables(e), rules->at[k]);
		if (!rule)
			continue;
		json_write_open(w, NULL);
		os_write_hex(w, "id", rule->row.id);
		json_write_text(w, "service", rule->service);
		json_write_text(w, "path", rule->path);
		json_write_text(w, "method", rule->method);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_rule(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct access_rule *rule = item;
	os_write_hex(w, "id", rule->row.id);
	json_write_text(w, "service", rule->service);
	json_write_text(w, "path", rule->path);
	json_write_text(w, "method", rule->method);
	os_write_self(e, w, "access_rules", rule->row.id);
}

/* ---- the list ---- */

struct list_args {
	struct ref user;
	struct str service, path, method;
};
static const struct param list_params[] = {
	OS_PATH(struct list_args, "user_id", user, .kind = KIND_USER,
		.doc = "User; always the token's user."),
	OS_QUERY(struct list_args, "service", service, .doc = "Service type of the rules."),
	OS_QUERY(struct list_args, "path", path, .doc = "Path pattern of the rules."),
	OS_QUERY(struct list_args, "method", method, .doc = "Method of the rules."),
};

static bool fits(struct str asked, struct str is)
{
	return str_is_empty(asked) || str_equal(asked, is);
}

static RESULT list_rules(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	VEC(const struct row *) rows = {0};
	const struct user *user = NULL;
	TRY(os_check_own(e, "access_rule.list", &a->user, &user));
	const struct access_rule *r = access_rule_first_by_user(os_tables(e), a->user.prefix);
	for (; r; r = access_rule_next_by_user(os_tables(e), r))
		if (fits(a->service, r->service) && fits(a->path, r->path) && fits(a->method, r->method) &&
		    !VEC_PUSH(e->c->arena, &rows, &r->row))
			return ctx_no_memory(e->c);
	return os_list_rows(e, "access_rules", rows.at, rows.count, write_rule, w);
}

/* ---- one ---- */

struct rule_args {
	struct access_rule_target wish;
	struct ref user, rule;
};
static const struct param rule_params[] = {
	OS_PATH(struct rule_args, "user_id", user, .kind = KIND_USER,
		.doc = "User; always the token's user."),
	OS_PATH(struct rule_args, "access_rule_id", rule, .kind = KIND_ACCESS_RULE,
		.doc = "The access rule."),
};

static RESULT find_rule(struct os_call *e, const struct rule_args *a, const struct access_rule **ret_rule)
{
	TRY(os_check_self(e, &a->user));
	*ret_rule = access_rule_find(os_tables(e), a->rule.prefix);
	if (!*ret_rule || !uuid_equal((*ret_rule)->user, a->user.prefix))
		return engine_fail_not_found(e->c, KIND_ACCESS_RULE, &a->rule);
	return OK;
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct rule_args *a = args;
	const struct access_rule *rule = NULL;
	TRY(find_rule(e, a, &rule));
	a->wish.rule = rule->row.id;
	return OK;
}

static RESULT show_rule(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct rule_args *a = args;
	const struct access_rule *rule = NULL;
	const struct user *user = NULL;
	TRY(os_check_own(e, "access_rule.list", &a->user, &user));
	TRY(find_rule(e, a, &rule));
	write_rule(e, w, rule);
	return OK;
}

#define ALL "/v3/users/{user_id}/access_rules"
#define ONE ALL "/{access_rule_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "identity:list_access_rules",
	 .args = OS_PARAMS(struct list_args, list_params), .answer = list_rules,
	 .doc = "Lists the access rules of the user's application credentials."},
	{HTTP_GET, ONE, .permit = "identity:get_access_rule",
	 .args = OS_PARAMS(struct rule_args, rule_params), .item = "access_rule", .answer = show_rule,
	 .doc = "Shows one access rule."},
	{HTTP_DELETE, ONE, .permit = "identity:delete_access_rule", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = OS_PARAMS(struct rule_args, rule_params), .prepare = prepare_delete,
	 .operation = engine_delete_access_rule_run,
	 .doc = "Deletes an access rule that no application credential uses."},
};
const struct os_actions os_access_rule_actions = OS_ACTIONS(OS_IDENTITY, actions);
