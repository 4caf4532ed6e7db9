/* SPDX-License-Identifier: Apache-2.0
 * Deletes an account, or a domain, with everything in it. Machines and disks need their hosts to go, so this takes several looks:
 * the account is disabled and marked at once, and the reconciler empties it (reconcile/account.c). */
#pragma once

#include "engine/people/account.h"
#include "engine/people/domain.h"

/* Deletes the account with its users at once if it is empty; else disables and marks it. ERR_PROTECTED: another account is in
 * it. ERR_DENIED: a policy keeps the caller from something in it. */
OPERATION(engine_purge_account, account_target)
/* The same for a domain with all its accounts. ERR_PROTECTED: it is the default domain. */
OPERATION(engine_purge_domain, domain_target)

/* For the reconciler: one look at an account that is marked. Deletes what can go now, in the end the account, and with the last one
 * a domain that is marked. What is refused for two minutes, while nothing else goes, ends the deletion with
 * account.delete_problem. The account stays disabled. Absent or not marked: OK. */
OPERATION(engine_empty_account, account_target)
