/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs: numbered entries that say what may enter and leave a VPC's subnets. They do not
 * track connections. What no entry decides is denied. A subnet has one, at first its VPC's default
 * one. */
#pragma once

#include "engine/operation.h"

enum {
	NETWORK_ACL_NUMBER_MAX = 32766,
	NETWORK_ACL_ITEM_MAX = NETWORK_ACL_NUMBER_MAX - 1, /* where the last one is for what is implied */
	NETWORK_ACL_ENTRIES_MAX = 20, /* each way, with the last one, which denies the rest: as EC2 counts */
	NETWORK_ACL_ENTRY_BLOCKS_MAX = 32,
	NETWORK_ACL_STATEFUL_ENTRIES_MAX = 100, /* likewise, of a list that tracks connections */
	NETWORK_ACLS_MAX = 200,                 /* of a VPC, with the default one */
};

/* Makes an ACL that denies everything, or all that enters. ERR_QUOTA with KIND_NETWORK_ACL. */
struct network_acl_wish {
	struct ref router;
	struct str name, description;
	bool lets_all_out; /* by an entry with the last number */
	bool is_stateful;  /* what answers passes without an entry */
	struct tags tags;
	struct str client_token, digest; /* empty: none; of the other parameters */
	/* made: */
	uuid acl;
};
OPERATION(engine_create_network_acl, network_acl_wish)

struct network_acl;
struct network_acl_entry;
/* Whether the entry stands for what no entry says: all leaves a list that tracks connections until one says what may.
 * Faces whose lists do so by themselves show none. */
bool engine_is_entry_implied(const struct network_acl *acl, const struct network_acl_entry *entry);

struct network_acl_settings {
	struct ref acl;
	const struct str *name, *description; /* NULL: as they are */
};
OPERATION(engine_update_network_acl, network_acl_settings)

/* Deletes an ACL. ERR_IN_USE: a subnet has it. ERR_INVALID: it is its VPC's default one. */
struct network_acl_target {
	struct ref acl;
};
OPERATION(engine_delete_network_acl, network_acl_target)

/* One entry: its place in an ACL, and what is there. */
struct network_acl_entry_wish {
	struct ref acl;
	bool egress;
	int64_t number; /* 1 to NETWORK_ACL_NUMBER_MAX */
	bool allows;
	int64_t protocol, from_port, to_port; /* as in the row */
	struct cidrs blocks;                  /* made canonical; at least one, of one family: ERR_INVALID */
	struct str description;
	/* All may go out as long as no entry says what may: as rules_wish.none_is_all (security_group.h). */
	bool none_is_all;
	/* made: */
	uuid entry;
};
/* These three fail with KIND_NETWORK_ACL_ENTRY. ERR_EXISTS: the place is taken. ERR_QUOTA: of the list's entries, each
 * of which counts as often as it has blocks, or of one's blocks. */
OPERATION(engine_create_network_acl_entry, network_acl_entry_wish)
/* ERR_NOT_FOUND: nothing is at that place. */
OPERATION(engine_replace_network_acl_entry, network_acl_entry_wish)
/* Only the place counts. ERR_NOT_FOUND as above. */
OPERATION(engine_delete_network_acl_entry, network_acl_entry_wish)

/* Makes an entry what is wished for, at another place too, and keeps its id. ERR_EXISTS: the place is taken. */
struct network_acl_entry_change {
	struct ref entry;
	struct network_acl_entry_wish wish; /* its acl is set here; without blocks they stay */
};
OPERATION(engine_change_network_acl_entry, network_acl_entry_change)

/* Gives an entry a number behind the previous one's, or behind the last one's where no next one is said; without a previous one the
 * first. Entries that are in the way, in either direction, move up by one. ERR_RANGE: there is no number left. */
struct network_acl_entry_move {
	struct ref entry, previous,
		next; /* of one list. ERR_COMBINATION: neither is said. ERR_INVALID: of another list */
	struct str
		digest; /* MD5, in hex, of all ids in the order of their numbers; empty: unsaid. ERR_STATE: it is another one */
};
OPERATION(engine_move_network_acl_entry, network_acl_entry_move)

struct network_acl_association {
	struct ref association; /* a subnet's, from id_parse_prefixed() */
	struct ref acl;         /* must be of the same VPC: ERR_INVALID */
	/* made: */
	uuid made;
};
OPERATION(engine_replace_network_acl_association, network_acl_association)
