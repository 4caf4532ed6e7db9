/* SPDX-License-Identifier: Apache-2.0
 * Checks the parameters of a list that never has rows, as lists with rows do. */
#include "api/ec2/core/empty_list.h"

RESULT ec2_check_empty_list(struct ec2_call *e, const struct ec2_query *query, size_t named)
{
	struct filter_runs runs;
	struct row_place after = {0};
	if (query->max_results && named)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("MaxResults"),
				      "The parameter MaxResults cannot be used with ids or names");
	TRY(filters_compile(e, KIND_NONE, &ec2_action_of(e)->filters, &query->filters, &runs));
	return ec2_parse_token(e, query->next_token, &after);
}
