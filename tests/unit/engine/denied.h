/* SPDX-License-Identifier: Apache-2.0
 * Denies one permission on one row, as a policy of the caller's account could, to show that an operation asks for it. */
#pragma once

#include <string.h>

#include "cloud.h"

static const char *denied_permission;
static uuid denied_row;
static guard_check *check_before_denial;

static RESULT deny_one(struct guard *g, struct ctx *c, const struct tables *t, const char *permission,
		       enum kind kind, const struct row *row, const struct row *planned, bool *ret_is_allowed)
{
	if (row && uuid_equal(row->id, denied_row) && strcmp(permission, denied_permission) == 0)
		return ctx_fail_kind(c, ERR_DENIED, (int) kind, "A policy denies it.");
	return check_before_denial(g, c, t, permission, kind, row, planned, ret_is_allowed);
}

/* Holds for the next operation only. */
#define cloud_denies(c, who, operation, wish, permission, kind, row)                                         \
	do {                                                                                                 \
		denied_permission = (permission);                                                            \
		denied_row = (row);                                                                          \
		check_before_denial = engine_guard_of_roles.check;                                           \
		engine_guard_of_roles.check = deny_one;                                                      \
		struct result denial_ = cloud_run((c), (who), operation##_run, (wish));                      \
		engine_guard_of_roles.check = check_before_denial;                                           \
		cloud_expect((c), denial_, ERR_DENIED, (kind));                                              \
	} while (0)
