/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: grants of QoS policies, address scopes, subnet pools and address groups. */
#pragma once

#include "engine/internal.h"

struct network_grant;

/* Errors are those of engine_grant_network(), engine_change_network_grant() and engine_revoke_network(). */
RESULT object_grant_write(struct op *op, const struct ref *object, const struct ref *account, uuid target,
			  struct str field, uuid *ret_grant);
RESULT object_grant_change(struct op *op, const struct network_grant *grant, uuid target, struct str field);
RESULT object_grant_remove(struct op *op, const struct network_grant *grant, struct str field);
/* Grants an object to all accounts, or revokes that grant; the caller checks the permission. ERR_IN_USE with
 * KIND_NETWORK_GRANT: rows of other accounts need the object. */
RESULT object_grant_share(struct op *op, enum kind kind, uuid object, enum choice choice);
/* True if the grantees in an object's row include the account, or everybody. */
bool object_grant_covers(const struct uuids *users, uuid account);
