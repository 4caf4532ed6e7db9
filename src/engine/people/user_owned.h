/* SPDX-License-Identifier: Apache-2.0
 * A user's own secrets: access keys, application credentials, the password. A user may see and change these
 * with a token for any account or for none, so the account of the call cannot decide alone. Three accounts
 * are involved: the user's, the one that the key or credential is for, and the call's. The caller's policies
 * in each of them are evaluated, and a Deny in any of them wins. As in IAM, an account's own user needs the
 * account's permission: a policy that allows it, or a manager's role. As in Keystone, a domain's user needs
 * none. For the head or a view in walks. */
#pragma once

#include "engine/operation.h"

struct user;

/* True if a permission, such as "access_key.create", is about a user's own secrets. */
bool engine_is_personal(const char *permission);

/* Checks that the caller may do this to a secret of the user for the account (none: no particular account).
 * An application credential cannot reach beyond itself: a restricted one cannot see or create secrets; one
 * with fewer roles than its user cannot see or create access keys. Trusts allow none of it. ERR_DENIED with
 * KIND_USER. */
RESULT engine_check_own(struct ctx *c, const struct tables *t, const char *permission,
			const struct user *user, uuid account);

/* Checks that no policy of the accounts involved denies this to the caller about his own secret. Needs no
 * policy that allows it: for what the operation itself grants, such as the renewal of an expired password.
 * ERR_DENIED with KIND_USER: a policy denies it, or the caller is somebody else. */
RESULT engine_check_undenied(struct ctx *c, const struct tables *t, const char *permission,
			     const struct user *user);

/* ERR_DENIED: application credentials cannot manage trusts. */
RESULT engine_check_trusting(struct ctx *c);

/* True if the caller uses an application credential, or a trust, without all the roles that its user has in
 * the account. */
bool engine_is_narrowed(const struct tables *t, const struct identity *who, uuid account);

/* Checks like engine_check_own(), inside an operation and instead of engine_permit(). Also evaluates the
 * policies of the call's account for the call's action, as for any row. */
RESULT engine_permit_own(struct op *op, const char *permission, const struct user *user, uuid account);
