/* SPDX-License-Identifier: Apache-2.0
 * Writes last uses into their rows. The row's wanted state does not change, so its gen stays. */
#include "engine/people/credential/last_use.h"

#include "engine/internal.h"
#include "store/access_key.h"
#include "store/iam_role.h"
#include "store/user.h"

static RESULT note_key(struct op *op, const struct last_use *use)
{
	const struct access_key *key = access_key_find(op->head, use->id);
	if (!key || key->last_used_us >= use->at_us)
		return OK;
	struct access_key next = *key;
	next.last_used_us = use->at_us;
	next.last_used_service = use->service;
	next.last_used_region = use->region;
	return access_key_put(op, &next);
}

static RESULT note_role(struct op *op, const struct last_use *use)
{
	const struct iam_role *role = iam_role_find(op->head, use->id);
	if (!role || role->last_used_us >= use->at_us)
		return OK;
	struct iam_role next = *role;
	next.last_used_us = use->at_us;
	next.last_used_region = use->region;
	return iam_role_put(op, &next);
}

static RESULT note_password(struct op *op, const struct last_use *use)
{
	const struct user *user = user_find(op->head, use->id);
	if (!user || user->password_used_us >= use->at_us)
		return OK;
	struct user next = *user;
	next.password_used_us = use->at_us;
	return user_put(op, &next);
}

RESULT engine_note_last_uses(struct op *op, struct last_uses *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		const struct last_use *use = &wish->at[k];
		TRY(use->kind == KIND_ACCESS_KEY ? note_key(op, use)
		    : use->kind == KIND_IAM_ROLE ? note_role(op, use)
						 : note_password(op, use));
	}
	return OK;
}
