/* SPDX-License-Identifier: Apache-2.0
 * Ids of the accounts that a change acts for. A file that needs no more than the id does not depend on the struct of accounts.
 * Committer only. */
#pragma once

#include "engine/operation.h"

/* The id that engine_find_acting_account() or engine_find_owner_to_be() finds, with the failures of that function. */
RESULT engine_find_acting_id(struct op *op, uuid *ret_account);
RESULT engine_find_owner_id(struct op *op, const struct ref *wanted, uuid *ret_account);
