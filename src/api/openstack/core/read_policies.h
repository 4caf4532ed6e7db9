/* SPDX-License-Identifier: Apache-2.0
 * Keystone's default policies of reads (read_policies.def). */
#pragma once

#include "api/openstack/core/action.h"

/* ERR_DENIED: the token alone shows that its bearer may not read that. Rules about single rows are left to handlers. */
RESULT os_check_read_policy(const struct os_call *e);
/* True if a row of read_policies.def names the policy. For tests. */
bool os_has_read_policy(const char *permit);
/* True if the caller reads the whole region: an administrator, or a reader of the system. */
bool os_reads_region(const struct os_call *e);
/* True if the caller of a read is refused whether the row exists or not: its policy compares the caller with the row. */
bool os_hides_absence(const struct os_call *e);
/* ERR_DENIED in Keystone's words. */
RESULT os_fail_policy(const struct os_call *e);
/* Puts a refusal in the place of ERR_NOT_FOUND for callers who may not read all of the region: Keystone's policies compare the caller with
 * the row, and nothing equals a row that is not there. */
RESULT os_hide_absence(struct os_call *e, struct result found);
