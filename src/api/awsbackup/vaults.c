/* SPDX-License-Identifier: Apache-2.0
 * Vaults: create, describe, list, delete. */
#include "api/awsbackup/internal.h"
#include "engine/tag.h"
#include "store/backup_vault.h"

/* ---- CreateBackupVault ---- */

struct create_args {
	struct backup_vault_wish wish;
};
static const struct param create_params[] = {
	PARAM(struct create_args, "backupVaultName", wish.name, .flags = REQUIRED, .max = NAME_MAX_CHARS,
	      .doc = "Name: 2 to 50 letters, digits, hyphens and underscores."),
	PARAM(struct create_args, "BackupVaultTags", wish.tags, .max = TAG_COUNT_MAX, .doc = "Tags."),
	PARAM(struct create_args, "CreatorRequestId", wish.token, .max = TOKEN_MAX,
	      .doc = "Text that the vault shows."),
	NOT_BUILT("EncryptionKeyArn"),
};

static void write_vault(struct rest_json_call *e, struct json_writer *w, const struct backup_vault *v)
{
	json_write_text(w, "BackupVaultName", v->name);
	json_write_text(w, "BackupVaultArn", awsbackup_write_arn(e, KIND_BACKUP_VAULT, &v->row));
	awsbackup_write_time(e, w, "CreationDate", v->row.created_us);
}

static RESULT answer_create(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct create_args *a = args;
	const struct row *row = NULL;
	TRY(rest_json_find_returned(e, a->wish.made, &row));
	write_vault(e, w, backup_vault_of(row));
	return OK;
}

/* ---- DescribeBackupVault, DeleteBackupVault ---- */

struct name_args {
	struct backup_vault_target wish;
	struct str name;
};
static const struct param name_params[] = {
	PARAM(struct name_args, "backupVaultName", name, .flags = REQUIRED, .max = NAME_MAX_CHARS,
	      .doc = "The vault."),
};

static RESULT prepare_name(struct rest_json_call *e, void *args)
{
	struct name_args *a = args;
	const struct backup_vault *ignored = NULL;
	return awsbackup_find_vault(e, a->name, &a->wish.vault, &ignored);
}

static bool is_recovery_point(struct rest_json_call *e, const void *of, const struct awsbackup_point *p)
{
	(void) e;
	(void) of;
	return awsbackup_is_complete(p);
}

/* Folders of the account's recovery points, one for each point. */
static RESULT list_containers(struct rest_json_call *e, struct strs *ret_containers)
{
	struct awsbackup_rows rows = {0};
	TRY(awsbackup_list_points(e, is_recovery_point, NULL, &rows));
	struct str *at = arena_new_array(e->c->arena, struct str, rows.count + 1);
	if (!at)
		return ctx_no_memory(e->c);
	for (size_t k = 0; k < rows.count; k++) {
		struct awsbackup_point p;
		awsbackup_read_point(e, rows.at[k], &p);
		at[k] = p.container;
	}
	*ret_containers = (struct strs){at, rows.count};
	return OK;
}

static void write_rest(struct rest_json_call *e, struct json_writer *w, const struct row *row, const void *of)
{
	const struct backup_vault *v = backup_vault_of(row);
	const struct strs *containers = of;
	struct str container = engine_vault_container(v->name);
	int64_t count = 0;
	for (size_t k = 0; k < containers->count; k++)
		count += str_equal(containers->at[k], container);
	write_vault(e, w, v);
	if (v->token.n)
		json_write_text(w, "CreatorRequestId", v->token);
	json_write_int(w, "NumberOfRecoveryPoints", count);
	json_write_bool(w, "Locked", false);
}

static RESULT answer_describe(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct name_args *a = args;
	const struct backup_vault *vault = NULL;
	struct strs containers;
	struct ref ref;
	TRY(awsbackup_find_vault(e, a->name, &ref, &vault)); /* prepare had another view */
	TRY(list_containers(e, &containers));
	write_rest(e, w, &vault->row, &containers);
	return OK;
}

/* ---- ListBackupVaults ---- */

struct list_args {
	struct awsbackup_page page;
};
static const struct param list_params[] = {AWSBACKUP_PAGE(struct list_args),
					   NOT_BUILT("vaultType", .only = "BACKUP_VAULT"),
					   NOT_BUILT("shared")};

static RESULT prepare_list(struct rest_json_call *e, void *args)
{
	return awsbackup_check_page(e, &((struct list_args *) args)->page);
}

static RESULT answer_list(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct list_args *a = args;
	struct awsbackup_rows rows = {0};
	struct strs containers;
	TRY(list_containers(e, &containers));
	for (const struct backup_vault *v =
		     backup_vault_first_by_account(rest_json_tables(e), e->c->who->account);
	     v; v = backup_vault_next_by_account(rest_json_tables(e), v))
		TRY(awsbackup_add_row(e, &rows, &v->row));
	awsbackup_write_page(e, w, "BackupVaultList", &a->page, &rows, write_rest, &containers);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_PUT, "/backup-vaults/{backupVaultName}", AWSBACKUP_ACTION("CreateBackupVault"),
	 .flags = API_WRITES, .args = PARAMS(struct create_args, create_params),
	 .operation = engine_create_backup_vault_run, .returns = KIND_BACKUP_VAULT, .answer = answer_create,
	 .doc = "Creates a vault."},
	{HTTP_GET, "/backup-vaults", AWSBACKUP_ACTION("ListBackupVaults"),
	 .args = PARAMS(struct list_args, list_params), .prepare = prepare_list, .answer = answer_list,
	 .doc = "Lists vaults."},
	{HTTP_GET, "/backup-vaults/{backupVaultName}", AWSBACKUP_ACTION("DescribeBackupVault"),
	 .args = PARAMS(struct name_args, name_params), .prepare = prepare_name, .answer = answer_describe,
	 .doc = "Describes a vault."},
	{HTTP_DELETE, "/backup-vaults/{backupVaultName}", AWSBACKUP_ACTION("DeleteBackupVault"),
	 .flags = API_WRITES, .args = PARAMS(struct name_args, name_params), .prepare = prepare_name,
	 .operation = engine_delete_backup_vault_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes an empty vault."},
};
const struct api_actions awsbackup_vault_actions = API_ACTIONS(actions);
