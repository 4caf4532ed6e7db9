/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: lists that are always empty here, but check their parameters as EC2 does. */
#pragma once

#include "api/ec2/core/filter.h"
#include "api/ec2/core/list.h"

/* Parameters of such lists. */
struct ec2_empty_list {
	struct ec2_query query;
	struct strs names;   /* names of services; ids of resources without a kind */
	struct str words[4]; /* other parameters that select rows */
	struct strs products;
	struct ref zone, zone_id, type;
	struct refs types;
	int64_t numbers[3];
	enum choice marketplace;
};

#define FITS_NOTHING(word)                                                                                   \
	{                                                                                                    \
		.name = (word), .get = filter_nothing                                                        \
	}
#define OF_NO_TAGS FITS_NOTHING("tag:"), FITS_NOTHING("tag-key")

/* Checks filters, pages and token as a list with rows does. named: number of ids or names in the request.
 * ERR_COMBINATION, ERR_INVALID. */
RESULT ec2_check_empty_list(struct ec2_call *e, const struct ec2_query *query, size_t named);
