/* SPDX-License-Identifier: Apache-2.0
 * Private to api/ec2/: what paths there are, as ranges of rows. A path leads to every row that fits and
 * that the caller may see; it may lead to others, too. ERR_NO_MEMORY. */
#pragma once

#include "api/ec2/core/path.h"

/* NULL: the filter is no path. */
RESULT ranges_of_filter(const struct search *s, const struct filter_run *run, struct path **ret_path);
/* Of the owners that the caller names in a parameter; NULL: none is named. */
RESULT ranges_of_owners(const struct search *s, struct path **ret_path);
/* To every row that the caller may see. */
RESULT ranges_of_all(const struct search *s, struct path **ret_path);
