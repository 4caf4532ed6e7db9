/* SPDX-License-Identifier: Apache-2.0
 * Application credentials of the token's user for the token's project. */
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "auth/sign_in/password.h"
#include "base/random.h"
#include "engine/people/credential/application_credential.h"
#include "model/user.h"
#include "store/application_credential.h"
#include "store/role.h"

enum { SECRET_SIZE = 64 }; /* bytes of a generated secret */

/* ---- what is shown ---- */

static void write_roles(struct os_call *e, struct json_writer *w, const struct uuids *list)
{
	json_write_open_list(w, "roles");
	for (size_t k = 0; k < list->count; k++) {
		const struct role *role = role_find(os_tables(e), list->at[k]);
		if (!role)
			continue;
		json_write_open(w, NULL);
		os_write_hex(w, "id", role->row.id);
		json_write_text(w, "name", role->name);
		json_write_null(w, "domain_id");
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_credential(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct application_credential *a = item;
	os_write_hex(w, "id", a->row.id);
	json_write_text(w, "name", a->name);
	json_write_text_or_null(w, "description", a->description);
	os_write_hex(w, "project_id", a->account);
	os_write_hex(w, "user_id", a->user);
	write_roles(e, w, &a->roles);
	os_write_time_us(w, "expires_at", a->expires_us);
	json_write_bool(w, "unrestricted", a->unrestricted);
	os_write_access_rules(e, w, &a->access_rules);
	json_write_null(w, "system");
	struct str user = str_encode_hex(e->c->arena, a->user.b, sizeof a->user.b);
	os_write_self(e, w,
		      str_print(e->c->arena, "users/%" STR_FMT "/application_credentials", STR_ARG(user)).p,
		      a->row.id);
}

struct list_args {
	struct ref user;
};
static const struct param list_params[] = {
	OS_PATH(struct list_args, "user_id", user, .kind = KIND_USER,
		.doc = "User; always the token's user."),
};

static RESULT list_credentials(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	struct str name = pairs_find(&e->request.query, "name");
	VEC(const struct row *) rows = {0};
	const struct user *user = NULL;
	TRY(os_check_own(e, "application_credential.list", &a->user, &user));
	const struct application_credential *c =
		application_credential_first_by_user(os_tables(e), a->user.prefix);
	for (; c; c = application_credential_next_by_user(os_tables(e), c))
		if ((!name.p || str_equal(name, c->name)) && !VEC_PUSH(e->c->arena, &rows, &c->row))
			return ctx_no_memory(e->c);
	return os_list_rows(e, "application_credentials", rows.at, rows.count, write_credential, w);
}

/* ---- making ---- */

static const struct param rule_rows[] = {
	OS_BODY(struct access_rule_words, "id", id, .kind = KIND_ACCESS_RULE, .doc = "Existing access rule."),
	OS_BODY(struct access_rule_words, "service", service, .max = 64,
		.doc = "Service type, such as compute."),
	OS_BODY(struct access_rule_words, "path", path, .max = 225,
		.doc = "Path pattern, such as /v2.1/servers/*. * and {name} match one segment, ** any number "
		       "of segments."),
	OS_BODY(struct access_rule_words, "method", method, .words = "DELETE|GET|HEAD|PATCH|POST|PUT",
		.doc = "HTTP method, such as GET."),
};
static const struct params rule_table = OS_PARAMS(struct access_rule_words, rule_rows);

struct new_credential {
	struct application_credential_wish wish;
	struct ref user;
	struct str secret, expires;
	struct os_role_list roles;
	struct {
		const struct access_rule_words *at;
		size_t count;
	} rules;
};
static const struct param create_params[] = {
	OS_PATH(struct new_credential, "user_id", user, .kind = KIND_USER,
		.doc = "User; always the token's user."),
	OS_BODY(struct new_credential, "name", wish.name, .flags = REQUIRED, .min = 1, .max = 255,
		.doc = "Name; unique for the user."),
	OS_BODY(struct new_credential, "description", wish.description, .flags = NULLABLE,
		.doc = "Description: free text."),
	OS_BODY(struct new_credential, "secret", secret, .max = PASSWORD_SIZE_MAX, .flags = NULLABLE,
		.doc = "Secret; absent: a generated one."),
	OS_BODY(struct new_credential, "expires_at", expires, .flags = NULLABLE,
		.doc = "Expiration time; absent: never."),
	OS_BODY_LIST(struct new_credential, "roles", roles, os_role_table, .max = 64,
		     .doc = "Roles of the token that the application credential gets; absent: all."),
	OS_BODY(struct new_credential, "unrestricted", wish.unrestricted, .flags = NULLABLE,
		.doc = "Whether the application credential may create and delete application credentials."),
	OS_BODY_LIST(struct new_credential, "access_rules", rules, rule_table, .max = CREDENTIAL_RULES_MAX,
		     .doc = "API calls that the application credential may make; absent: all."),
	OS_UNBUILT("project_id", .doc = "Always the project of the token."),
};

static void choose_secret(struct os_call *e, struct new_credential *a)
{
	uint8_t drawn[SECRET_SIZE];
	if (str_is_empty(a->secret)) {
		random_bytes(drawn, sizeof drawn);
		a->secret = str_encode_hex(e->c->arena, drawn, sizeof drawn);
		crypto_wipe(drawn, sizeof drawn);
	}
}

static RESULT hash_secret(struct work_item *w)
{
	struct os_call *e = w->arg;
	struct new_credential *a = e->args;
	return password_hash(e->config->passwords, e->c, a->secret, &a->wish.secret_hash);
}

/* Reads "2024-01-02T03:04:05.000000" as UTC. */
static RESULT read_expiry(struct os_call *e, struct new_credential *a)
{
	return str_is_empty(a->expires) ? OK
					: os_parse_time(e->c, a->expires, "expires_at", &a->wish.expires_us);
}

static RESULT fail_rule(struct os_call *e, const char *member, const char *why)
{
	return ctx_fail_field(e->c, ERR_INVALID, str_from(member), "Invalid input for field '%s': %s", member,
			      why);
}

static bool is_service_type(struct str text)
{
	for (size_t k = 0; k < text.n; k++)
		if (!str_is_alphanumeric(text.p[k]) && text.p[k] != '-' && text.p[k] != '_')
			return false;
	return text.n;
}

/* Requires service, path and method of each new rule. */
static RESULT check_rules(struct os_call *e, const struct new_credential *a)
{
	for (size_t k = 0; k < a->rules.count; k++) {
		const struct access_rule_words *rule = &a->rules.at[k];
		if (ref_is_given(&rule->id))
			continue;
		const char *missing = !rule->service.p  ? "service"
				      : !rule->path.p   ? "path"
				      : !rule->method.p ? "method"
							: NULL;
		if (missing)
			return ctx_fail_field(e->c, ERR_MISSING, str_from(missing),
					      "'%s' is a required property", missing);
		if (!is_service_type(rule->service))
			return fail_rule(e, "service", "it is no service's type");
		if (!str_starts_with(rule->path, STR("/")))
			return fail_rule(e, "path", "it does not begin with '/'");
	}
	return OK;
}

static RESULT prepare_new(struct os_call *e, void *args)
{
	struct new_credential *a = args;
	TRY(os_check_self(e, &a->user));
	if (uuid_is_none(e->c->who->account))
		return ctx_fail(e->c, ERR_INVALID,
				"An application credential is for a project: the token has none.");
	TRY(os_read_roles(e, &a->roles, &a->wish.roles));
	a->wish.access_rules = a->rules.at;
	a->wish.access_rule_count = a->rules.count;
	TRY(check_rules(e, a));
	a->wish.user = a->user;
	a->wish.account = ref_by_id(KIND_ACCOUNT, e->c->who->account);
	choose_secret(e, a);
	return read_expiry(e, a);
}

static RESULT show_new(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct new_credential *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.credential, &row));
	write_credential(e, w, row);
	json_write_text(w, "secret", a->secret); /* shown only in this answer */
	return OK;
}

/* ---- one ---- */

struct credential_args {
	struct application_credential_target wish;
	struct ref user, credential;
};
static const struct param credential_params[] = {
	OS_PATH(struct credential_args, "user_id", user, .kind = KIND_USER,
		.doc = "User; always the token's user."),
	OS_PATH(struct credential_args, "application_credential_id", credential,
		.kind = KIND_APPLICATION_CREDENTIAL, .doc = "The application credential."),
};

static RESULT prepare_one(struct os_call *e, void *args)
{
	struct credential_args *a = args;
	TRY(os_check_self(e, &a->user));
	const struct application_credential *c =
		application_credential_find(os_tables(e), a->credential.prefix);
	if (!c || !uuid_equal(c->user, a->user.prefix))
		return engine_fail_not_found(e->c, KIND_APPLICATION_CREDENTIAL, &a->credential);
	a->wish.credential = c->row.id;
	return OK;
}

static RESULT show_one(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct credential_args *a = args;
	const struct user *user = NULL;
	TRY(os_check_own(e, "application_credential.list", &a->user, &user));
	const struct application_credential *c =
		application_credential_find(os_tables(e), a->wish.credential);
	if (!c)
		return engine_fail_not_found(e->c, KIND_APPLICATION_CREDENTIAL, &a->credential);
	write_credential(e, w, c);
	return OK;
}

#define ALL "/v3/users/{user_id}/application_credentials"
#define ONE ALL "/{application_credential_id}"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "identity:list_application_credentials",
	 .args = OS_PARAMS(struct list_args, list_params), .answer = list_credentials,
	 .doc = "Lists the user's application credentials."},
	{HTTP_POST, ALL, .permit = "identity:create_application_credential",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 201,
	 .args = OS_PARAMS(struct new_credential, create_params), .wrap = "application_credential",
	 .item = "application_credential", .prepare = prepare_new, .work = hash_secret,
	 .operation = engine_create_application_credential_run, .returns = KIND_APPLICATION_CREDENTIAL,
	 .answer = show_new, .doc = "Creates an application credential. The secret is shown once."},
	{HTTP_GET, ONE, .permit = "identity:get_application_credential",
	 .args = OS_PARAMS(struct credential_args, credential_params), .item = "application_credential",
	 .prepare = prepare_one, .answer = show_one, .doc = "Shows one application credential."},
	{HTTP_DELETE, ONE, .permit = "identity:delete_application_credential",
	 .flags = API_WRITES | OS_UNSCOPED, .status = 204,
	 .args = OS_PARAMS(struct credential_args, credential_params), .prepare = prepare_one,
	 .operation = engine_delete_application_credential_run,
	 .doc = "Deletes an application credential and revokes its tokens."},
};
const struct os_actions os_application_credential_actions = OS_ACTIONS(OS_IDENTITY, actions);
