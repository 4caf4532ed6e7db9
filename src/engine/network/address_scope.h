/* SPDX-License-Identifier: Apache-2.0
 * Address scopes: subnet pools of one scope are of one family, and have no address in common. As in Neutron's OVN driver, a
 * scope is a matter of pools alone: routers route and translate between scopes as they do without. */
#pragma once

#include "engine/operation.h"

enum { ADDRESS_SCOPES_OF_ACCOUNT_MAX = 100 };

/* Creates a scope. ERR_DENIED: only administrators share one. ERR_QUOTA with KIND_ADDRESS_SCOPE. */
struct address_scope_wish {
	struct ref account; /* owner; kind none: the caller's account */
	struct str name;
	bool is_ipv6, is_shared;
	/* outputs: */
	uuid scope;
};
OPERATION(engine_create_address_scope, address_scope_wish)

/* Changes a scope. ERR_PROTECTED with KIND_ADDRESS_SCOPE: sharing is not ended. */
struct address_scope_settings {
	struct ref scope;
	const struct str *name; /* NULL: unchanged */
	enum choice is_shared;
};
OPERATION(engine_update_address_scope, address_scope_settings)

/* Deletes a scope. ERR_IN_USE: a subnet pool is in it. */
struct address_scope_target {
	struct ref scope;
};
OPERATION(engine_delete_address_scope, address_scope_target)
