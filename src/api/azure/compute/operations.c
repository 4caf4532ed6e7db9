/* SPDX-License-Identifier: Apache-2.0
 * The calls that poll an operation (core/operations.c begins one), and the answer of its change once it has ended: what a
 * command printed, the address of a disk's data, the resource itself, or the failure. */
#include "api/azure/compute/compute.h"

#include "base/uuid_asked.h"
#include "engine/instance/azure_guest.h"
#include "engine/people/asker.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "store/async_job.h"
#include "store/image.h"
#include "store/instance_extension.h"

static bool is_makers(const struct az_call *e, const struct async_job *job)
{
	const struct asker asker = ASKER_OF(job);
	return asker_is_caller(&asker, e->c);
}

/* True if the caller may list jobs, which others' jobs need, since they name resources. Nothing may read rows
 * meanwhile: the guard opens a view of its own. */
static RESULT may_list(struct az_call *e, bool *ret_may)
{
	const struct guard_request request = {.action = STR("ec2:DescribeJobs"),
					      .has_role = identity_has(e->c->who, RIGHT_READER)};
	view_close(&e->view);
	e->view = (struct view){0};
	return guard_ask_actions(e->config->guards, e->call, &request, 1, ret_may);
}

static RESULT find_job(struct az_call *e, const struct async_job **ret_job)
{
	bool may = false;
	uuid id = UUID_NONE;
	struct str text = az_path_value(e, "operationId");
	bool is_id = result_is_ok(uuid_parse_asked(text, &id));
	TRY(may_list(e, &may));
	const struct async_job *job = is_id ? async_job_find(az_tables(e), id) : NULL;
	if (!job || !uuid_equal(job->account, e->c->who->account) || !(may || is_makers(e, job)))
		return ctx_fail(e->c, ERR_NOT_FOUND, "The operation '%" STR_FMT "' was not found.",
				STR_ARG(str_slice(text, 0, 64)));
	*ret_job = job;
	return OK;
}

/* Writes a later failure. Its code is guessed unless the guest reported one. */
static void write_failure(struct az_call *e, struct json_writer *w, const struct async_job *job)
{
	const struct instance_extension *x = instance_extension_find(az_tables(e), job->subject);
	struct str words = x ? str_print(e->c->arena,
					 "VM has reported a failure when processing extension '%" STR_FMT
					 "'. Error message: \"%" STR_FMT "\"",
					 STR_ARG(x->name), STR_ARG(job->problem))
			     : job->problem;
	json_write_open(w, "error");
	json_write_z(w, "code", x ? "VMExtensionProvisioningError" : "OperationNotAllowed");
	json_write_text(w, "message", words);
	json_write_close(w);
}

/* Answers of changes that ended well: output of a Run Command, URL of a disk's data. Only whoever asked for
 * the change gets them: listing jobs takes less than reading a disk. */
struct output {
	const struct instance_extension *command;
	const struct image *access;
};

static bool find_output(struct az_call *e, const struct async_job *job, struct output *ret_output)
{
	bool is_done = job->ended == ASYNC_JOB_ENDED_DONE && is_makers(e, job);
	*ret_output = (struct output){0};
	if (is_done && str_is(job->command, "ec2:RunInstanceCommand"))
		ret_output->command = instance_extension_find(az_tables(e), job->subject);
	if (is_done && str_is(job->command, "ec2:GrantDiskAccess"))
		ret_output->access = image_find(az_tables(e), job->subject);
	if (ret_output->command && engine_is_kept_command(ret_output->command))
		ret_output->command = NULL;
	return ret_output->command || ret_output->access;
}

static void write_output(struct az_call *e, struct json_writer *w, const struct output *output)
{
	if (output->access) {
		az_write_access(e, w, output->access);
		return;
	}
	json_write_open_list(w, "value");
	az_write_extension_status(e, w, output->command);
	json_write_close_list(w);
}

/* Finds the row that the job made, and the action that shows it. NULL: the row is gone, or somebody else asks. */
static const struct az_action *find_shown(struct az_call *e, const struct async_job *job,
					  const struct row **ret_row)
{
	enum kind kind = (enum kind) job->subject_kind;
	*ret_row = is_makers(e, job) ? tables_find(az_tables(e), kind, job->subject) : NULL;
	for (size_t g = 0; *ret_row && g < az_group_count; g++)
		for (size_t k = 0; k < az_groups[g]->count; k++) {
			const struct az_action *a = az_row_of(api_action_at(az_groups[g], k));
			if (a->method == HTTP_PUT && a->outcome && a->shows && a->kind == kind)
				return a;
		}
	return NULL;
}

/* Writes the final answer of the Location URL: the failure, the output, the resource, or nothing (204). */
static void write_end(struct az_call *e, struct json_writer *w, const struct async_job *job,
		      const struct output *output)
{
	const struct row *row = NULL;
	const struct az_action *shown = NULL;
	if (job->ended == ASYNC_JOB_ENDED_DONE && str_is(az_query_value(e, "monitor"), "resource"))
		shown = find_shown(e, job, &row);
	if (job->ended == ASYNC_JOB_ENDED_FAILED) {
		e->status = 409;
		write_failure(e, w, job);
	} else if (output) {
		write_output(e, w, output);
	} else if (shown) {
		const struct api_action *own = e->action;
		e->action = &shown->core; /* the resource's head has that action's type */
		members_write(&e->core, w, az_write_time, &shown->shows->members, row);
		e->action = own;
	} else {
		e->status = 204;
		e->has_no_body = true;
	}
}

static RESULT show(struct az_call *e, const void *args, struct json_writer *w)
{
	static const char *const words[] = {[ASYNC_JOB_ENDED_NONE] = "InProgress",
					    [ASYNC_JOB_ENDED_DONE] = "Succeeded",
					    [ASYNC_JOB_ENDED_FAILED] = "Failed"};
	const struct async_job *job = NULL;
	(void) args;
	TRY(find_job(e, &job));
	bool is_going = job->ended == ASYNC_JOB_ENDED_NONE;
	struct output output;
	bool has_output = find_output(e, job, &output);
	if (is_going)
		call_set_answer_header(e->call, "Retry-After", STR("1"));
	if (az_query_value(e, "monitor").n && !is_going) {
		write_end(e, w, job, has_output ? &output : NULL);
		return OK;
	}
	if (is_going && az_query_value(e, "monitor").n)
		e->status = 202;
	json_write_text(w, "id", e->call->path);
	json_write_text(w, "name", uuid_to_str(e->c->arena, job->row.id));
	az_write_time(w, "startTime", job->row.created_us);
	az_write_time(w, "endTime", job->ended_us);
	json_write_z(w, "status", words[job->ended]);
	if (job->ended == ASYNC_JOB_ENDED_FAILED)
		write_failure(e, w, job);
	if (has_output) {
		json_write_open(w, "properties");
		json_write_open(w, "output");
		write_output(e, w, &output);
		json_write_close(w);
		json_write_close(w);
	}
	return OK;
}

static const struct az_action actions[] = {
	{HTTP_GET, AZ_SUBSCRIPTION AZ_COMPUTE "/locations/{location}/operations/{operationId}",
	 .name = "Operations_Get", .permit = "ec2:DescribeJobs", .flags = API_FOR_ALL | API_CHANGES_BY_TIME,
	 .type = AZ_OPERATIONS, .answer = show, .query = "monitor",
	 .doc = "Gets the result of a compute operation."},
	{HTTP_GET, AZ_SUBSCRIPTION AZ_NETWORK "/locations/{location}/operations/{operationId}",
	 .name = "NetworkOperations_Get", .permit = "ec2:DescribeJobs",
	 .flags = API_FOR_ALL | API_CHANGES_BY_TIME, .type = AZ_NETWORK_OPERATIONS, .answer = show,
	 .query = "monitor", .doc = "Gets the result of a network operation."},
};
const struct api_actions az_operation_actions = API_ACTIONS(actions);
