/* SPDX-License-Identifier: Apache-2.0
 * IAM's roles and instance profiles: rows only. Sessions are valid as long as their role exists, and policy
 * changes apply as soon as they are published. */
#include "engine/people/policy/iam_role.h"

#include <stdio.h>

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/messaging/service_sender.h"
#include "engine/people/policy/policy.h"
#include "engine/people/policy/policy_internal.h"
#include "engine/tag_internal.h"
#include "store/iam_role.h"
#include "store/instance_profile.h"

static RESULT fail_taken(struct op *op, enum kind kind, const char *words, struct str name)
{
	return ctx_fail_kind(op->ctx, ERR_EXISTS, (int) kind, "%s %" STR_FMT " already exists.", words,
			     STR_ARG(name));
}

static RESULT find_role(struct op *op, const struct ref *ref, const struct iam_role **ret_role)
{
	const struct ref none = {0};
	struct policy_principal principal;
	TRY(engine_find_policy_principal(op->ctx, op->head, &none, &none, ref, &principal));
	*ret_role = iam_role_of(principal.row);
	return OK;
}

static RESULT find_profile(struct op *op, const struct ref *ref, const struct instance_profile **ret_profile)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_INSTANCE_PROFILE, ref, &row));
	*ret_profile = instance_profile_of(row);
	return OK;
}

bool iam_role_is_linked(const struct iam_role *role)
{
	return str_starts_with(role->path, STR(IAM_LINKED_PATH));
}

RESULT iam_role_check_own(struct op *op, const struct iam_role *role)
{
	return iam_role_is_linked(role)
		       ? ctx_fail_kind(op->ctx, ERR_PROTECTED, KIND_IAM_ROLE,
				       "Cannot perform the operation on the protected role '%" STR_FMT
				       "' - this role is only modifiable by AWS",
				       STR_ARG(role->name))
		       : OK;
}

/* ---- roles ---- */

static RESULT check_new_role(struct op *op, uuid account, struct str name)
{
	TRY(engine_check_name(op, KIND_IAM_ROLE, name));
	const struct iam_role *r = iam_role_first_by_account(op->head, account);
	for (; r; r = iam_role_next_by_account(op->head, r))
		if (str_equal_nocase(r->name, name))
			return fail_taken(op, KIND_IAM_ROLE, "Role with name", name);
	return limit_check(op, LIMIT_IAM_ROLES, account, 1, STR_NONE);
}

RESULT engine_create_iam_role(struct op *op, struct iam_role_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	if (str_starts_with(wish->path, STR(IAM_LINKED_PATH))) /* the text is a guess */
		return ENGINE_FAIL(op, ERR_COMBINATION, KIND_IAM_ROLE, STR("Path"),
				   "The path " IAM_LINKED_PATH " is reserved for service-linked roles.");
	int64_t max_s = wish->session_max_s ? wish->session_max_s : SESSION_S_ABSENT;
	struct iam_role role = {.row.id = engine_new_id(op, KIND_IAM_ROLE),
				.row.gen = 1,
				.account = account,
				.name = wish->name,
				.path = str_is_empty(wish->path) ? STR("/") : wish->path,
				.description = wish->description,
				.trust = wish->trust,
				.session_max_us = max_s * SECOND};
	TRY(tag_normalize(op, wish->tags, &role.tags));
	TRY(engine_permit_new(op, "iam_role.create", KIND_IAM_ROLE, &role.row));
	TRY(check_new_role(op, account, wish->name));
	TRY(policy_check_trust_size(op, wish->trust));
	TRY(iam_role_put(op, &role));
	TRY(policy_put_boundary(op, KIND_IAM_ROLE, role.row.id, &wish->boundary));
	wish->iam_role = role.row.id;
	return engine_log_event(op, KIND_IAM_ROLE, &role.row, "created", "Role %" STR_FMT ".",
				STR_ARG(role.name));
}

static RESULT change_role(struct op *op, const char *permission, const struct iam_role_change *wish)
{
	const struct iam_role *role = NULL;
	TRY(find_role(op, &wish->iam_role, &role));
	TRY(engine_permit(op, permission, KIND_IAM_ROLE, &role->row));
	if (wish->trust.n || wish->session_max_s)
		TRY(iam_role_check_own(op, role));
	TRY(policy_check_trust_size(op, wish->trust));
	struct iam_role next = *role;
	if (wish->description)
		next.description = *wish->description;
	if (wish->trust.n)
		next.trust = wish->trust;
	if (wish->session_max_s)
		next.session_max_us = wish->session_max_s * SECOND;
	next.row.gen++;
	TRY(iam_role_put(op, &next));
	return engine_log_event(op, KIND_IAM_ROLE, &next.row, "changed",
				wish->trust.n ? "Role %" STR_FMT " is for others to take."
					      : "Role %" STR_FMT ".",
				STR_ARG(next.name));
}

RESULT engine_update_iam_role(struct op *op, struct iam_role_change *wish)
{
	return change_role(op, "iam_role.update", wish);
}

RESULT engine_update_iam_role_trust(struct op *op, struct iam_role_change *wish)
{
	return change_role(op, "iam_role.update_trust", wish);
}

/* The event begins with the word, which says what kind of role it was. */
static RESULT forget_role(struct op *op, const struct iam_role *role, const char *word)
{
	TRY(engine_log_event(op, KIND_IAM_ROLE, &role->row, "deleted", "%s %" STR_FMT ".", word,
			     STR_ARG(role->name)));
	TRY(policy_follow_principal(op, role->account, KIND_IAM_ROLE, &role->row, NULL));
	return iam_role_forget(op, role->row.id);
}

RESULT engine_delete_iam_role(struct op *op, struct iam_role_target *wish)
{
	const struct iam_role *role = NULL;
	TRY(find_role(op, &wish->iam_role, &role));
	TRY(engine_permit(op, "iam_role.delete", KIND_IAM_ROLE, &role->row));
	TRY(iam_role_check_own(op, role));
	if (instance_profile_first_by_iam_role(op->head, role->row.id))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_IAM_ROLE,
				     "Cannot delete entity, must remove roles from instance profile first.");
	TRY(policy_check_principal_bare(op, KIND_IAM_ROLE, &role->row));
	return forget_role(op, role, "Role");
}

/* ---- roles of services ---- */

RESULT engine_create_linked_role(struct op *op, struct linked_role_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct iam_role role = {.row.id = engine_new_id(op, KIND_IAM_ROLE),
				.row.gen = 1,
				.account = account,
				.name = wish->name,
				.path = wish->path,
				.description = wish->description,
				.trust = wish->trust,
				.session_max_us = SESSION_S_ABSENT * SECOND};
	TRY(engine_permit_new(op, "iam_role.create_linked", KIND_IAM_ROLE, &role.row));
	TRY(check_new_role(op, account, wish->name));
	TRY(iam_role_put(op, &role));
	wish->iam_role = role.row.id;
	return engine_log_event(op, KIND_IAM_ROLE, &role.row, "created", "Service-linked role %" STR_FMT ".",
				STR_ARG(role.name));
}

RESULT engine_delete_linked_role(struct op *op, struct iam_role_target *wish)
{
	const struct iam_role *role = NULL;
	TRY(find_role(op, &wish->iam_role, &role));
	TRY(engine_permit(op, "iam_role.delete_linked", KIND_IAM_ROLE, &role->row));
	if (!iam_role_is_linked(role))
		return engine_fail_not_found(op->ctx, KIND_IAM_ROLE, &wish->iam_role);
	return forget_role(op, role, "Service-linked role");
}

/* ---- instance profiles ---- */

static RESULT check_new_profile(struct op *op, uuid account, struct str name)
{
	TRY(engine_check_name(op, KIND_INSTANCE_PROFILE, name));
	const struct instance_profile *p = instance_profile_first_by_account(op->head, account);
	for (; p; p = instance_profile_next_by_account(op->head, p))
		if (str_equal_nocase(p->name, name))
			return fail_taken(op, KIND_INSTANCE_PROFILE, "Instance Profile", name);
	return limit_check(op, LIMIT_INSTANCE_PROFILES, account, 1, STR_NONE);
}

RESULT engine_create_instance_profile(struct op *op, struct instance_profile_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct instance_profile profile = {.row.id = engine_new_id(op, KIND_INSTANCE_PROFILE),
					   .row.gen = 1,
					   .account = account,
					   .name = wish->name,
					   .path = str_is_empty(wish->path) ? STR("/") : wish->path};
	TRY(tag_normalize(op, wish->tags, &profile.tags));
	TRY(engine_permit_new(op, "instance_profile.create", KIND_INSTANCE_PROFILE, &profile.row));
	TRY(check_new_profile(op, account, wish->name));
	TRY(instance_profile_put(op, &profile));
	wish->instance_profile = profile.row.id;
	return engine_log_event(op, KIND_INSTANCE_PROFILE, &profile.row, "created",
				"Instance profile %" STR_FMT ".", STR_ARG(profile.name));
}

RESULT engine_delete_instance_profile(struct op *op, struct instance_profile_target *wish)
{
	const struct instance_profile *profile = NULL;
	TRY(engine_permit_instance_profile(op, &wish->instance_profile, "instance_profile.delete", &profile));
	if (!uuid_is_none(profile->iam_role))
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_INSTANCE_PROFILE,
				     "Cannot delete entity, must remove roles from instance profile first.");
	TRY(engine_log_event(op, KIND_INSTANCE_PROFILE, &profile->row, "deleted",
			     "Instance profile %" STR_FMT ".", STR_ARG(profile->name)));
	return instance_profile_forget(op, profile->row.id);
}

static RESULT write_profile(struct op *op, const struct instance_profile *profile,
			    const struct iam_role *role, bool has_it)
{
	struct instance_profile next = *profile;
	next.iam_role = has_it ? role->row.id : UUID_NONE;
	next.row.gen++;
	TRY(instance_profile_put(op, &next));
	return engine_log_event(op, KIND_INSTANCE_PROFILE, &next.row, "changed",
				has_it ? "Instance profile %" STR_FMT " has the role %" STR_FMT "."
				       : "Instance profile %" STR_FMT " no longer has the role %" STR_FMT ".",
				STR_ARG(next.name), STR_ARG(role->name));
}

RESULT engine_add_role_to_profile(struct op *op, struct profile_role *wish)
{
	const struct instance_profile *profile = NULL;
	const struct iam_role *role = NULL;
	TRY(find_profile(op, &wish->instance_profile, &profile));
	TRY(find_role(op, &wish->iam_role, &role));
	TRY(engine_permit(op, "instance_profile.add_role", KIND_INSTANCE_PROFILE, &profile->row));
	TRY(iam_role_check_own(op, role));
	if (!uuid_is_none(profile->iam_role))
		return ctx_fail_kind(op->ctx, ERR_QUOTA, KIND_INSTANCE_PROFILE,
				     "Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1");
	TRY(engine_permit(op, "iam_role.pass", KIND_IAM_ROLE, &role->row));
	return write_profile(op, profile, role, true);
}

RESULT engine_remove_role_from_profile(struct op *op, struct profile_role *wish)
{
	const struct instance_profile *profile = NULL;
	const struct iam_role *role = NULL;
	TRY(find_profile(op, &wish->instance_profile, &profile));
	TRY(find_role(op, &wish->iam_role, &role));
	TRY(engine_permit(op, "instance_profile.remove_role", KIND_INSTANCE_PROFILE, &profile->row));
	if (!uuid_equal(profile->iam_role, role->row.id))
		return ctx_fail_kind(op->ctx, ERR_NOT_FOUND, KIND_IAM_ROLE,
				     "Role %" STR_FMT " in Instance Profile %" STR_FMT " cannot be found.",
				     STR_ARG(role->name), STR_ARG(profile->name));
	return write_profile(op, profile, role, false);
}

/* ---- roles that services act with ---- */

const struct iam_role *iam_role_find_arn(const struct tables *t, uuid account_id, struct str arn)
{
	char start[64];
	struct str number = engine_account_number(t, account_id);
	struct str head, name = arn, piece = STR_NONE;
	(void) snprintf(start, sizeof start, "arn:aws:iam::%" STR_FMT ":role", STR_ARG(number));
	head = str_from(start);
	while (str_split_next(&name, '/', &piece) && name.n)
		;
	const struct iam_role *role =
		str_starts_with(arn, head) ? iam_role_find_by_account(t, account_id, piece) : NULL;
	if (!role || arn.n < head.n + piece.n)
		return NULL;
	struct str path = str_slice(arn, head.n, arn.n - piece.n);
	return str_equal(path, role->path.n ? role->path : STR("/")) ? role : NULL;
}

RESULT iam_role_permit_pass(struct op *op, uuid account, struct str arn, struct str service, enum kind kind,
			    struct str field)
{
	const struct iam_role *role = iam_role_find_arn(op->head, account, arn);
	bool is_trusted = false;
	if (!role)
		return ENGINE_FAIL(op, ERR_INVALID, kind, field, "The role %" STR_FMT " does not exist.",
				   STR_ARG(str_cut(arn, 400)));
	TRY(engine_permit_pass(op, &role->row, service));
	TRY(engine_ask_trust(op, role->trust, service, &is_trusted));
	if (!is_trusted)
		return ENGINE_FAIL(op, ERR_INVALID, kind, field,
				   "Provided role '%" STR_FMT "' cannot be assumed by principal '%" STR_FMT
				   "'.",
				   STR_ARG(str_cut(arn, 400)), STR_ARG(service));
	return OK;
}

/* ---- managed identities ---- */

static const char trust_of_instances[] =
	"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":"
	"\"ec2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}";

RESULT engine_create_managed_identity(struct op *op, struct managed_identity_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct iam_role role = {.row.id = engine_new_id(op, KIND_IAM_ROLE),
				.row.gen = 1,
				.account = account,
				.name = wish->name,
				.path = STR("/"),
				.description = STR("A managed identity."),
				.trust = str_from(trust_of_instances),
				.session_max_us = SESSION_S_ABSENT * SECOND};
	struct instance_profile profile = {.row.id = engine_new_id(op, KIND_INSTANCE_PROFILE),
					   .row.gen = 1,
					   .account = account,
					   .name = wish->name,
					   .path = STR("/"),
					   .iam_role = role.row.id};
	TRY(tag_normalize(op, wish->tags, &role.tags));
	TRY(engine_permit_new(op, "managed_identity.create", KIND_IAM_ROLE, &role.row));
	TRY(check_new_role(op, account, wish->name));
	TRY(check_new_profile(op, account, wish->name));
	TRY(iam_role_put(op, &role));
	TRY(instance_profile_put(op, &profile));
	wish->iam_role = role.row.id;
	return engine_log_event(op, KIND_IAM_ROLE, &role.row, "created", "Managed identity %" STR_FMT ".",
				STR_ARG(role.name));
}

RESULT engine_delete_managed_identity(struct op *op, struct iam_role_target *wish)
{
	const struct iam_role *role = NULL;
	/* its resource group may be going */
	TRY(engine_permit_iam_role(op, &wish->iam_role, "managed_identity.delete", &role));
	const struct instance_profile *p = NULL;
	while ((p = instance_profile_first_by_iam_role(op->head, role->row.id)))
		TRY(instance_profile_forget(op, p->row.id));
	return forget_role(op, role, "Managed identity");
}
