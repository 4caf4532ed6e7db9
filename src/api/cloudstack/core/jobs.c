/* SPDX-License-Identifier: Apache-2.0
 * Async jobs: created in the commit of their change, read by queryAsyncJobResult. The result is written from
 * the subject's current state. Source: API reference, "Async job", 4.18.
 */
#include "api/cloudstack/core/action.h"
#include "api/core/guest_password.h"
#include "base/clock.h"
#include "base/uuid_asked.h"
#include "engine/instance/instance.h"
#include "engine/people/asker.h"
#include "engine/people/policy/role.h"
#include "engine/resolve.h"
#include "model/permission.h"
#include "store/async_job.h"

enum { RESULT_FAILED = 530 };

static uuid id_at(const struct cs_call *e, size_t at)
{
	return at ? *(const uuid *) (const void *) ((const char *) e->args + at - 1) : UUID_NONE;
}

uuid cs_subject_of(const struct cs_call *e)
{
	return id_at(e, cs_action_of(e)->subject);
}

static struct job_wish make_wish(const struct cs_call *e)
{
	const struct cs_action *a = cs_action_of(e);
	return (struct job_wish){.command = str_from(a->name),
				 .kind = a->shows ? a->shows->kind : a->about,
				 .subject = cs_subject_of(e),
				 .machine = id_at(e, a->machine),
				 .outcome = a->outcome,
				 .secret = e->secret};
}

/* ---- making ---- */

RESULT cs_begin_change(struct api_call *core, struct op *op, bool *ret_is_deferred)
{
	struct cs_call *e = cs_call_of(core);
	const struct cs_action *a = cs_action_of(e);
	uuid id = cs_subject_of(e);
	if (a->turn == ASYNC_JOB_TURN_NONE || !engine_has_jobs(op->head, id))
		return OK;
	const struct instances_wish *asked = e->args;
	const struct permission *permission = permission_of_action(str_from(a->permit));
	struct job_queuing wish = {.job = make_wish(e),
				   .turn = a->turn,
				   .permission = permission ? permission->name : a->permit,
				   .instance = asked->instances.at[0],
				   .is_forced = asked->force,
				   .volumes = asked->volumes};
	TRY(engine_queue_job(op, &wish));
	e->job = wish.job.job;
	*ret_is_deferred = true;
	return OK;
}

RESULT cs_end_change(struct api_call *core, struct op *op)
{
	struct cs_call *e = cs_call_of(core);
	struct job_wish wish = make_wish(e);
	if (!cs_is_async(cs_action_of(e)))
		return OK;
	TRY(engine_create_job(op, &wish));
	e->job = wish.job;
	return OK;
}

void cs_write_job_id(struct cs_call *e, struct json_writer *w)
{
	if (e->action->flags & CS_MAKES)
		json_write_text(w, "id", uuid_to_str(e->c->arena, cs_subject_of(e)));
	json_write_text(w, "jobid", uuid_to_str(e->c->arena, e->job));
}

/* ---- telling ---- */

const char *cs_resource_type(enum kind kind)
{
	static const char *const words[KIND_COUNT] = {[KIND_INSTANCE] = "VirtualMachine",
						      [KIND_VOLUME] = "Volume",
						      [KIND_SNAPSHOT] = "Snapshot",
						      [KIND_INSTANCE_SNAPSHOT] = "VmSnapshot",
						      [KIND_SNAPSHOT_POLICY] = "SnapshotPolicy",
						      [KIND_IMAGE] = "Template",
						      [KIND_NETWORK] = "Network",
						      [KIND_ROUTER] = "Vpc",
						      [KIND_ADDRESS] = "IpAddress",
						      [KIND_ACCOUNT] = "Account",
						      [KIND_DOMAIN] = "Domain",
						      [KIND_SECURITY_GROUP] = "SecurityGroup",
						      [KIND_SECURITY_GROUP_RULE] = "SecurityGroup",
						      [KIND_SECONDARY_IP] = "NicSecondaryIp",
						      [KIND_PORT_FORWARDING] = "FirewallRule",
						      [KIND_LOAD_BALANCER] = "LoadBalancerRule",
						      [KIND_SCALING_GROUP] = "AutoScaleVmGroup",
						      [KIND_AUTOSCALE_PROFILE] = "AutoScaleVmProfile",
						      [KIND_AUTOSCALE_POLICY] = "AutoScalePolicy",
						      [KIND_AUTOSCALE_CONDITION] = "Condition",
						      [KIND_NETWORK_ACL] = "NetworkAcl",
						      [KIND_NETWORK_OFFERING] = "NetworkOffering",
						      [KIND_SERVER_GROUP] = "AffinityGroup",
						      [KIND_INSTANCE_TYPE] = "ServiceOffering",
						      [KIND_USER] = "User",
						      [KIND_HOST] = "Host",
						      [KIND_FIREWALL_RULE] = "FirewallRule",
						      [KIND_VPN_GATEWAY] = "VpnGateway",
						      [KIND_CUSTOMER_GATEWAY] = "VpnCustomerGateway",
						      [KIND_VPN_CONNECTION] = "VpnConnection"};
	return words[kind] ? words[kind] : "None";
}

RESULT cs_read_resource(struct cs_call *e, struct str id, struct str type, uuid *ret_id)
{
	if (id.n && !type.n)
		return cs_fail(e, "resourceid",
			       "resourceid parameter must be used with resourcetype parameter");
	return !id.n || result_is_ok(uuid_parse_asked(id, ret_id))
		       ? OK
		       : cs_fail(e, "resourceid", "Invalid resourceid");
}

/* True if the subject now belongs to another account, such as an accepted volume transfer.
 * Administrators see all. */
static bool has_left(const struct api_call *e, const struct async_job *job, const struct row *row)
{
	bool is_account = job->subject_kind == KIND_ACCOUNT;
	uuid owner = is_account ? UUID_NONE : engine_get_owner((enum kind) job->subject_kind, row);
	return !uuid_is_none(owner) && !uuid_equal(owner, job->account) &&
	       !(row_is_live(row) && identity_is_admin(e->c->who));
}

/* Writes the password to the caller who created the job; drawing it was recorded in the audit log. */
static void write_password(struct api_call *e, struct json_writer *w, const struct async_job *job)
{
	struct str password = STR_NONE;
	const struct asker asker = ASKER_OF(job);
	bool is_makers = asker_is_caller(&asker, e->c);
	if (is_makers && job->secret.n &&
	    result_is_ok(api_open_guest_password(e, job->account, job->secret, &password)))
		json_write_text(w, "password", password);
}

/* Writes the command's answer; nothing if the subject is gone. */
static void write_success(struct api_call *e, struct json_writer *w, const struct async_job *job)
{
	const struct cs_action *a = cs_find_command(e->face, job->command);
	const struct row *row =
		a && a->shows ? tables_find(api_tables(e), a->shows->kind, job->subject) : NULL;
	if (!row || has_left(e, job, row)) {
		json_write_bool(w, "success", true);
		return;
	}
	json_write_open(w, a->item ? a->item : a->shows->item);
	members_write(e, w, cs_write_time, &a->shows->members, row);
	write_password(e, w, job);
	json_write_close(w);
}

static void write_result(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct async_job *job = async_job_of(row);
	bool is_failed = job->ended == ASYNC_JOB_ENDED_FAILED;
	json_write_int(w, "jobstatus", job->ended); /* 0: pending, 1: succeeded, 2: failed */
	json_write_int(w, "jobresultcode", is_failed ? RESULT_FAILED : 0);
	if (job->ended == ASYNC_JOB_ENDED_NONE)
		return;
	json_write_z(w, "jobresulttype", "object");
	json_write_open(w, name);
	if (is_failed) {
		json_write_int(w, "errorcode", RESULT_FAILED);
		json_write_text(w, "errortext", job->problem);
	} else {
		write_success(e, w, job);
	}
	json_write_close(w);
}

static void write_instance(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct async_job *job = async_job_of(row);
	json_write_z(w, name, cs_resource_type((enum kind) job->subject_kind));
	if (!uuid_is_none(job->subject))
		json_write_text(w, "jobinstanceid", uuid_to_str(e->c->arena, job->subject));
}

/* Writes the pending job of a row. Source: UserVmJoinDaoImpl and VolumeJoinDaoImpl. */
void cs_write_pending_job(struct api_call *e, struct json_writer *w, const char *name, const struct row *row)
{
	const struct async_job *job = engine_first_job(api_tables(e), row->id);
	if (!job)
		return;
	json_write_text(w, name, uuid_to_str(e->c->arena, job->row.id));
	json_write_int(w, "jobstatus", 0);
}

static const struct member members[] = {
	MEMBER(struct async_job, "jobid", row.id),
	MEMBER(struct async_job, "accountid", account),
	CS_OWNER_MEMBERS(async_job),
	MEMBER(struct async_job, "userid", made_by),
	MEMBER(struct async_job, "cmd", command),
	MEMBER_FIXED("jobprocstatus", "0"),
	MEMBER_WRITTEN("jobresult", write_result, .also = "jobstatus|jobresultcode|jobresulttype"),
	MEMBER_WRITTEN("jobinstancetype", write_instance, .also = "jobinstanceid"),
	MEMBER_AS(struct async_job, TIME, "created", row.created_us),
	MEMBER_AS(struct async_job, TIME, "completed", ended_us),
};

struct list_jobs {
	struct cs_list_args list;
	struct str start, resource, resource_type;
	int64_t start_us;
	uuid of; /* none: any resource */
};
static const struct param params[] = {
	CS_PAGE_PARAMS(struct list_jobs),
	CS_OWNER_PARAMS(struct list_jobs),
	PARAM(struct list_jobs, "startdate", start, .doc = "Earliest creation time."),
	PARAM(struct list_jobs, "resourceid", resource, .doc = "Resource of the job; needs resourcetype."),
	PARAM(struct list_jobs, "resourcetype", resource_type,
	      .doc = "Type of the job's resource, such as VirtualMachine."),
	NOT_BUILT("managementserverid"),
};

static RESULT prepare_list(struct cs_call *e, void *args)
{
	struct list_jobs *a = args;
	TRY(cs_read_resource(e, a->resource, a->resource_type, &a->of));
	return cs_read_date(e, a->start, "startdate", CS_FROM, &a->start_us);
}

static bool matches(struct api_call *e, const void *args, const struct row *row)
{
	const struct list_jobs *a = args;
	const struct async_job *job = async_job_of(row);
	(void) e;
	return row->created_us >= a->start_us && (uuid_is_none(a->of) || uuid_equal(a->of, job->subject)) &&
	       (!a->resource_type.n ||
		str_is(a->resource_type, cs_resource_type((enum kind) job->subject_kind)));
}

static const struct api_listing jobs = CS_LISTING(KIND_ASYNC_JOB, "asyncjobs", members, .matches = matches);

struct query_args {
	struct ref job;
	bool sees_others;
};
static const struct param query_params[] = {
	PARAM(struct query_args, "jobid", job, .kind = KIND_ASYNC_JOB, .flags = REQUIRED, .doc = "The job."),
	NOT_BUILT("resourceid|resourcetype"),
};

/* Callers may query their own jobs. Others' jobs need the permission of listAsyncJobs. */
static RESULT prepare_query(struct cs_call *e, void *args)
{
	const struct guard_request request = {.action = STR("ec2:DescribeJobs"),
					      .has_role = identity_has(e->c->who, RIGHT_READER)};
	return guard_ask_actions(e->config->guards, e->call, &request, 1,
				 &((struct query_args *) args)->sees_others);
}

/* True for jobs of the account, and of accounts in which the user has a role. */
static bool may_see(struct cs_call *e, const struct query_args *a, const struct async_job *job)
{
	struct roles roles = {0};
	const struct asker asker = ASKER_OF(job);
	if (asker_is_caller(&asker, e->c))
		return true;
	engine_find_roles(cs_tables(e), e->c->who->user, IDENTITY_ACCOUNT, job->account, &roles);
	return a->sees_others && (engine_may_see(e->c, KIND_ASYNC_JOB, &job->row) || roles.count);
}

static RESULT query(struct cs_call *e, const void *args, struct json_writer *w)
{
	const struct query_args *a = args;
	const struct ref *ref = &a->job;
	const struct async_job *job = async_job_find(cs_tables(e), ref->prefix);
	if (!job || !may_see(e, a, job))
		return cs_fail_id(e, KIND_ASYNC_JOB, "jobid", ref->text);
	members_write(&e->core, w, cs_write_time, &jobs.members, &job->row);
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("queryAsyncJobResult", "ec2:DescribeRegions"), .flags = API_FOR_ALL,
	 .args = PARAMS(struct query_args, query_params), .prepare = prepare_query, .answer = query,
	 .says = "jobid|accountid|userid|cmd|jobstatus|jobresultcode|jobresult|jobinstancetype|jobinstanceid|"
		 "created|completed",
	 .doc = "Returns the state and result of a job."},
	{CS_ACTION("listAsyncJobs", "ec2:DescribeJobs"), .flags = CS_OF_ACCOUNT,
	 .args = PARAMS(struct list_jobs, params), .prepare = prepare_list, .listing = &jobs,
	 .doc = "Lists the jobs of the last hour."},
};
const struct api_actions cs_job_actions = API_ACTIONS(actions);
