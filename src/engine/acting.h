/* SPDX-License-Identifier: Apache-2.0
 * Ids and numbers of accounts. A file that needs no more than these does not depend on the struct of accounts. */
#pragma once

#include "engine/operation.h"

/* On the committer: the id that engine_find_acting_account() or engine_find_owner_to_be() finds, with the failures of that function. */
RESULT engine_find_acting_id(struct op *op, uuid *ret_account);
RESULT engine_find_owner_id(struct op *op, const struct ref *wanted, uuid *ret_account);

/* The account's number of twelve digits; empty: there is no such account. t: the head, or an open view. */
struct str engine_account_number(const struct tables *t, uuid account);
