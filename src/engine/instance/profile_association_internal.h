/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: what its files share of profile associations. All of it runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* A profile of the account that the caller names, and whose role, if it has one, it may pass on to the
 * instance; NULL: to one that is about to be made. */
RESULT profile_association_find_passed(struct op *op, const struct account *account, const struct ref *ref,
				       const struct instance *instance,
				       const struct instance_profile **ret_profile);
/* Of an instance that has none. */
RESULT profile_association_write(struct op *op, const struct instance *instance,
				 const struct instance_profile *profile, uuid *ret_association);
/* The instance has none any more, if it had one. */
RESULT profile_association_leave_instance(struct op *op, uuid instance);
