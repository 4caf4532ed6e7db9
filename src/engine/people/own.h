/* SPDX-License-Identifier: Apache-2.0
 * What is one's own: access keys, application credentials, one's password. A user may see and change these
 * with a token for any account or for none, so the account that the call is for is not the one to ask. Three
 * accounts are concerned: the user's, the one that the key or credential is for, and the call's; the policies
 * that the caller has in each of them are asked, and a Deny in any of them holds. An account's own users need
 * an account's leave as IAM has it: a policy that allows, or a manager's role. A domain's users need none, as
 * in Keystone. On the head or on a view that walks. */
#pragma once

#include "engine/operation.h"

struct user;

/* "access_key.create": what people do about themselves, whatever they may elsewhere. */
bool engine_is_personal(const char *permission);

/* Whether the caller may do this to what is that user's and is for that account (none: it is for no one
 * account). An application credential does none of it that reaches farther than the credential itself: a
 * restricted one sees and makes no secret; one with fewer roles than the user has sees and makes no access
 * key. ERR_DENIED with KIND_USER. */
RESULT engine_check_own(struct ctx *c, const struct tables *t, const char *permission,
			const struct user *user, uuid account);

/* Whether an application credential proved who asks that lacks a role which its user has in the account. */
bool engine_is_narrowed(const struct tables *t, const struct identity *who, uuid account);

/* The same in an operation, instead of engine_permit(); the policies of the call's account are asked about
 * the call's action as for any row. */
RESULT engine_permit_own(struct op *op, const char *permission, const struct user *user, uuid account);
