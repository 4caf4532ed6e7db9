/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/: vaults and roles, as plans and jobs of AWS Backup name them. */
#pragma once

#include "engine/internal.h"
#include "engine/people/asker.h"

struct backup_vault;

/* Finds the account's vault of that name, and makes the vault Default if it is missing. permission: for the vault; NULL: the caller is not
 * asked. ERR_NOT_FOUND. */
RESULT backup_vault_find_or_make(struct op *op, uuid account, struct str name, const char *permission,
				 const struct backup_vault **ret_vault);
/* Returns a role of the account as the asker of work, in place of the caller, who must be allowed to pass the role. ERR_INVALID: there is no
 * such role. */
RESULT backup_role_take(struct op *op, uuid account, struct str arn, enum kind kind, struct asker *ret_asker);
