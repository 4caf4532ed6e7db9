/* SPDX-License-Identifier: Apache-2.0
 * Asks the store's judge whether the policy of a queue or topic admits a service. */
#include "engine/messaging/service_sender.h"

#include "engine/resolve.h"
#include "store/hooks.h"

void engine_set_service_judge(struct store *store, struct service_judge *judge)
{
	store_set_judge(store, judge);
}

RESULT engine_admit_service(struct op *op, enum kind kind, const struct row *row,
			    const struct service_sender *sender, bool *ret_is_admitted)
{
	struct service_judge *judge = store_get_judge(op->store);
	if (judge)
		return judge->admit(judge, op->ctx, op->head, kind, row, sender, ret_is_admitted);
	*ret_is_admitted = uuid_equal(engine_get_owner(kind, row), sender->account);
	return OK;
}
