/* SPDX-License-Identifier: Apache-2.0
 * Trusts (OS-TRUST): a user delegates roles in a project to another user. tokens.c issues their tokens.
 * Source: Identity API reference, "OS-TRUST"; Keystone's keystone.api.trusts. */
#include "engine/people/policy/trust.h"

#include "api/openstack/core/services.h"
#include "api/openstack/core/write.h"
#include "api/openstack/identity/identity.h"
#include "engine/people/user_owned.h"
#include "store/role.h"
#include "store/trust.h"

/* ---- what is shown ---- */

static struct str trusts_path(struct os_call *e, const struct trust *trust)
{
	struct str id = str_encode_hex(e->c->arena, trust->row.id.b, sizeof trust->row.id.b);
	return str_print(e->c->arena, "%" STR_FMT "/OS-TRUST/trusts/%" STR_FMT,
			 STR_ARG(os_service_url(e, OS_IDENTITY)), STR_ARG(id));
}

static void write_short(struct os_call *e, struct json_writer *w, const void *item)
{
	const struct trust *t = item;
	os_write_hex(w, "id", t->row.id);
	os_write_hex(w, "trustor_user_id", t->trustor);
	os_write_hex(w, "trustee_user_id", t->trustee);
	os_write_hex(w, "project_id", t->account);
	json_write_bool(w, "impersonation", t->impersonation);
	os_write_utc(w, "expires_at", t->expires_us);
	json_write_null(w, "deleted_at");
	if (t->is_counted)
		json_write_int(w, "remaining_uses", t->remaining_uses);
	else
		json_write_null(w, "remaining_uses");
	os_write_hex(w, "redelegated_trust_id", t->redelegated);
	json_write_int(w, "redelegation_count", t->redelegation_count);
	json_write_open(w, "links");
	json_write_text(w, "self", trusts_path(e, t));
	json_write_close(w);
}

static void write_roles(struct os_call *e, struct json_writer *w, const struct trust *trust)
{
	json_write_open_list(w, "roles");
	for (size_t k = 0; k < trust->roles.count; k++) {
		const struct role *role = role_find(os_tables(e), trust->roles.at[k]);
		if (!role)
			continue;
		json_write_open(w, NULL);
		os_write_role(e, w, role);
		json_write_close(w);
	}
	json_write_close_list(w);
}

static void write_roles_links(struct os_call *e, struct json_writer *w, const char *key,
			      const struct trust *trust)
{
	json_write_open(w, key);
	json_write_null(w, "next");
	json_write_null(w, "previous");
	json_write_text(w, "self",
			str_print(e->c->arena, "%" STR_FMT "/roles", STR_ARG(trusts_path(e, trust))));
	json_write_close(w);
}

static void write_trust(struct os_call *e, struct json_writer *w, const struct trust *trust)
{
	write_short(e, w, trust);
	write_roles(e, w, trust);
	write_roles_links(e, w, "roles_links", trust);
}

/* ---- the list ---- */

struct list_args {
	struct ref trustor, trustee;
};
static const struct param list_params[] = {
	OS_QUERY(struct list_args, "trustor_user_id", trustor, .kind = KIND_USER,
		 .doc = "Trusts of this trustor."),
	OS_QUERY(struct list_args, "trustee_user_id", trustee, .kind = KIND_USER,
		 .doc = "Trusts of this trustee."),
};

/* Administrators may list all trusts, users those of their own. */
static RESULT check_reader(struct os_call *e, const struct list_args *a)
{
	const struct ref *user = ref_is_given(&a->trustor) ? &a->trustor : &a->trustee;
	TRY(engine_check_trusting(e->c));
	if (engine_may_see_trusts(e->c->who, user->prefix))
		return OK;
	return ctx_fail(e->c, ERR_DENIED, "You are not authorized to perform the requested action: %s.",
			!ref_is_given(user)         ? "identity:list_trusts"
			: ref_is_given(&a->trustor) ? "identity:list_trusts_for_trustor"
						    : "identity:list_trusts_for_trustee");
}

static const struct trust *first_of(const struct tables *t, const struct list_args *a)
{
	return ref_is_given(&a->trustor)   ? trust_first_by_trustor(t, a->trustor.prefix)
	       : ref_is_given(&a->trustee) ? trust_first_by_trustee(t, a->trustee.prefix)
					   : trust_first(t);
}

static const struct trust *next_of(const struct tables *t, const struct list_args *a,
				   const struct trust *trust)
{
	return ref_is_given(&a->trustor)   ? trust_next_by_trustor(t, trust)
	       : ref_is_given(&a->trustee) ? trust_next_by_trustee(t, trust)
					   : trust_next(t, trust);
}

static RESULT list_trusts(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	VEC(const struct row *) rows = {0};
	TRY(check_reader(e, a));
	const struct tables *t = os_tables(e);
	for (const struct trust *trust = first_of(t, a); trust; trust = next_of(t, a, trust)) {
		bool fits = !ref_is_given(&a->trustee) || uuid_equal(trust->trustee, a->trustee.prefix);
		if (fits && !VEC_PUSH(e->c->arena, &rows, &trust->row))
			return ctx_no_memory(e->c);
	}
	return os_list_rows(e, "trusts", rows.at, rows.count, write_short, w);
}

/* ---- making ---- */

struct new_trust {
	struct trust_wish wish;
	struct str expires;
	struct os_role_list roles;
};
static const struct param create_params[] = {
	OS_BODY(struct new_trust, "trustor_user_id", wish.trustor, .kind = KIND_USER, .flags = REQUIRED,
		.doc = "Trustor; always the token's user."),
	OS_BODY(struct new_trust, "trustee_user_id", wish.trustee, .kind = KIND_USER, .flags = REQUIRED,
		.doc = "Trustee, who may use the trust."),
	OS_BODY(struct new_trust, "impersonation", wish.impersonation, .flags = REQUIRED,
		.doc = "Whether tokens of the trust act as the trustor."),
	/* Keystone also accepts trusts without a project, from which no token can be created. */
	OS_BODY(struct new_trust, "project_id", wish.account, .kind = KIND_ACCOUNT, .flags = REQUIRED,
		.doc = "The project."),
	OS_BODY_LIST(struct new_trust, "roles", roles, os_role_table, .max = 64,
		     .doc = "Roles of the trustor to delegate."),
	OS_BODY(struct new_trust, "expires_at", expires, .flags = NULLABLE,
		.doc = "Expiration time; absent: never."),
	OS_BODY(struct new_trust, "remaining_uses", wish.remaining_uses, .min = 1, .max = INT32_MAX,
		.flags = NULLABLE, .doc = "Number of tokens that the trust may issue; absent: unlimited."),
	OS_BODY(struct new_trust, "allow_redelegation", wish.allow_redelegation, .flags = NULLABLE,
		.doc = "Whether the trustee may delegate the trust further."),
	OS_BODY(struct new_trust, "redelegation_count", wish.redelegation_count, .min = 0, .max = INT32_MAX,
		.flags = NULL_ABSENT, .given = offsetof(struct new_trust, wish.has_redelegation_count) + 1,
		.doc = "Maximum length of a chain of redelegations; absent: the longest allowed."),
	OS_UNBUILT("redelegated_trust_id", .only = "null", .doc = "Always the trust of the token."),
};

/* Accepts Keystone's time with or without the Z. */
static RESULT read_expiry(struct os_call *e, struct new_trust *a)
{
	if (str_is_empty(a->expires))
		return OK;
	if (result_is_ok(os_parse_time(e->c, a->expires, "expires_at", &a->wish.expires_us)))
		return OK;
	ctx_clear_problem(e->c);
	return ctx_fail_field(e->c, ERR_INVALID, STR("expires_at"),
			      "Timestamp not in expected format. The server could not comply with the "
			      "request since it is either malformed or otherwise incorrect. The client is "
			      "assumed to be in error.");
}

static RESULT prepare_new(struct os_call *e, void *args)
{
	struct new_trust *a = args;
	if (!uuid_equal(a->wish.trustor.prefix, e->c->who->user)) /* administrators cannot delegate for
	                                                           * others either */
		return ctx_fail(e->c, ERR_DENIED,
				"You are not authorized to perform the requested action: %s.",
				e->action->permit);
	TRY(os_read_roles(e, &a->roles, &a->wish.roles));
	return read_expiry(e, a);
}

static RESULT show_new(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct new_trust *a = args;
	const struct row *row = NULL;
	TRY(os_find_returned(e, a->wish.trust, &row));
	write_trust(e, w, trust_of(row));
	return OK;
}

/* ---- one ---- */

struct trust_args {
	struct trust_target wish;
	struct ref trust, role;
};
#define TRUST                                                                                                \
	OS_PATH(struct trust_args, "trust_id", trust, .kind = KIND_TRUST,                                    \
		.doc = "A trust that has not expired or been used up.")
static const struct param trust_params[] = {TRUST};
static const struct param role_params[] = {
	TRUST,
	OS_PATH(struct trust_args, "role_id", role, .kind = KIND_ROLE, .doc = "A role of the trust."),
};

/* As in Keystone, an unknown trust is reported before rights are checked. */
static RESULT find_trust(struct os_call *e, const struct trust_args *a, const struct trust **ret_trust)
{
	const struct trust *trust = engine_find_trust(os_tables(e), a->trust.prefix, clock_now_us());
	if (!trust)
		return engine_fail_not_found(e->c, KIND_TRUST, &a->trust);
	TRY(engine_check_trusting(e->c));
	if (!engine_may_see_trust(e->c->who, trust))
		return ctx_fail(e->c, ERR_DENIED,
				"You are not authorized to perform the requested action: %s.",
				e->action->permit);
	*ret_trust = trust;
	return OK;
}

static RESULT prepare_delete(struct os_call *e, void *args)
{
	struct trust_args *a = args;
	const struct trust *trust = NULL;
	TRY(find_trust(e, a, &trust));
	if (!os_is_admin(e) && !uuid_equal(trust->trustor, e->c->who->user))
		return ctx_fail(e->c, ERR_DENIED,
				"You are not authorized to perform the requested action: %s.",
				e->action->permit);
	a->wish.trust = trust->row.id;
	return OK;
}

static RESULT show_trust(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct trust *trust = NULL;
	TRY(find_trust(e, args, &trust));
	write_trust(e, w, trust);
	return OK;
}

static RESULT list_roles(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct trust *trust = NULL;
	TRY(find_trust(e, args, &trust));
	write_roles(e, w, trust);
	write_roles_links(e, w, "links", trust);
	return OK;
}

static RESULT show_role(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct trust_args *a = args;
	const struct trust *trust = NULL;
	TRY(find_trust(e, a, &trust));
	const struct role *role =
		uuids_have(&trust->roles, a->role.prefix) ? role_find(os_tables(e), a->role.prefix) : NULL;
	if (!role)
		return engine_fail_not_found(e->c, KIND_ROLE, &a->role);
	os_write_role(e, w, role);
	return OK;
}

#define ALL "/v3/OS-TRUST/trusts"
#define ONE ALL "/{trust_id}"
#define ROLES ONE "/roles"
static const struct os_action actions[] = {
	{HTTP_GET, ALL, .permit = "identity:list_trusts", .args = OS_PARAMS(struct list_args, list_params),
	 .answer = list_trusts, .doc = "Lists trusts of a trustor or a trustee."},
	{HTTP_POST, ALL, .permit = "identity:create_trust", .flags = API_WRITES | OS_UNSCOPED, .status = 201,
	 .args = OS_PARAMS(struct new_trust, create_params), .wrap = "trust", .item = "trust",
	 .prepare = prepare_new, .operation = engine_create_trust_run, .returns = KIND_TRUST,
	 .answer = show_new,
	 .doc = "Creates a trust, by which another user acts in a project of the caller."},
	{HTTP_GET, ONE, .permit = "identity:get_trust", .args = OS_PARAMS(struct trust_args, trust_params),
	 .item = "trust", .answer = show_trust, .doc = "Shows one trust."},
	{HTTP_DELETE, ONE, .permit = "identity:delete_trust", .flags = API_WRITES | OS_UNSCOPED,
	 .status = 204, .args = OS_PARAMS(struct trust_args, trust_params), .prepare = prepare_delete,
	 .operation = engine_delete_trust_run,
	 .doc = "Deletes a trust and revokes its tokens and redelegations."},
	{HTTP_GET, ROLES, .permit = "identity:list_roles_for_trust",
	 .args = OS_PARAMS(struct trust_args, trust_params), .answer = list_roles,
	 .doc = "Lists the roles of a trust."},
	{HTTP_GET, ROLES "/{role_id}", .permit = "identity:get_role_for_trust",
	 .args = OS_PARAMS(struct trust_args, role_params), .item = "role", .answer = show_role,
	 .doc = "Shows one role of a trust."},
};
const struct os_actions os_trust_actions = OS_ACTIONS(OS_IDENTITY, actions);
