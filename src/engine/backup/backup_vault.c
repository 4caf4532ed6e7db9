/* SPDX-License-Identifier: Apache-2.0
 * Vaults, and tags of vaults, plans and recovery points. Source: AWS Backup's API Reference. */
#include "engine/backup/backup_vault.h"

#include "engine/acting.h"
#include "engine/backup/backup_vault_internal.h"
#include "engine/internal.h"
#include "engine/limits.h"
#include "engine/storage/snapshot/backup.h"
#include "engine/storage/snapshot/backup_internal.h"
#include "engine/tag_internal.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/backup_vault.h"
#include "store/machine_backup.h"

enum { VAULT_NAME_MIN = 2, VAULT_NAME_MAX = 50 };

/* ---- names and folders ---- */

struct str engine_vault_container(struct str name)
{
	return str_is(name, BACKUP_VAULT_DEFAULT) ? STR(BACKUP_CONTAINER) : name;
}

struct str engine_vault_name(struct str container)
{
	return str_is(container, BACKUP_CONTAINER) ? STR(BACKUP_VAULT_DEFAULT) : container;
}

struct str engine_write_backup_arn(struct arena *a, struct str region, struct str account_number,
				   enum kind kind, const struct row *row)
{
	struct str id = row ? uuid_to_str(a, row->id) : STR("*");
	if (kind == KIND_BACKUP_VAULT && row)
		id = backup_vault_of(row)->name;
	return str_print(a, "arn:aws:backup:%" STR_FMT ":%" STR_FMT ":%s:%" STR_FMT, STR_ARG(region),
			 STR_ARG(account_number),
			 kind == KIND_BACKUP_VAULT  ? "backup-vault"
			 : kind == KIND_BACKUP_PLAN ? "backup-plan"
						    : "recovery-point",
			 STR_ARG(id));
}

/* ---- vaults ---- */

static RESULT check_name(struct op *op, struct str name)
{
	bool is_name = name.n >= VAULT_NAME_MIN && name.n <= VAULT_NAME_MAX;
	for (size_t k = 0; k < name.n; k++)
		is_name = is_name && (str_is_alphanumeric(name.p[k]) || name.p[k] == '-' || name.p[k] == '_');
	/* The folder of Default. A second vault of that folder would evade policies about Default. */
	if (str_is(name, BACKUP_CONTAINER))
		return ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_VAULT, STR("backupVaultName"),
				   "The name '" BACKUP_CONTAINER
				   "' is reserved for the vault " BACKUP_VAULT_DEFAULT ".");
	return is_name ? OK
		       : ENGINE_FAIL(op, ERR_INVALID, KIND_BACKUP_VAULT, STR("backupVaultName"),
				     "A vault's name has 2 to 50 letters, digits, hyphens and underscores.");
}

static RESULT write_vault(struct op *op, struct backup_vault *vault)
{
	TRY(check_name(op, vault->name));
	TRY(backup_check_container(op, engine_vault_container(vault->name)));
	TRY(limit_check(op, LIMIT_BACKUP_VAULTS, vault->account, 1, STR_NONE));
	TRY(backup_vault_put(op, vault));
	return engine_log_event(op, KIND_BACKUP_VAULT, &vault->row, "created", "%" STR_FMT ".",
				STR_ARG(vault->name));
}

RESULT engine_create_backup_vault(struct op *op, struct backup_vault_wish *wish)
{
	uuid account = UUID_NONE;
	TRY(engine_find_acting_id(op, &account));
	struct backup_vault vault = {.row = {.id = engine_new_id(op, KIND_BACKUP_VAULT), .gen = 1},
				     .account = account,
				     .name = wish->name,
				     .token = wish->token};
	TRY(engine_permit_new(op, "backup_vault.create", KIND_BACKUP_VAULT, &vault.row));
	if (backup_vault_find_by_name(op->head, account, wish->name))
		return ENGINE_FAIL(op, ERR_EXISTS, KIND_BACKUP_VAULT, STR("backupVaultName"),
				   "Backup vault with the same name already exists: '%" STR_FMT "'.",
				   STR_ARG(str_cut(wish->name, VAULT_NAME_MAX)));
	TRY(tag_normalize(op, wish->tags, &vault.tags));
	TRY(write_vault(op, &vault));
	wish->made = vault.row.id;
	return OK;
}

RESULT backup_vault_find_or_make(struct op *op, uuid account, struct str name, const char *permission,
				 const struct backup_vault **ret_vault)
{
	const struct backup_vault *vault = backup_vault_find_by_name(op->head, account, name);
	struct backup_vault made = {.row = {.id = UUID_NONE, .gen = 1}, .account = account, .name = name};
	if (!vault && str_is(name, BACKUP_VAULT_DEFAULT)) {
		made.row.id = engine_new_id(op, KIND_BACKUP_VAULT);
		TRY(write_vault(op, &made));
		vault = backup_vault_find(op->head, made.row.id);
	}
	if (!vault)
		return ENGINE_FAIL(op, ERR_NOT_FOUND, KIND_BACKUP_VAULT, STR("backupVaultName"),
				   "Backup vault '%" STR_FMT "' does not exist.",
				   STR_ARG(str_cut(name, VAULT_NAME_MAX)));
	*ret_vault = vault;
	return permission ? engine_permit(op, permission, KIND_BACKUP_VAULT, &vault->row) : OK;
}

static bool is_empty(const struct tables *t, const struct backup_vault *vault)
{
	struct str container = engine_vault_container(vault->name);
	for (const struct backup *b = backup_first_by_account(t, vault->account); b;
	     b = backup_next_by_account(t, b))
		if (row_is_live(&b->row) && str_equal(b->container, container))
			return false;
	return true;
}

RESULT engine_delete_backup_vault(struct op *op, struct backup_vault_target *wish)
{
	const struct backup_vault *vault = NULL;
	TRY(engine_permit_backup_vault(op, &wish->vault, "backup_vault.delete", &vault));
	if (!is_empty(op->head, vault))
		return ENGINE_FAIL(op, ERR_STATE, KIND_BACKUP_VAULT, STR("backupVaultName"),
				   "Backup vault cannot be deleted because it contains recovery points.");
	uuid id = vault->row.id;
	TRY(engine_log_event(op, KIND_BACKUP_VAULT, &vault->row, "deleted", "%" STR_FMT ".",
			     STR_ARG(vault->name)));
	return backup_vault_forget(op, id);
}

/* ---- tags ---- */

static RESULT merge(struct op *op, const struct backup_tags_wish *wish, struct tags before,
		    struct tags *ret_tags)
{
	return tag_merge(op, before, wish->set, &wish->removed, ret_tags);
}

static RESULT tag_vault(struct op *op, const struct backup_tags_wish *wish, const char *permission)
{
	const struct backup_vault *before = NULL;
	TRY(engine_permit_backup_vault(op, &wish->resource, permission, &before));
	struct backup_vault next = *before;
	TRY(merge(op, wish, before->tags, &next.tags));
	return backup_vault_put(op, &next);
}

static RESULT tag_plan(struct op *op, const struct backup_tags_wish *wish, const char *permission)
{
	const struct backup_plan *before = NULL;
	TRY(engine_permit_backup_plan(op, &wish->resource, permission, &before));
	struct backup_plan next = *before;
	TRY(merge(op, wish, before->tags, &next.tags));
	return backup_plan_put(op, &next);
}

static RESULT tag_machine_backup(struct op *op, const struct backup_tags_wish *wish, const char *permission)
{
	const struct machine_backup *before = NULL;
	TRY(engine_permit_machine_backup(op, &wish->resource, permission, &before));
	struct machine_backup next = *before;
	TRY(merge(op, wish, before->tags, &next.tags));
	return machine_backup_put(op, &next);
}

static RESULT tag_backup(struct op *op, const struct backup_tags_wish *wish, const char *permission)
{
	const struct backup *before = NULL;
	TRY(engine_permit_backup(op, &wish->resource, permission, &before));
	struct backup next = *before;
	TRY(merge(op, wish, before->metadata, &next.metadata));
	return backup_put(op, &next);
}

RESULT engine_tag_backup_resource(struct op *op, struct backup_tags_wish *wish)
{
	const char *permission = wish->removed.count ? "backup_vault.untag" : "backup_vault.tag";
	switch ((int) wish->resource.kind) {
	case KIND_BACKUP_VAULT:
		return tag_vault(op, wish, permission);
	case KIND_BACKUP_PLAN:
		return tag_plan(op, wish, permission);
	case KIND_BACKUP:
		return tag_backup(op, wish, permission);
	default:
		return tag_machine_backup(op, wish, permission);
	}
}
