/* SPDX-License-Identifier: Apache-2.0
 * Recovery points, which are complete machine backups and backups of volumes, and the resources that have them. */
#include <stdlib.h>

#include "api/awsbackup/internal.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "engine/storage/snapshot/backup.h"
#include "model/iam_name.h"
#include "model/states.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/backup_vault.h"
#include "store/iam_role.h"
#include "store/instance_type.h"
#include "store/machine_backup.h"
#include "store/subnet.h"
#include "store/zone.h"

#define DAY_US (24 * HOUR)

/* ---- rows as jobs and recovery points ---- */

static const char *job_state(bool is_stopped, bool has_failed, bool is_written)
{
	return is_stopped ? "ABORTED" : has_failed ? "FAILED" : is_written ? "COMPLETED" : "RUNNING";
}

void awsbackup_read_point(struct rest_json_call *e, const struct row *row, struct awsbackup_point *ret_point)
{
	struct awsbackup_point p = {.row = row};
	if (row->kind == KIND_MACHINE_BACKUP) {
		const struct machine_backup *m = machine_backup_of(row);
		const struct backup *disk = backup_first_by_machine_backup(rest_json_tables(e), row->id);
		p.machine = m;
		p.container = disk ? disk->container : STR_NONE;
		p.role = disk ? disk->made_with : UUID_NONE;
		p.job_state = job_state(m->is_stopped, m->problem.n > 0, m->is_written);
		p.resource = awsbackup_write_resource(e, KIND_INSTANCE, m->instance);
		p.type = "EC2";
		p.problem = m->problem;
		p.plan = m->plan;
		p.size = m->size;
		p.completed_us = m->completed_us;
		p.expires_us = m->expires_us;
		p.is_encrypted = disk && disk->is_encrypted;
	} else {
		const struct backup *b = backup_of(row);
		p.backup = b;
		p.container = b->container;
		p.role = b->made_with;
		p.job_state = job_state(false, b->problem.n > 0, b->is_written);
		p.resource = awsbackup_write_resource(e, KIND_VOLUME, b->volume);
		p.type = "EBS";
		p.problem = b->problem;
		p.size = b->size;
		p.is_encrypted = b->is_encrypted;
	}
	*ret_point = p;
}

static RESULT add_point(struct rest_json_call *e, awsbackup_is_wanted is_wanted, const void *of,
			const struct row *row, struct awsbackup_rows *rows)
{
	struct awsbackup_point p;
	awsbackup_read_point(e, row, &p);
	return !is_wanted || is_wanted(e, of, &p) ? awsbackup_add_row(e, rows, row) : OK;
}

RESULT awsbackup_list_points(struct rest_json_call *e, awsbackup_is_wanted is_wanted, const void *of,
			     struct awsbackup_rows *ret_rows)
{
	const struct tables *t = rest_json_tables(e);
	uuid account = e->c->who->account;
	for (const struct machine_backup *m = machine_backup_first_by_account(t, account); m;
	     m = machine_backup_next_by_account(t, m))
		if (row_is_live(&m->row))
			TRY(add_point(e, is_wanted, of, &m->row, ret_rows));
	for (const struct backup *b = backup_first_by_account(t, account); b;
	     b = backup_next_by_account(t, b))
		if (row_is_live(&b->row) && uuid_is_none(b->machine_backup))
			TRY(add_point(e, is_wanted, of, &b->row, ret_rows));
	return OK;
}

RESULT awsbackup_find_point(struct rest_json_call *e, struct str id, const char *field, struct ref *ret_ref,
			    struct awsbackup_point *ret_point)
{
	static const enum kind kinds[] = {KIND_MACHINE_BACKUP, KIND_BACKUP};
	uuid found = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse(id, &found));
	for (size_t k = 0; is_id && k < sizeof kinds / sizeof kinds[0]; k++) {
		const struct row *row = NULL;
		struct ref ref = ref_by_id(kinds[k], found);
		ref.text = id;
		ref.field = str_from(field);
		struct result result = engine_find_own(e->c, rest_json_tables(e), kinds[k], &ref, &row);
		if (!result_is_ok(result) && result.code != ERR_NOT_FOUND)
			return result;
		ctx_clear_problem(e->c);
		bool is_disk = result_is_ok(result) && kinds[k] == KIND_BACKUP &&
			       !uuid_is_none(backup_of(row)->machine_backup);
		if (!result_is_ok(result) || is_disk || !row_is_live(row))
			continue;
		*ret_ref = ref;
		awsbackup_read_point(e, row, ret_point);
		return OK;
	}
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_MACHINE_BACKUP, "%s: '%" STR_FMT "' does not exist.",
			     field, STR_ARG(str_cut(id, 64)));
}

RESULT awsbackup_find_point_of_arn(struct rest_json_call *e, struct str arn, const char *field,
				   struct ref *ret_ref, struct awsbackup_point *ret_point)
{
	struct str start = awsbackup_write_arn(e, KIND_MACHINE_BACKUP, NULL);
	start = str_slice(start, 0, start.n - 1);
	if (!str_starts_with(arn, start))
		return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
				      "%s: '%" STR_FMT "' is not the ARN of a recovery point of the account.",
				      field, STR_ARG(str_cut(arn, 256)));
	return awsbackup_find_point(e, str_slice(arn, start.n, arn.n), field, ret_ref, ret_point);
}

/* ---- members ---- */

static struct str role_arn(struct rest_json_call *e, uuid id)
{
	const struct iam_role *role = iam_role_find(rest_json_tables(e), id);
	return role ? iam_arn_to_text(e->c->arena, e->c->who->account_number, KIND_IAM_ROLE, &role->row)
		    : STR_NONE;
}

void awsbackup_write_point(struct rest_json_call *e, struct json_writer *w, const struct awsbackup_point *p)
{
	struct str name = engine_vault_name(p->container), role = role_arn(e, p->role);
	const struct backup_vault named = {.name = name};
	const struct backup_plan *plan = backup_plan_find(rest_json_tables(e), p->plan);
	json_write_text(w, "RecoveryPointArn", awsbackup_write_arn(e, p->row->kind, p->row));
	json_write_text(w, "BackupVaultName", name);
	json_write_text(w, "BackupVaultArn", awsbackup_write_arn(e, KIND_BACKUP_VAULT, &named.row));
	json_write_text(w, "ResourceArn", p->resource);
	json_write_z(w, "ResourceType", p->type);
	if (role.n)
		json_write_text(w, "IamRoleArn", role);
	if (plan && engine_is_vault_plan(plan)) {
		json_write_open(w, "CreatedBy");
		json_write_uuid(w, "BackupPlanId", plan->row.id);
		json_write_text(w, "BackupPlanArn", awsbackup_write_arn(e, KIND_BACKUP_PLAN, &plan->row));
		json_write_uuid(w, "BackupPlanVersion", plan->version);
		json_write_uuid(w, "BackupRuleId", plan->rule);
		json_write_close(w);
	}
	awsbackup_write_time(e, w, "CreationDate", p->row->created_us);
	awsbackup_write_time(e, w, "CompletionDate", p->completed_us);
	json_write_int(w, "BackupSizeInBytes", p->size);
	if (p->problem.n)
		json_write_text(w, "StatusMessage", p->problem);
}

bool awsbackup_is_complete(const struct awsbackup_point *p)
{
	return strcmp(p->job_state, "COMPLETED") == 0;
}

static void write_recovery_point(struct rest_json_call *e, struct json_writer *w,
				 const struct awsbackup_point *p)
{
	awsbackup_write_point(e, w, p);
	json_write_z(w, "Status", "COMPLETED");
	json_write_bool(w, "IsEncrypted", p->is_encrypted);
	json_write_z(w, "StorageClass", "WARM");
	if (p->expires_us) {
		json_write_open(w, "CalculatedLifecycle");
		awsbackup_write_time(e, w, "DeleteAt", p->expires_us);
		json_write_close(w);
		json_write_open(w, "Lifecycle");
		json_write_int(w, "DeleteAfterDays",
			       (p->expires_us - p->row->created_us + DAY_US / 2) / DAY_US);
		json_write_close(w);
	}
}

/* ---- DescribeRecoveryPoint, GetRecoveryPointRestoreMetadata, DeleteRecoveryPoint ---- */

struct point_args {
	struct recovery_point_target wish;
	struct str vault, arn;
	struct ref ref;
};
static const struct param point_params[] = {
	PARAM(struct point_args, "backupVaultName", vault, .flags = REQUIRED, .max = NAME_MAX_CHARS,
	      .doc = "The vault."),
	PARAM(struct point_args, "recoveryPointArn", arn, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "The recovery point."),
};
static const struct param metadata_params[] = {
	PARAM(struct point_args, "backupVaultName", vault, .flags = REQUIRED, .max = NAME_MAX_CHARS,
	      .doc = "The vault."),
	PARAM(struct point_args, "recoveryPointArn", arn, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "The recovery point."),
	NOT_BUILT("backupVaultAccountId"),
};

static RESULT prepare_point(struct rest_json_call *e, void *args)
{
	struct point_args *a = args;
	struct awsbackup_point p;
	TRY(awsbackup_find_point_of_arn(e, a->arn, "recoveryPointArn", &a->ref, &p));
	if (!str_equal(engine_vault_name(p.container), a->vault) || !awsbackup_is_complete(&p))
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_MACHINE_BACKUP,
				     "The backup vault '%" STR_FMT "' has no such recovery point.",
				     STR_ARG(str_cut(a->vault, NAME_MAX_CHARS)));
	*(a->ref.kind == KIND_BACKUP ? &a->wish.backup : &a->wish.machine_backup) = a->ref;
	return OK;
}

static RESULT find_again(struct rest_json_call *e, const struct point_args *a,
			 struct awsbackup_point *ret_point)
{
	struct ref ref;
	return awsbackup_find_point_of_arn(e, a->arn, "recoveryPointArn", &ref, ret_point);
}

static RESULT answer_describe(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	struct awsbackup_point p;
	TRY(find_again(e, args, &p));
	write_recovery_point(e, w, &p);
	return OK;
}

static void write_groups(struct rest_json_call *e, struct json_writer *w, const struct machine_backup *m)
{
	struct str list = STR("[");
	for (size_t k = 0; k < m->groups.count; k++)
		list = str_print(e->c->arena, "%" STR_FMT "%s\"%" STR_FMT "\"", STR_ARG(list), k ? "," : "",
				 STR_ARG(id_to_ec2(e->c->arena, KIND_SECURITY_GROUP, m->groups.at[k])));
	json_write_text(w, "SecurityGroupIds", str_print(e->c->arena, "%" STR_FMT "]", STR_ARG(list)));
}

static void write_machine(struct rest_json_call *e, struct json_writer *w, const struct machine_backup *m)
{
	const struct subnet *subnet =
		m->subnets.count ? subnet_find(rest_json_tables(e), m->subnets.at[0]) : NULL;
	json_write_text(w, "InstanceType", m->type_name);
	if (subnet) {
		json_write_text(w, "VpcId", id_to_ec2(e->c->arena, KIND_ROUTER, subnet->router));
		json_write_text(w, "SubnetId", id_to_ec2(e->c->arena, KIND_SUBNET, subnet->row.id));
	}
	write_groups(e, w, m);
}

struct str awsbackup_write_gib(struct rest_json_call *e, const struct backup *b)
{
	return str_print(e->c->arena, "%lld", (long long) (b->size + (1 << 30) - 1) / (1 << 30));
}

static void write_volume(struct rest_json_call *e, struct json_writer *w, const struct backup *b)
{
	const struct zone *zone = zone_find(rest_json_tables(e), b->zone);
	json_write_text(w, "volumeId", id_to_ec2(e->c->arena, KIND_VOLUME, b->volume));
	if (zone)
		json_write_text(w, "availabilityZone", zone->name);
	json_write_z(w, "encrypted", b->is_encrypted ? "true" : "false");
	json_write_text(w, "volumeSize", awsbackup_write_gib(e, b));
}

static RESULT answer_metadata(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	struct awsbackup_point p;
	TRY(find_again(e, args, &p));
	const struct backup_vault named = {.name = engine_vault_name(p.container)};
	json_write_text(w, "BackupVaultArn", awsbackup_write_arn(e, KIND_BACKUP_VAULT, &named.row));
	json_write_text(w, "RecoveryPointArn", awsbackup_write_arn(e, p.row->kind, p.row));
	json_write_open(w, "RestoreMetadata");
	if (p.machine)
		write_machine(e, w, p.machine);
	else
		write_volume(e, w, p.backup);
	json_write_close(w);
	json_write_z(w, "ResourceType", p.type);
	return OK;
}

/* ---- lists ---- */

struct list_args {
	struct awsbackup_page page;
	struct str vault, resource, type, plan;
};
static const struct param of_vault_params[] = {
	PARAM(struct list_args, "backupVaultName", vault, .flags = REQUIRED, .max = NAME_MAX_CHARS,
	      .doc = "The vault."),
	AWSBACKUP_PAGE(struct list_args),
	PARAM(struct list_args, "resourceArn", resource, .max = ARN_MAX, .doc = "ARN of the resource."),
	PARAM(struct list_args, "resourceType", type, .max = 50, .doc = "EC2 or EBS."),
	PARAM(struct list_args, "backupPlanId", plan, .max = 64, .doc = "Id of the plan."),
	NOT_BUILT("createdBefore"),
	NOT_BUILT("createdAfter"),
	NOT_BUILT("parentRecoveryPointArn"),
	NOT_BUILT("backupVaultAccountId"),
};
static const struct param of_resource_params[] = {
	PARAM(struct list_args, "resourceArn", resource, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "ARN of the instance or volume."),
	AWSBACKUP_PAGE(struct list_args),
	NOT_BUILT("managedByAWSBackupOnly", .only = "false"),
};

static RESULT prepare_of_vault(struct rest_json_call *e, void *args)
{
	struct list_args *a = args;
	const struct backup_vault *vault = NULL;
	struct ref ref;
	uuid plan;
	TRY(awsbackup_check_page(e, &a->page));
	if (a->resource.n)
		TRY(awsbackup_read_resource(e, a->resource, "resourceArn", &ref));
	if (a->plan.n && !result_is_ok(uuid_parse(a->plan, &plan)))
		return AWSBACKUP_FAIL(e, "backupPlanId", "backupPlanId: '%" STR_FMT "' is no id of a plan.",
				      STR_ARG(a->plan));
	return awsbackup_find_vault(e, a->vault, &ref, &vault);
}

static RESULT prepare_of_resource(struct rest_json_call *e, void *args)
{
	struct list_args *a = args;
	struct ref ref;
	TRY(awsbackup_check_page(e, &a->page));
	return awsbackup_read_resource(e, a->resource, "resourceArn", &ref);
}

static bool is_listed(struct rest_json_call *e, const void *args, const struct awsbackup_point *p)
{
	const struct list_args *a = args;
	return awsbackup_is_complete(p) &&
	       (!a->vault.n || str_equal(engine_vault_name(p->container), a->vault)) &&
	       (!a->resource.n || str_equal(p->resource, a->resource)) &&
	       (!a->type.n || str_is(a->type, p->type)) &&
	       (!a->plan.n || str_equal(a->plan, uuid_to_str(e->c->arena, p->plan)));
}

static void write_of_vault(struct rest_json_call *e, struct json_writer *w, const struct row *row,
			   const void *of)
{
	struct awsbackup_point p;
	(void) of;
	awsbackup_read_point(e, row, &p);
	write_recovery_point(e, w, &p);
}

static void write_of_resource(struct rest_json_call *e, struct json_writer *w, const struct row *row,
			      const void *of)
{
	struct awsbackup_point p;
	(void) of;
	awsbackup_read_point(e, row, &p);
	json_write_text(w, "RecoveryPointArn", awsbackup_write_arn(e, row->kind, row));
	awsbackup_write_time(e, w, "CreationDate", row->created_us);
	json_write_z(w, "Status", "COMPLETED");
	json_write_int(w, "BackupSizeBytes", p.size);
	json_write_text(w, "BackupVaultName", engine_vault_name(p.container));
}

static RESULT list_points(struct rest_json_call *e, const struct list_args *a, struct json_writer *w,
			  awsbackup_write_row write)
{
	struct awsbackup_rows rows = {0};
	TRY(awsbackup_list_points(e, is_listed, a, &rows));
	awsbackup_write_page(e, w, "RecoveryPoints", &a->page, &rows, write, NULL);
	return OK;
}

static RESULT answer_of_vault(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	return list_points(e, args, w, write_of_vault);
}

static RESULT answer_of_resource(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	return list_points(e, args, w, write_of_resource);
}

/* ---- ListProtectedResources, DescribeProtectedResource ---- */

struct resource_args {
	struct str resource;
	struct awsbackup_page page;
};
static const struct param resource_params[] = {
	PARAM(struct resource_args, "resourceArn", resource, .flags = REQUIRED, .max = ARN_MAX,
	      .doc = "ARN of the instance or volume."),
};
static const struct param resources_params[] = {AWSBACKUP_PAGE(struct resource_args)};

static RESULT prepare_resources(struct rest_json_call *e, void *args)
{
	return awsbackup_check_page(e, &((struct resource_args *) args)->page);
}

static uuid resource_of(const struct row *row)
{
	return row->kind == KIND_MACHINE_BACKUP ? machine_backup_of(row)->instance : backup_of(row)->volume;
}

static int compare_resources(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;
	int order = uuid_compare(resource_of(*x), resource_of(*y));
	return order ? order : uuid_compare((*x)->id, (*y)->id);
}

static bool is_of_same(const struct row *a, const struct row *b)
{
	return a->kind == b->kind && uuid_equal(resource_of(a), resource_of(b));
}

/* Time of the newest recovery point among rows that begin at `first` and are of its resource. */
static int64_t find_last(const struct awsbackup_rows *rows, size_t first)
{
	int64_t last_us = 0;
	for (size_t k = first; k < rows->count && is_of_same(rows->at[k], rows->at[first]); k++)
		last_us = rows->at[k]->created_us > last_us ? rows->at[k]->created_us : last_us;
	return last_us;
}

/* of: all recovery points, sorted by compare_resources(). */
static void write_resource(struct rest_json_call *e, struct json_writer *w, const struct row *row,
			   const void *of)
{
	const struct awsbackup_rows *all = of;
	const struct row **first = bsearch(&row, all->at, all->count, sizeof *all->at, compare_resources);
	struct awsbackup_point p;
	awsbackup_read_point(e, row, &p);
	json_write_text(w, "ResourceArn", p.resource);
	json_write_z(w, "ResourceType", p.type);
	awsbackup_write_time(e, w, "LastBackupTime", find_last(all, (size_t) (first - all->at)));
}

/* Lists the recovery points that are wanted, sorted by their resources. */
static RESULT sort_points(struct rest_json_call *e, const struct list_args *wanted,
			  struct awsbackup_rows *ret_rows)
{
	TRY(awsbackup_list_points(e, is_listed, wanted, ret_rows));
	if (ret_rows->count)
		qsort(ret_rows->at, ret_rows->count, sizeof *ret_rows->at, compare_resources);
	return OK;
}

/* Lists the recovery points of the resource. ERR_NOT_FOUND: there are none. */
static RESULT find_resource(struct rest_json_call *e, const struct resource_args *a,
			    struct awsbackup_rows *ret_rows)
{
	const struct list_args wanted = {.resource = a->resource};
	TRY(sort_points(e, &wanted, ret_rows));
	return ret_rows->count ? OK
			       : ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_MACHINE_BACKUP,
					       "The resource '%" STR_FMT "' has no recovery points.",
					       STR_ARG(str_cut(a->resource, 256)));
}

static RESULT prepare_resource(struct rest_json_call *e, void *args)
{
	const struct resource_args *a = args;
	struct awsbackup_rows rows = {0};
	struct ref ref;
	TRY(awsbackup_read_resource(e, a->resource, "resourceArn", &ref));
	return find_resource(e, a, &rows);
}

static RESULT answer_resource(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	struct awsbackup_rows rows = {0};
	TRY(find_resource(e, args, &rows)); /* prepare had another view */
	write_resource(e, w, rows.at[0], &rows);
	return OK;
}

static RESULT answer_resources(struct rest_json_call *e, const void *args, struct json_writer *w)
{
	const struct resource_args *a = args;
	const struct list_args wanted = {0};
	struct awsbackup_rows all = {0}, rows = {0};
	TRY(sort_points(e, &wanted, &all));
	for (size_t k = 0; k < all.count; k++)
		if (!k || !is_of_same(all.at[k - 1], all.at[k]))
			TRY(awsbackup_add_row(e, &rows, all.at[k]));
	awsbackup_write_page(e, w, "Results", &a->page, &rows, write_resource, &all);
	return OK;
}

static const struct rest_json_action actions[] = {
	{HTTP_GET, "/backup-vaults/{backupVaultName}/recovery-points",
	 AWSBACKUP_ACTION("ListRecoveryPointsByBackupVault"),
	 .args = PARAMS(struct list_args, of_vault_params), .prepare = prepare_of_vault,
	 .answer = answer_of_vault, .doc = "Lists recovery points of a vault."},
	{HTTP_GET, "/resources/{resourceArn}/recovery-points",
	 AWSBACKUP_ACTION("ListRecoveryPointsByResource"),
	 .args = PARAMS(struct list_args, of_resource_params), .prepare = prepare_of_resource,
	 .answer = answer_of_resource, .doc = "Lists recovery points of an instance or a volume."},
	{HTTP_GET, "/backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}",
	 AWSBACKUP_ACTION("DescribeRecoveryPoint"), .args = PARAMS(struct point_args, point_params),
	 .prepare = prepare_point, .answer = answer_describe, .doc = "Describes a recovery point."},
	{HTTP_GET, "/backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}/restore-metadata",
	 AWSBACKUP_ACTION("GetRecoveryPointRestoreMetadata"),
	 .args = PARAMS(struct point_args, metadata_params), .prepare = prepare_point,
	 .answer = answer_metadata, .doc = "Shows the parameters of a restore."},
	{HTTP_DELETE, "/backup-vaults/{backupVaultName}/recovery-points/{recoveryPointArn}",
	 AWSBACKUP_ACTION("DeleteRecoveryPoint"), .flags = API_WRITES,
	 .args = PARAMS(struct point_args, point_params), .prepare = prepare_point,
	 .operation = engine_delete_recovery_point_run, .returns = API_RETURNS_NOTHING_STORED,
	 .doc = "Deletes a recovery point."},
	{HTTP_GET, "/resources", AWSBACKUP_ACTION("ListProtectedResources"),
	 .args = PARAMS(struct resource_args, resources_params), .prepare = prepare_resources,
	 .answer = answer_resources, .doc = "Lists instances and volumes that have recovery points."},
	{HTTP_GET, "/resources/{resourceArn}", AWSBACKUP_ACTION("DescribeProtectedResource"),
	 .args = PARAMS(struct resource_args, resource_params), .prepare = prepare_resource,
	 .answer = answer_resource, .doc = "Describes an instance or a volume that has recovery points."},
};
const struct api_actions awsbackup_point_actions = API_ACTIONS(actions);
