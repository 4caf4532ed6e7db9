/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: vaults and roles, as plans and jobs of AWS Backup name them. */
#pragma once

#include "engine/internal.h"
#include "engine/people/asker.h"

struct backup_vault;

/* The account's vault of that name; makes the vault Default. permission NULL: the caller is not asked about it. ERR_NOT_FOUND. */
RESULT backup_vault_find_or_make(struct op *op, uuid account, struct str name, const char *permission,
				 const struct backup_vault **ret_vault);
/* The role that acts alone for work of the account from now on, which the caller may pass. ERR_INVALID: there is none. */
RESULT backup_role_take(struct op *op, uuid account, struct str arn, enum kind kind, struct asker *ret_asker);
