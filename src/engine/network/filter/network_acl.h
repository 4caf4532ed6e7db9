/* SPDX-License-Identifier: Apache-2.0
 * Network ACLs: numbered entries that allow or deny traffic into and out of a VPC's subnets, without
 * connection tracking unless the ACL is stateful. Traffic that no entry matches is denied. Each subnet has
 * one ACL, at first its VPC's default. */
#pragma once

#include "engine/operation.h"

enum {
	NETWORK_ACL_NUMBER_MAX = 32766,
	NETWORK_ACL_ITEM_MAX = NETWORK_ACL_NUMBER_MAX - 1, /* highest number in faces that use
							    * NETWORK_ACL_NUMBER_MAX for the implied entry */
	NETWORK_ACL_ENTRIES_MAX = 20, /* per direction; as in EC2, the final deny counts as one */
	NETWORK_ACL_ENTRY_BLOCKS_MAX = 32,
	NETWORK_ACL_STATEFUL_ENTRIES_MAX = 100, /* the same limit for stateful ACLs */
	NETWORK_ACLS_MAX = 200,                 /* per VPC, the default ACL included */
};

/* Creates an ACL without entries, which denies everything, or all ingress (lets_all_out). ERR_QUOTA with
 * KIND_NETWORK_ACL. */
struct network_acl_wish {
	struct ref router;
	struct str name, description;
	bool lets_all_out; /* by an egress entry with the highest number */
	bool is_stateful;  /* replies pass without an entry */
	struct tags tags;
	struct str client_token, digest; /* digest covers the other parameters; empty token: none */
	/* outputs: */
	uuid acl;
};
OPERATION(engine_create_network_acl, network_acl_wish)

struct network_acl;
struct network_acl_entry;
/* True for the egress entry that allows everything in a stateful ACL without other egress entries.
 * CloudStack's ACLs behave so without an entry, so that face hides it. */
bool engine_is_entry_implied(const struct network_acl *acl, const struct network_acl_entry *entry);

struct network_acl_settings {
	struct ref acl;
	const struct str *name, *description; /* NULL: unchanged */
};
OPERATION(engine_update_network_acl, network_acl_settings)

/* Deletes an ACL. ERR_IN_USE: a subnet uses it. ERR_INVALID: it is the VPC's default. */
struct network_acl_target {
	struct ref acl;
};
OPERATION(engine_delete_network_acl, network_acl_target)

/* An entry: its place in an ACL (direction and number), and its content. */
struct network_acl_entry_wish {
	struct ref acl;
	bool egress;
	int64_t number; /* 1 to NETWORK_ACL_NUMBER_MAX */
	bool allows;
	int64_t protocol, from_port, to_port; /* same encoding as in the row */
	struct cidrs blocks;                  /* made canonical; at least one, all of one family: ERR_INVALID
					       * otherwise */
	struct str description;
	/* All egress is allowed until there is an egress entry; see rules_wish.none_is_all
	 * (security_group.h). */
	bool none_is_all;
	/* outputs: */
	uuid entry;
};
/* Creates an entry. Like the next two operations, fails with KIND_NETWORK_ACL_ENTRY. ERR_EXISTS: that place
 * has an entry. ERR_QUOTA: the ACL has too many entries, where each counts once per block, or the entry has
 * too many blocks. */
OPERATION(engine_create_network_acl_entry, network_acl_entry_wish)
/* ERR_NOT_FOUND: there is no entry at that place. */
OPERATION(engine_replace_network_acl_entry, network_acl_entry_wish)
/* Uses only the entry's place. ERR_NOT_FOUND: there is no entry at that place. */
OPERATION(engine_delete_network_acl_entry, network_acl_entry_wish)

/* Replaces an entry's content and place; its id stays. ERR_EXISTS: the new place has an entry. */
struct network_acl_entry_change {
	struct ref entry;
	struct network_acl_entry_wish wish; /* acl is an output; without blocks the present ones stay */
};
OPERATION(engine_change_network_acl_entry, network_acl_entry_change)

/* Renumbers an entry: to follow `previous`, or to be last if there is no `next`, or first if there is no
 * `previous`. Entries with conflicting numbers, of either direction, move up by one. ERR_RANGE: no number is
 * left. */
struct network_acl_entry_move {
	struct ref entry, previous,
		next;      /* entries of the same ACL. ERR_COMBINATION: neither is given. ERR_INVALID: another
		       * ACL's */
	struct str digest; /* hex MD5 of all entry ids in number order; empty: not checked. ERR_STATE: it does
			 * not match */
};
OPERATION(engine_move_network_acl_entry, network_acl_entry_move)

struct network_acl_association {
	struct ref association; /* a subnet's, from id_parse_prefixed() */
	struct ref acl;         /* ERR_INVALID unless it is of the same VPC */
	/* outputs: */
	uuid made;
};
OPERATION(engine_replace_network_acl_association, network_acl_association)
