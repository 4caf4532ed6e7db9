/* SPDX-License-Identifier: Apache-2.0
 * Groups of calls, codes of failures, pages and ARNs. query/rest_json.c reads calls and writes answers. */
#include "api/awsbackup/awsbackup.h"

#include <inttypes.h>
#include <stdlib.h>

#include "api/awsbackup/internal.h"
#include "api/query/query_call.h"
#include "base/clock.h"
#include "engine/resolve.h"
#include "store/backup_plan.h"
#include "store/backup_vault.h"

static const struct api_actions *const groups[] = {&awsbackup_vault_actions,     &awsbackup_plan_actions,
						   &awsbackup_selection_actions, &awsbackup_job_actions,
						   &awsbackup_point_actions,     &awsbackup_restore_actions,
						   &awsbackup_tag_actions};
static const struct rest_table table = {groups, sizeof groups / sizeof groups[0]};
const struct api_groups awsbackup_action_groups = {groups, sizeof groups / sizeof groups[0]};

bool awsbackup_has_call(const struct call *call)
{
	return query_is_for(call, "backup");
}

/* ---- failures ---- */

/* Source of the exceptions: botocore's model, where they have no status: 400. Guessed: the names of failures that the model lacks, which are
 * those of AWS's other REST services, and the sentences. */
/* clang-format off */
static const struct api_error failures[] = {
	{ERR_NOT_FOUND, 0, 400, "ResourceNotFoundException"},
	{ERR_UNSUPPORTED, 0, 404, "UnknownOperationException", "path"}, {ERR_UNSUPPORTED, 0, 400, "InvalidParameterValueException"},
	{ERR_INVALID, 0, 400, "InvalidParameterValueException"}, {ERR_MISSING, 0, 400, "MissingParameterValueException"},
	{ERR_UNKNOWN, 0, 400, "InvalidParameterValueException"}, {ERR_MALFORMED, 0, 400, "SerializationException"},
	{ERR_COMBINATION, 0, 400, "InvalidParameterValueException"}, {ERR_RANGE, 0, 400, "InvalidParameterValueException"},
	{ERR_STATE, 0, 400, "InvalidResourceStateException", "recoveryPointArn"}, /* of DeleteRecoveryPoint */
	{ERR_STATE, 0, 400, "InvalidRequestException"}, {ERR_PROTECTED, 0, 400, "InvalidRequestException"},
	{ERR_IN_USE, 0, 400, "InvalidRequestException"}, {ERR_TOO_LARGE, 0, 400, "InvalidParameterValueException"},
	{ERR_CONFLICT, 0, 400, "ConflictException"}, {ERR_EXISTS, 0, 400, "AlreadyExistsException"},
	{ERR_QUOTA, 0, 400, "LimitExceededException"}, {ERR_CAPACITY, 0, 500, "ServiceUnavailableException"},
	{ERR_UNAUTHENTICATED, 0, 403, "UnrecognizedClientException"}, {ERR_DENIED, 0, 403, "AccessDeniedException"},
	{ERR_THROTTLED, 0, 429, "ThrottlingException"},
	{ERR_NO_MEMORY, 0, 500, "ServiceUnavailableException"}, {ERR_AGAIN, 0, 500, "ServiceUnavailableException"},
	{ERR_GONE, 0, 500, "ServiceUnavailableException"}, {ERR_TIMEOUT, 0, 500, "ServiceUnavailableException"},
	{ERR_INTERNAL, 0, 500, "InternalServerException"},
};
/* clang-format on */
static const struct api_errors errors = TARGET_ERRORS(failures);

/* ---- from request to action ---- */

static RESULT find(struct api_call *core)
{
	return rest_json_find(core, &table, "AWS Backup");
}

const struct api_protocol awsbackup_protocol = {
	.name = "awsbackup", .errors = &errors, .find = find, REST_JSON_PROTOCOL};

/* ---- lists ---- */

RESULT awsbackup_check_page(struct rest_json_call *e, const struct awsbackup_page *page)
{
	uuid ignored;
	return !page->token.n || result_is_ok(uuid_parse(page->token, &ignored))
		       ? OK
		       : AWSBACKUP_FAIL(e, "nextToken", "Invalid nextToken: '%" STR_FMT "'.",
					STR_ARG(page->token));
}

RESULT awsbackup_add_row(struct rest_json_call *e, struct awsbackup_rows *rows, const struct row *row)
{
	if (rows->count == rows->room) {
		size_t room = rows->room ? 2 * rows->room : 64;
		const struct row **at = arena_new_array(e->c->arena, const struct row *, room);
		if (!at)
			return ctx_no_memory(e->c);
		if (rows->count)
			memcpy(at, rows->at, rows->count * sizeof *at);
		rows->at = at;
		rows->room = room;
	}
	rows->at[rows->count++] = row;
	return OK;
}

static int compare(const void *a, const void *b)
{
	const struct row *const *x = a, *const *y = b;
	return memcmp(&(*x)->id, &(*y)->id, sizeof(uuid));
}

/* Sorts the rows and keeps those of the page. *ret_token names the next page; it is empty on the last page. */
static void cut_page(struct rest_json_call *e, const struct awsbackup_page *page, struct awsbackup_rows *rows,
		     struct str *ret_token)
{
	uuid behind = UUID_NONE;
	size_t first = 0, max = page->max ? (size_t) page->max : LISTED_MAX;
	*ret_token = STR_NONE;
	if (rows->count)
		qsort(rows->at, rows->count, sizeof *rows->at, compare);
	if (page->token.n && result_is_ok(uuid_parse(page->token, &behind)))
		while (first < rows->count && memcmp(&rows->at[first]->id, &behind, sizeof behind) <= 0)
			first++;
	rows->at += first;
	rows->count -= first;
	if (rows->count <= max)
		return;
	rows->count = max;
	*ret_token = uuid_to_str(e->c->arena, rows->at[max - 1]->id);
}

void awsbackup_write_page(struct rest_json_call *e, struct json_writer *w, const char *name,
			  const struct awsbackup_page *page, struct awsbackup_rows *rows,
			  awsbackup_write_row write, const void *of)
{
	struct str token;
	cut_page(e, page, rows, &token);
	json_write_open_list(w, name);
	for (size_t k = 0; k < rows->count; k++) {
		json_write_open(w, NULL);
		write(e, w, rows->at[k], of);
		json_write_close(w);
	}
	json_write_close_list(w);
	if (token.n)
		json_write_text(w, "NextToken", token);
}

/* ---- values ---- */

void awsbackup_write_time(struct rest_json_call *e, struct json_writer *w, const char *name, int64_t time_us)
{
	if (time_us)
		json_write_raw(w, name,
			       str_print(e->c->arena, "%" PRId64 ".%03" PRId64, time_us / SECOND,
					 time_us % SECOND / 1000));
}

struct str awsbackup_write_arn(struct rest_json_call *e, enum kind kind, const struct row *row)
{
	return engine_write_backup_arn(e->c->arena, e->config->region, e->c->who->account_number, kind, row);
}

static struct str resource_start(struct rest_json_call *e, enum kind kind)
{
	return str_print(e->c->arena, "arn:aws:ec2:%" STR_FMT ":%" STR_FMT ":%s/", STR_ARG(e->config->region),
			 STR_ARG(e->c->who->account_number), kind == KIND_INSTANCE ? "instance" : "volume");
}

struct str awsbackup_write_resource(struct rest_json_call *e, enum kind kind, uuid id)
{
	return str_print(e->c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(resource_start(e, kind)),
			 STR_ARG(id_to_ec2(e->c->arena, kind, id)));
}

RESULT awsbackup_read_resource(struct rest_json_call *e, struct str arn, const char *field,
			       struct ref *ret_ref)
{
	static const enum kind kinds[] = {KIND_INSTANCE, KIND_VOLUME};
	for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
		struct str start = resource_start(e, kinds[k]);
		if (!str_starts_with(arn, start) ||
		    !result_is_ok(id_parse_ec2(str_slice(arn, start.n, arn.n), kinds[k], ret_ref)))
			continue;
		ret_ref->field = str_from(field);
		return OK;
	}
	return ctx_fail_field(e->c, ERR_INVALID, str_from(field),
			      "%s: '%" STR_FMT "' is not the ARN of an instance or a volume of the account.",
			      field, STR_ARG(str_cut(arn, 256)));
}

RESULT awsbackup_find_vault(struct rest_json_call *e, struct str name, struct ref *ret_ref,
			    const struct backup_vault **ret_vault)
{
	const struct backup_vault *vault =
		backup_vault_find_by_name(rest_json_tables(e), e->c->who->account, name);
	*ret_ref = (struct ref){.kind = KIND_BACKUP_VAULT, .text = name, .field = STR("backupVaultName")};
	if (!vault)
		return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_BACKUP_VAULT,
				     "Backup vault '%" STR_FMT "' does not exist.",
				     STR_ARG(str_cut(name, NAME_MAX_CHARS)));
	*ret_ref = ref_by_id(KIND_BACKUP_VAULT, vault->row.id);
	ret_ref->text = name;
	ret_ref->field = STR("backupVaultName");
	return engine_find_own_backup_vault(e->c, rest_json_tables(e), ret_ref, ret_vault);
}

RESULT awsbackup_find_plan(struct rest_json_call *e, struct str id, struct ref *ret_ref,
			   const struct backup_plan **ret_plan)
{
	uuid plan = UUID_NONE;
	bool is_id = result_is_ok(uuid_parse(id, &plan));
	struct ref ref = ref_by_id(KIND_BACKUP_PLAN, plan);
	ref.text = id;
	ref.field = STR("backupPlanId");
	struct result found = is_id ? engine_find_own_backup_plan(e->c, rest_json_tables(e), &ref, ret_plan)
				    : FAIL(NOT_FOUND);
	if (!result_is_ok(found) && found.code != ERR_NOT_FOUND)
		return found;
	*ret_ref = ref;
	if (result_is_ok(found) && engine_is_vault_plan(*ret_plan))
		return OK;
	ctx_clear_problem(e->c);
	return ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_BACKUP_PLAN,
			     "The backup plan '%" STR_FMT "' does not exist.", STR_ARG(str_cut(id, 64)));
}

static const struct param lifecycle_rows[] = {
	PARAM(struct awsbackup_lifecycle, "DeleteAfterDays", days, .min = 1, .max = PLAN_DAYS_MAX,
	      .doc = "Age in days at which recovery points are deleted."),
	NOT_BUILT("MoveToColdStorageAfterDays"),
	NOT_BUILT("OptInToArchiveForSupportedResources", .only = "false"),
};
const struct params awsbackup_lifecycle_params = PARAMS(struct awsbackup_lifecycle, lifecycle_rows);

/* ---- for documentation and tests ---- */

void awsbackup_dump_actions(struct buf *out)
{
	rest_json_dump_actions(&table, "awsbackup", out);
}

void awsbackup_write_coverage(struct buf *out)
{
	rest_write_coverage(&table, out);
}
