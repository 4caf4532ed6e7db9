/* SPDX-License-Identifier: Apache-2.0
 * Finds queues and topics of other accounts that their policies open to the caller. Called by: api/sqs, api/sns, and the operations of
 * queues and topics. */
#include "engine/messaging/messaging_internal.h"
#include "engine/resolve.h"

bool engine_is_foreign(const struct ctx *c, enum kind kind, const struct row *row)
{
	return c->guard && c->who && !uuid_equal(engine_get_owner(kind, row), c->who->account);
}

RESULT engine_check_shared(struct ctx *c, const struct tables *t, const struct ref *ref,
			   const struct row *row)
{
	TRY(engine_check_guarded(c));
	struct result shared = c->guard->check_shared(c->guard, c, t, ref->kind, row);
	return shared.code == ERR_NOT_FOUND ? engine_fail_not_found(c, ref->kind, ref) : shared;
}

RESULT messaging_permit(struct op *op, const struct ref *ref, const char *permission, const struct row *row,
			const struct row **ret_row)
{
	if (!row || !ref->bits || !engine_is_foreign(op->ctx, ref->kind, row))
		return engine_permit_named(op, ref->kind, ref, permission, ret_row);
	TRY(engine_permit_shared(op, permission, ref, row));
	*ret_row = row;
	return OK;
}
