/* SPDX-License-Identifier: Apache-2.0
 * Address groups (EC2: managed prefix lists): CIDR blocks that security group rules name as one peer.
 * Changing a group changes what those rules allow. Earlier contents are kept as versions. */
#pragma once

#include "engine/operation.h"
#include "model/address_group_words.h"

struct address_group;

enum {
	ADDRESS_GROUPS_OF_ACCOUNT_MAX = 100,
	ADDRESS_GROUP_BLOCKS_MAX = 100,
	ADDRESS_GROUP_VERSIONS_MAX = 100, /* in addition to the current version */
	ADDRESS_GROUP_WORDS_MAX = 255,    /* characters of a name, or of a block's note */
};

struct address_group_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct str name, description;
	struct cidrs addresses; /* made canonical; duplicates are dropped */
	struct strs notes;      /* descriptions of the blocks: one a block, or none at all */
	enum address_group_family family;
	int64_t max_blocks; /* 0: ADDRESS_GROUP_BLOCKS_MAX */
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* outputs: */
	uuid group;
};
/* ERR_QUOTA: too many groups or, with the field "addresses", too many blocks. ERR_INVALID: a block of the
 * wrong family. */
OPERATION(engine_create_address_group, address_group_wish)

struct address_group_settings {
	struct ref group;
	const struct str *name, *description; /* NULL: unchanged */
};
OPERATION(engine_update_address_group, address_group_settings)

/* Adds or removes blocks, all or none. With the field "addresses": ERR_EXISTS, a block to add is present;
 * ERR_NOT_FOUND, a block to remove is absent. ERR_QUOTA and ERR_INVALID as for
 * engine_create_address_group(). */
struct address_group_change {
	struct ref group;
	struct cidrs addresses; /* made canonical; duplicates are dropped */
	bool removes;
};
OPERATION(engine_change_address_group, address_group_change)

/* Applies several changes together. ERR_CONFLICT: current_version is not the group's version. ERR_RANGE with
 * the field "MaxEntries": the group has more blocks. ERR_NOT_FOUND with KIND_ADDRESS_GROUP_VERSION:
 * `restored` is unknown. Otherwise as engine_change_address_group(). */
struct address_group_edit {
	struct ref group;
	int64_t current_version;     /* 0: not checked */
	const struct str *name;      /* NULL: unchanged */
	int64_t max_blocks;          /* 0: unchanged; cannot be combined with blocks */
	struct cidrs added, removed; /* made canonical; no block in both */
	struct strs notes;           /* descriptions of the added blocks */
	int64_t restored;            /* 0: none; else the version whose blocks replace the present ones */
	/* outputs: */
	uuid edited;
};
OPERATION(engine_edit_address_group, address_group_edit)

/* Deletes a group; lists show it for a while longer (engine/tombstone.h). ERR_IN_USE: a rule names it. */
struct address_group_target {
	struct ref group;
	/* outputs: */
	uuid deleted;
};
OPERATION(engine_delete_address_group, address_group_target)

/* True if EC2 shows rules that name the group as IPv6 rules: by the group's family or, without one, if all
 * blocks are IPv6. */
bool engine_is_ipv6_addresses(const struct address_group *group);
/* Blocks of the group at a version (0: the current one), with their descriptions. ERR_NOT_FOUND with
 * KIND_ADDRESS_GROUP_VERSION. */
RESULT engine_find_addresses(struct ctx *c, const struct tables *t, const struct address_group *group,
			     int64_t version, struct str field, struct cidrs *ret_blocks,
			     struct strs *ret_notes);
