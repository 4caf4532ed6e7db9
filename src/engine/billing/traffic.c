/* SPDX-License-Identifier: Apache-2.0
 * Records of counted traffic. */
#include "engine/billing/traffic.h"

#include "store/ledger.h"

RESULT engine_count_traffic(struct op *op, struct traffic_wish *wish)
{
	for (size_t k = 0; k < wish->count; k++) {
		const struct counted_traffic *t = &wish->at[k];
		TRY(op_usage(op, KIND_ADDRESS, t->address, t->account, STR("net.in"), t->in));
		TRY(op_usage(op, KIND_ADDRESS, t->address, t->account, STR("net.out"), t->out));
	}
	return OK;
}
