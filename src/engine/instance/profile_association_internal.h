/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: profile associations. Everything here runs inside an operation. */
#pragma once

#include "engine/internal.h"

/* Finds a profile of the account, and asks for the permission to pass its role (if it has one) to the
 * instance; NULL: to a new one. */
RESULT profile_association_find_passed(struct op *op, const struct account *account, const struct ref *ref,
				       const struct instance *instance,
				       const struct instance_profile **ret_profile);
/* Writes the association of an instance that has none. */
RESULT profile_association_write(struct op *op, const struct instance *instance,
				 const struct instance_profile *profile, uuid *ret_association);
/* Forgets the instance's association, if there is one. */
RESULT profile_association_leave_instance(struct op *op, uuid instance);
