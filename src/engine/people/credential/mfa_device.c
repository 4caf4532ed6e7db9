/* SPDX-License-Identifier: Apache-2.0
 * IAM's virtual MFA devices: rows only. */
#include "engine/people/credential/mfa_device.h"

#include "engine/acting.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/people/credential/second_factor_internal.h"
#include "engine/people/user_owned.h"
#include "engine/tag_internal.h"
#include "model/second_factor.h"
#include "store/mfa_device.h"
#include "store/user.h"

static RESULT find_device(struct op *op, const struct ref *ref, const struct mfa_device **ret_device)
{
	const struct row *row = NULL;
	TRY(engine_find_own(op->ctx, op->head, KIND_MFA_DEVICE, ref, &row));
	*ret_device = mfa_device_of(row);
	return OK;
}

RESULT engine_create_mfa_device(struct op *op, struct mfa_device_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct mfa_device device = {.row.id = wish->device,
				    .row.gen = 1,
				    .account = account,
				    .name = wish->name,
				    .path = str_is_empty(wish->path) ? STR("/") : wish->path,
				    .secret = wish->secret};
	TRY(tag_normalize(op, wish->tags, &device.tags));
	TRY(engine_permit_new(op, "second_factor.create", KIND_MFA_DEVICE, &device.row));
	TRY(engine_check_name(op, KIND_MFA_DEVICE, wish->name));
	if (mfa_device_find_by_account(op->head, account, device.path, wish->name))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_MFA_DEVICE,
				     "MFADevice entity at the same path and name already exists.");
	TRY(limit_check(op, LIMIT_MFA_DEVICES, account, 1, STR_NONE));
	TRY(mfa_device_put(op, &device));
	return engine_log_event(op, KIND_MFA_DEVICE, &device.row, "created", "MFA device %" STR_FMT ".",
				STR_ARG(device.name));
}

RESULT engine_enable_mfa_device(struct op *op, struct mfa_device_use *wish)
{
	const struct mfa_device *device = NULL;
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_USER, &wish->user, &row));
	const struct user *user = user_of(row);
	TRY(engine_permit_own(op, "second_factor.confirm", user, UUID_NONE));
	TRY(second_factor_check_proof(op, user));
	TRY(find_device(op, &wish->device, &device));
	if (!uuid_equal(user->account, device->account))
		return ctx_fail_kind(op->ctx, ERR_STATE, KIND_MFA_DEVICE,
				     "User %" STR_FMT " belongs to a domain, whose users make their second "
				     "factors in the console.",
				     STR_ARG(user->name));
	if (!uuid_is_none(device->second_factor))
		return ctx_fail_kind(op->ctx, ERR_EXISTS, KIND_MFA_DEVICE, "MFA Device is already in use.");
	if (wish->counter <= device->counter)
		return ctx_fail_kind(op->ctx, ERR_INVALID, KIND_SECOND_FACTOR, SECOND_FACTOR_BAD_CODE);
	const struct second_factor_wish factor = {.id = wish->factor,
						  .type = SECOND_FACTOR_TYPE_TOTP,
						  .name = device->name,
						  .secret = wish->secret,
						  .counter = wish->counter,
						  .drift = wish->drift,
						  .is_confirmed = true};
	TRY(second_factor_add(op, user, &factor));
	struct mfa_device next = *device;
	next.second_factor = wish->factor;
	next.row.gen++;
	return mfa_device_put(op, &next);
}

RESULT engine_delete_mfa_device(struct op *op, struct mfa_device_target *wish)
{
	const struct mfa_device *device = NULL;
	TRY(engine_permit_mfa_device(op, &wish->device, "mfa_device.delete", &device));
	if (!uuid_is_none(device->second_factor))
		/* the text is a guess */
		return ctx_fail_kind(op->ctx, ERR_IN_USE, KIND_MFA_DEVICE,
				     "Virtual MFA device is in use. Deactivate it first.");
	TRY(engine_log_event(op, KIND_MFA_DEVICE, &device->row, "deleted", "MFA device %" STR_FMT ".",
			     STR_ARG(device->name)));
	return mfa_device_forget(op, device->row.id);
}
