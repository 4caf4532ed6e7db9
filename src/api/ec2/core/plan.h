/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: which rows the filters of a Describe action lead to. */
#pragma once

#include "api/ec2/core/list.h"
#include "store/query.h"

/* EC2's forms of ids, addresses and instance types. */
extern const struct list_spelling ec2_spelling;

/* Adds to the query a plan for each filter that has an access path (filter.h), one for the owners that a
 * parameter names, and one for all rows that the caller may see. ERR_NO_MEMORY. */
RESULT ec2_plan_list(struct ec2_call *e, const struct ec2_listing *list, const struct filter_runs *runs,
		     struct query *q);
