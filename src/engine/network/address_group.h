/* SPDX-License-Identifier: Apache-2.0
 * Address groups: blocks that rules of security groups name as one peer; EC2's managed prefix lists. A change
 * of one is a change of what those rules let through. What it had before is kept, as its versions. */
#pragma once

#include "engine/operation.h"
#include "model/address_group.h"

enum {
	ADDRESS_GROUPS_OF_ACCOUNT_MAX = 100,
	ADDRESS_GROUP_BLOCKS_MAX = 100,
	ADDRESS_GROUP_VERSIONS_MAX = 100, /* kept besides the present one */
	ADDRESS_GROUP_WORDS_MAX = 255,    /* of a name, and of what a block is for */
};

struct address_group_wish {
	struct ref account; /* whose it is to be; kind none: the caller's */
	struct str name, description;
	struct cidrs addresses; /* made canonical; said twice: once */
	struct strs notes;      /* what each is for: as many, or none */
	enum address_group_family family;
	int64_t max_blocks; /* 0: ADDRESS_GROUP_BLOCKS_MAX */
	struct tags tags;
	struct str client_token, digest; /* empty: none; of the other parameters */
	/* made: */
	uuid group;
};
/* ERR_QUOTA: more blocks (about "addresses"), or groups, than there may be. ERR_INVALID: a block of another
 * family. */
OPERATION(engine_create_address_group, address_group_wish)

struct address_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: as they are */
};
OPERATION(engine_update_address_group, address_group_settings)

/* All or none. ERR_EXISTS: one to be added is there; ERR_NOT_FOUND about "addresses": one to be removed is
 * not; ERR_QUOTA, ERR_INVALID as above. */
struct address_group_change {
	struct ref group;
	struct cidrs addresses; /* made canonical; said twice: once */
	bool removes;
};
OPERATION(engine_change_address_group, address_group_change)

/* Several at once, or none of them. ERR_CONFLICT: it is at another version. ERR_RANGE about "MaxEntries":
 * there are more blocks. ERR_NOT_FOUND with KIND_ADDRESS_GROUP_VERSION; else as above. */
struct address_group_edit {
	struct ref group;
	int64_t current_version;     /* 0: whichever it is at */
	const struct str *name;      /* NULL: as it is */
	int64_t max_blocks;          /* 0: as they are; not together with blocks */
	struct cidrs added, removed; /* made canonical; no block in both */
	struct strs notes;           /* of those added */
	int64_t restored;            /* 0: else the blocks of that version, and no others */
	/* made: */
	uuid edited;
};
OPERATION(engine_edit_address_group, address_group_edit)

/* ERR_IN_USE while a rule names it. */
struct address_group_target {
	struct ref group;
	/* made: without blocks and tags */
	struct address_group deleted;
};
OPERATION(engine_delete_address_group, address_group_target)

/* Rules that EC2 makes by it are of IPv6: its family, or that of all its blocks. */
bool engine_is_ipv6_addresses(const struct address_group *group);
/* The blocks that it has at that version (0: now), and what they are for. ERR_NOT_FOUND with
 * KIND_ADDRESS_GROUP_VERSION. */
RESULT engine_find_addresses(struct ctx *c, const struct tables *t, const struct address_group *group,
			     int64_t version, struct str field, struct cidrs *ret_blocks,
			     struct strs *ret_notes);
