/* SPDX-License-Identifier: Apache-2.0
 * Associations of instances with instance profiles. */
#include "engine/instance/profile_association.h"

#include "engine/instance/instance_internal.h"
#include "engine/instance/profile_association_internal.h"
#include "engine/internal.h"
#include "model/iam_name.h"
#include "store/account.h"
#include "store/iam_role.h"
#include "store/instance.h"
#include "store/instance_profile.h"
#include "store/profile_association.h"

const struct instance_profile *engine_find_profile_of(const struct tables *t, uuid instance)
{
	const struct profile_association *a = profile_association_find_by_instance(t, instance);
	return a ? instance_profile_find(t, a->instance_profile) : NULL;
}

/* ---- profiles by name or ARN ---- */

static bool is_arn(struct str text)
{
	return str_starts_with(text, STR("arn:"));
}

static struct str name_in(struct str text)
{
	size_t from = is_arn(text) ? text.n : 0;
	while (from > 0 && text.p[from - 1] != '/')
		from--;
	return str_slice(text, from, text.n);
}

/* Looks up by id (Dari's own API), name or ARN (EC2), within the account only, so that a guest never gets a role of another
 * account. NULL: unknown. */
static const struct instance_profile *look_up_profile(struct op *op, const struct account *account,
						      const struct ref *ref)
{
	const struct instance_profile *profile =
		instance_profile_find_prefix(op->head, ref->prefix, ref->bits);
	if (ref->bits && profile && uuid_equal(profile->account, account->row.id))
		return profile;
	profile = instance_profile_find_by_account(op->head, account->row.id, name_in(ref->text));
	bool is_another = profile && is_arn(ref->text) &&
			  !str_equal(ref->text, iam_arn_to_text(op->ctx->arena, account->number,
								KIND_INSTANCE_PROFILE, &profile->row));
	return is_another ? NULL : profile;
}

static RESULT find_profile(struct op *op, const struct account *account, const struct ref *ref,
			   const struct instance_profile **ret_profile)
{
	const struct instance_profile *profile = look_up_profile(op, account, ref);
	if (!profile)
		return ENGINE_FAIL_ABOUT(op, ERR_INVALID, KIND_INSTANCE_PROFILE, ref,
					 "Value (%" STR_FMT ") for parameter %" STR_FMT
					 " is invalid. Invalid IAM Instance Profile %s",
					 STR_ARG(str_slice(ref->text, 0, 255)), STR_ARG(ref->field),
					 is_arn(ref->text) ? "ARN" : "name");
	*ret_profile = profile;
	return OK;
}

RESULT profile_association_find_passed(struct op *op, const struct account *account, const struct ref *ref,
				       const struct instance *instance,
				       const struct instance_profile **ret_profile)
{
	const struct instance_profile *profile = NULL;
	TRY(find_profile(op, account, ref, &profile));
	engine_permit_profile(op, profile, instance);
	const struct iam_role *role = iam_role_find(op->head, profile->iam_role);
	if (role)
		TRY(engine_permit(op, "iam_role.pass", KIND_IAM_ROLE, &role->row));
	*ret_profile = profile;
	return OK;
}

/* ---- rows ---- */

RESULT profile_association_write(struct op *op, const struct instance *instance,
				 const struct instance_profile *profile, uuid *ret_association)
{
	const struct profile_association association = {.row.id = engine_new_id(op, KIND_PROFILE_ASSOCIATION),
							.row.gen = 1,
							.account = instance->account,
							.instance = instance->row.id,
							.instance_profile = profile->row.id};
	*ret_association = association.row.id;
	TRY(profile_association_put(op, &association));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "instance profile changed",
				"It has the instance profile %" STR_FMT ".", STR_ARG(profile->name));
}

RESULT profile_association_leave_instance(struct op *op, uuid instance)
{
	const struct profile_association *a = profile_association_find_by_instance(op->head, instance);
	return a ? profile_association_forget(op, a->row.id) : OK;
}

/* ---- operations ---- */

static RESULT find_association(struct op *op, const struct ref *ref,
			       const struct profile_association **ret_association,
			       const struct instance **ret_instance)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_PROFILE_ASSOCIATION, ref, &row));
	*ret_association = profile_association_of(row);
	*ret_instance = instance_find(op->head, (*ret_association)->instance);
	return *ret_instance ? OK : engine_fail_not_found(op->ctx, KIND_PROFILE_ASSOCIATION, ref);
}

RESULT engine_associate_profile(struct op *op, struct profile_association_wish *wish)
{
	const struct instance *instance = NULL;
	const struct instance_profile *profile = NULL;
	TRY(engine_find_own_instance(op->ctx, op->head, &wish->instance, &instance));
	const struct account *account = account_find(op->head, instance->account);
	engine_permit_profile(op, look_up_profile(op, account, &wish->instance_profile), instance);
	TRY(engine_permit(op, "profile_association.create", KIND_INSTANCE, &instance->row));
	TRY(instance_check_changeable(op, instance, wish->instance.field));
	TRY(profile_association_find_passed(op, account, &wish->instance_profile, instance, &profile));
	if (!row_is_live(&instance->row))
		return ENGINE_FAIL(op, ERR_STATE, KIND_INSTANCE, wish->instance.field,
				   "The instance '%" STR_FMT "' is not in a state in which it can be given "
				   "an instance profile.",
				   STR_ARG(wish->instance.text));
	if (profile_association_find_by_instance(op->head, instance->row.id))
		return ENGINE_FAIL(op, ERR_STATE, KIND_PROFILE_ASSOCIATION, wish->instance.field,
				   "There is an existing association for instance %" STR_FMT,
				   STR_ARG(wish->instance.text));
	return profile_association_write(op, instance, profile, &wish->profile_association);
}

RESULT engine_replace_profile(struct op *op, struct profile_association_change *wish)
{
	const struct profile_association *association = NULL;
	const struct instance *instance = NULL;
	const struct instance_profile *profile = NULL;
	TRY(find_association(op, &wish->profile_association, &association, &instance));
	const struct account *account = account_find(op->head, instance->account);
	engine_permit_profile(op, look_up_profile(op, account, &wish->instance_profile), instance);
	TRY(engine_permit(op, "profile_association.replace", KIND_INSTANCE, &instance->row));
	TRY(instance_check_changeable(op, instance, wish->profile_association.field));
	TRY(profile_association_find_passed(op, account, &wish->instance_profile, instance, &profile));
	TRY(profile_association_forget(op, association->row.id));
	return profile_association_write(op, instance, profile, &wish->made);
}

RESULT engine_disassociate_profile(struct op *op, struct profile_association_target *wish)
{
	const struct profile_association *association = NULL;
	const struct instance *instance = NULL;
	TRY(find_association(op, &wish->profile_association, &association, &instance));
	TRY(engine_permit(op, "profile_association.delete", KIND_INSTANCE, &instance->row));
	TRY(instance_check_changeable(op, instance, wish->profile_association.field));
	wish->before = *association;
	TRY(profile_association_forget(op, association->row.id));
	return engine_log_event(op, KIND_INSTANCE, &instance->row, "instance profile changed",
				"It has no instance profile any more.");
}
