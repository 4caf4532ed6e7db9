/* SPDX-License-Identifier: Apache-2.0
 * Deletes an account, or a domain, with everything in it. Instances and disks need time to be removed from
 * their hosts, so the account is disabled and marked at once, and the reconciler empties it step by step
 * (reconcile/account.c). */
#pragma once

#include "engine/people/account/account.h"
#include "engine/people/account/domain.h"

/* Deletes an empty account with its users at once; otherwise disables and marks it. ERR_PROTECTED: it
 * contains another account. ERR_DENIED: a policy denies the caller the deletion of something in it. */
OPERATION(engine_purge_account, account_target)
/* Deletes or disables and marks a domain with all its accounts, like engine_purge_account(). ERR_PROTECTED:
 * it is the default domain. */
OPERATION(engine_purge_domain, domain_target)

/* The reconciler's step for a marked account: deletes as much as possible, finally the account, and
 * with the last account a marked domain. If something is refused for two minutes and nothing else can be
 * deleted, or whoever asked may not delete the account any more, the deletion ends with account.delete_problem, and
 * the account stays disabled. OK for an account that is absent or not marked. */
struct later_guard;
struct account_emptying {
	uuid account;
	struct later_guard *
		guard; /* asks the asker's policies again (engine/people/asker.h); NULL: roles alone decide */
};
SYSTEM_OPERATION(engine_empty_account, account_emptying)
