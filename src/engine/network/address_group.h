/* SPDX-License-Identifier: Apache-2.0
 * Address groups, which EC2 calls managed prefix lists: blocks that rules of security groups name
 * as one peer. A change of a group changes what those rules let through. Its earlier blocks are
 * kept as versions. */
#pragma once

#include "engine/operation.h"
#include "model/address_group.h"

enum {
	ADDRESS_GROUPS_OF_ACCOUNT_MAX = 100,
	ADDRESS_GROUP_BLOCKS_MAX = 100,
	ADDRESS_GROUP_VERSIONS_MAX = 100, /* kept besides the present one */
	ADDRESS_GROUP_WORDS_MAX = 255,    /* characters of a name, and of a block's note */
};

struct address_group_wish {
	struct ref account; /* the account that shall own it; kind none: the caller's */
	struct str name, description;
	struct cidrs addresses; /* made canonical; said twice: once */
	struct strs notes;      /* what each block is for: as many as blocks, or none */
	enum address_group_family family;
	int64_t max_blocks; /* 0: ADDRESS_GROUP_BLOCKS_MAX */
	struct tags tags;
	struct str client_token, digest; /* empty: none; of the other parameters */
	/* made: */
	uuid group;
};
/* ERR_QUOTA: more blocks (with the field "addresses") or groups than there may be. ERR_INVALID: a
 * block of another family. */
OPERATION(engine_create_address_group, address_group_wish)

struct address_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: as they are */
};
OPERATION(engine_update_address_group, address_group_settings)

/* Adds or removes blocks, all or none. ERR_EXISTS: one to be added is there. ERR_NOT_FOUND with the
 * field "addresses": one to be removed is not. ERR_QUOTA and ERR_INVALID as above. */
struct address_group_change {
	struct ref group;
	struct cidrs addresses; /* made canonical; said twice: once */
	bool removes;
};
OPERATION(engine_change_address_group, address_group_change)

/* Makes several changes as one. ERR_CONFLICT: the group is at another version. ERR_RANGE with the
 * field "MaxEntries": it has more blocks. ERR_NOT_FOUND with KIND_ADDRESS_GROUP_VERSION. Else as
 * above. */
struct address_group_edit {
	struct ref group;
	int64_t current_version;     /* 0: whichever it is at */
	const struct str *name;      /* NULL: as it is */
	int64_t max_blocks;          /* 0: as they are; not together with blocks */
	struct cidrs added, removed; /* made canonical; no block in both */
	struct strs notes;           /* of those added */
	int64_t restored; /* 0: not given; else the group gets the blocks of that version, and no others */
	/* made: */
	uuid edited;
};
OPERATION(engine_edit_address_group, address_group_edit)

/* Deletes a group, which EC2 lists for a while (engine/ended.h). ERR_IN_USE: a rule names it. */
struct address_group_target {
	struct ref group;
	/* made: */
	uuid deleted;
};
OPERATION(engine_delete_address_group, address_group_target)

/* Whether the rules that EC2 makes with it are IPv6 rules: by the group's family, or by that of all
 * its blocks. */
bool engine_is_ipv6_addresses(const struct address_group *group);
/* The blocks that the group has at that version (0: now), and what they are for. ERR_NOT_FOUND with
 * KIND_ADDRESS_GROUP_VERSION. */
RESULT engine_find_addresses(struct ctx *c, const struct tables *t, const struct address_group *group,
			     int64_t version, struct str field, struct cidrs *ret_blocks,
			     struct strs *ret_notes);
