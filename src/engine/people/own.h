/* SPDX-License-Identifier: Apache-2.0
 * What is a user's own: access keys, application credentials, the password. A user may see and
 * change these with a token for any account or for none, so the account of the call alone cannot
 * decide. Three accounts are concerned: the user's, the one that the key or credential is for, and
 * the call's. The caller's policies in each of them are asked, and a Deny in any of them wins.
 *
 * An account's own user needs the account's leave, as in IAM: a policy that allows it, or a
 * manager's role. A domain's user needs none, as in Keystone. On the head, or on a view that
 * walks. */
#pragma once

#include "engine/operation.h"

struct user;

/* Whether a permission, such as "access_key.create", is about what people do with their own. */
bool engine_is_personal(const char *permission);

/* Whether the caller may do this to something that belongs to that user and is for that account
 * (none: for no particular account). A caller with an application credential may do nothing that
 * reaches farther than the credential: a restricted one sees and makes no secret; one with fewer
 * roles than its user sees and makes no access key. With a trust nobody sees or makes either. ERR_DENIED with
 * KIND_USER. */
RESULT engine_check_own(struct ctx *c, const struct tables *t, const char *permission,
			const struct user *user, uuid account);

/* ERR_DENIED: an application credential has nothing to do with trusts. */
RESULT engine_check_trusting(struct ctx *c);

/* Whether the caller uses an application credential, or a trust, that lacks a role which its user has in the
 * account. */
bool engine_is_narrowed(const struct tables *t, const struct identity *who, uuid account);

/* The same inside an operation, instead of engine_permit(). The policies of the call's account are
 * asked about the call's action, as for any row. */
RESULT engine_permit_own(struct op *op, const char *permission, const struct user *user, uuid account);
