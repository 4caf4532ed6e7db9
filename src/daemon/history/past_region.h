/* SPDX-License-Identifier: Apache-2.0
 * A region as it was: a store of its own in memory, whose rows are the present ones with the log of former states (store/past.h)
 * applied, and faces that answer reads from it. Rows of kinds whose former states are not kept, such as users and
 * hosts, are as they are now. */
#pragma once

#include "daemon/daemon.h"

struct api_protocol;
struct past_region;
/* Blocks. at_us is later than the log's reach. ERR_TOO_LARGE: there were more changes since than PAST_REGION_MAX. */
enum { PAST_REGION_MAX = 200000 };
RESULT past_region_open(struct ctx *c, struct daemon *d, int64_t at_us, struct past_region **ret_region);
void past_region_free(struct past_region *region); /* ignores NULL */
DEFINE_AUTO(past_region)
struct store *past_region_store(struct past_region *region);

/* Sends a GET to a face over that store, as a member of the account. Text is in c's arena. ERR_TIMEOUT: no memory for an
 * answer. */
RESULT past_region_ask(struct ctx *c, struct past_region *region, const struct api_protocol *protocol,
		       uuid account, struct str path, struct str query, int *ret_status,
		       struct str *ret_text);
