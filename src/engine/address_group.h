/* SPDX-License-Identifier: Apache-2.0
 * Address groups: blocks that rules of security groups name as one peer. A change of one is a change of what
 * those rules let through. */
#pragma once

#include "engine/operation.h"

enum { ADDRESS_GROUPS_OF_ACCOUNT_MAX = 100, ADDRESS_GROUP_BLOCKS_MAX = 100 };

struct address_group_wish {
	struct ref account; /* whose it is to be; kind none: the caller's */
	struct str name, description;
	struct cidrs addresses; /* made canonical; said twice: once */
	/* made: */
	uuid group;
};
/* ERR_QUOTA: more blocks, or groups, than there may be. */
OPERATION(engine_create_address_group, address_group_wish)

struct address_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: as they are */
};
OPERATION(engine_update_address_group, address_group_settings)

/* All or none. ERR_EXISTS: one to be added is there; ERR_NOT_FOUND about "addresses": one to be removed is
 * not; ERR_QUOTA. */
struct address_group_change {
	struct ref group;
	struct cidrs addresses; /* made canonical; said twice: once */
	bool removes;
};
OPERATION(engine_change_address_group, address_group_change)

/* ERR_IN_USE while a rule names it. */
struct address_group_target {
	struct ref group;
};
OPERATION(engine_delete_address_group, address_group_target)
