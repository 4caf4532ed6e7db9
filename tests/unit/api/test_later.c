/* SPDX-License-Identifier: Apache-2.0
 * Deferred work asks its asker's policies again when it runs (engine/people/asker.h): a policy that was taken away
 * or attached meanwhile refuses the work, and the work's row says so. */
#include "../base/test_base.h"

#include "base/clock.h"
#include "engine/people/account/account_purge.h"
#include "engine/people/policy/iam_role.h"
#include "engine/people/policy/policy.h"
#include "engine/resource_group.h"
#include "engine/storage/image/import_task.h"
#include "engine/storage/snapshot/snapshot_policy.h"
#include "model/schedule.h"
#include "script.h"
#include "store/account.h"
#include "store/async_job.h"
#include "store/backup.h"
#include "store/condition.h"
#include "store/domain.h"
#include "store/import_snapshot_task.h"
#include "store/instance.h"
#include "store/resource_group.h"
#include "store/snapshot_policy.h"
#include "store/volume.h"
#include "world.h"

#define ALLOW_ALL "{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\"}"
#define ALLOW_FROM(block)                                                                                    \
	"{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"IpAddress\":"            \
	"{\"aws:SourceIp\":\"" block "\"}}}"
#define DENY(actions) "{\"Effect\":\"Deny\",\"Action\":" actions ",\"Resource\":\"*\"}"
#define DENY_FROM(block)                                                                                     \
	"{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"*\",\"Condition\":{\"IpAddress\":"             \
	"{\"aws:SourceIp\":\"" block "\"}}}"

struct later {
	struct world w;
	struct world_user eve;         /* a user of alice's account whose policies alone allow something */
	const struct world_user *boss; /* gives eve policies */
};

static struct ref user_ref(const struct world_user *user)
{
	return (struct ref){.kind = KIND_USER, .prefix = user->who.user, .bits = 128};
}

static void put_policy(struct later *l, const char *name, const char *statement)
{
	struct inline_policy_wish wish = {
		.user = user_ref(&l->eve),
		.name = str_from(name),
		.document =
			str_print(l->w.arena, "{\"Version\":\"2012-10-17\",\"Statement\":[%s]}", statement)};
	assert_ok(world_do(&l->w, &l->boss->who, engine_put_inline_policy_run, &wish));
}

static void drop_policy(struct later *l, const char *name)
{
	struct inline_policy_wish wish = {.user = user_ref(&l->eve), .name = str_from(name)};
	assert_ok(world_do(&l->w, &l->boss->who, engine_delete_inline_policy_run, &wish));
}

static int setup(void **state)
{
	struct later *l = calloc(1, sizeof *l);
	world_make(&l->w);
	world_add_user(&l->w, "eve", l->w.alice.who.account, NULL, &l->eve);
	l->eve.tenant = l->w.alice.tenant;
	l->boss = &l->w.alice;
	put_policy(l, "all", ALLOW_ALL);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	struct later *l = *state;
	world_done(&l->w);
	free(l);
	return 0;
}

static struct str ask(struct later *l, const char *method, struct str path, struct str query, struct str body,
		      int status)
{
	const struct script_request request = {
		.method = str_from(method), .path = path, .query = query, .body = body};
	struct world_answer answer = world_request(&l->w, &l->eve, &request);
	if (answer.status != status)
		fail_msg("%d: %.*s", answer.status, STR_ARG(answer.body));
	return answer.body;
}

static struct str cloudstack(struct later *l, struct str query)
{
	return ask(l, "GET", STR("/client/api"), query, STR_NONE, 200);
}

/* A view for one look at rows that tests keep no pointers of. */
#define LOOK(l, view)                                                                                        \
	AUTO_VIEW view = {0};                                                                                \
	view_open((l)->w.store, &view)

/* ---- jobs that wait for their turn ---- */

static uuid make_stopped(struct later *l)
{
	struct str form = str_print(l->w.arena,
				    "Action=RunInstances&ImageId=%" STR_FMT
				    "&InstanceType=t3.micro&MinCount=1&MaxCount=1",
				    STR_ARG(id_to_ec2(l->w.arena, KIND_IMAGE, l->w.image)));
	struct world_answer answer = world_post(&l->w, &l->w.alice, form);
	assert_int_equal(answer.status, 200);
	world_settle(&l->w, MINUTE);
	struct str stop = str_print(l->w.arena, "Action=StopInstances&InstanceId.1=%" STR_FMT,
				    STR_ARG(world_element(answer.body, "instanceId")));
	assert_int_equal(world_post(&l->w, &l->eve, stop).status, 200);
	world_settle(&l->w, MINUTE);
	LOOK(l, view);
	return instance_first_by_account(view.tables, l->w.alice.who.account)->row.id;
}

static RESULT put_job(struct op *op, void *job)
{
	return async_job_put(op, job);
}

/* A start that eve has asked for and whose turn comes now. The row is written directly, because simulated hosts
 * leave no job waiting. Empty: it was carried out; otherwise the reason why it was not. */
static struct str start_later(struct later *l, uuid instance)
{
	struct async_job job = {.row.id = uuid_random(),
				.row.gen = 1,
				.account = l->eve.who.account,
				.made_by = l->eve.who.user,
				.command = STR("startVirtualMachine"),
				.subject_kind = KIND_INSTANCE,
				.subject = instance,
				.outcome = ASYNC_JOB_OUTCOME_SETTLED,
				.turn = ASYNC_JOB_TURN_START};
	assert_ok(world_do(&l->w, NULL, put_job, &job));
	world_settle(&l->w, 10 * MINUTE);
	LOOK(l, view);
	const struct async_job *ended = async_job_find(view.tables, job.row.id);
	bool is_on = instance_find(view.tables, instance)->wanted_power == INSTANCE_WANTED_POWER_ON;
	assert_int_equal(ended->ended, is_on ? ASYNC_JOB_ENDED_DONE : ASYNC_JOB_ENDED_FAILED);
	return str_copy(l->w.arena, ended->problem);
}

static void test_job(void **state)
{
	struct later *l = *state;
	uuid instance = make_stopped(l);
	put_policy(l, "no", DENY("\"ec2:StartInstances\""));
	struct str problem = start_later(l, instance);
	assert_true(str_starts_with(problem,
				    STR("You are not authorized to perform this operation. User: arn:")));
	assert_true(
		str_contains(problem, STR("explicit deny in an identity-based policy: inline policy no")));
	drop_policy(l, "no");
	drop_policy(l, "all");
	assert_true(
		str_contains(start_later(l, instance), STR("no role allows the ec2:StartInstances action")));
}

/* The call's address is not known later: an Allow that depends on it holds, and a Deny that does does not. */
static void test_conditions_of_the_request(void **state)
{
	struct later *l = *state;
	uuid instance = make_stopped(l);
	put_policy(l, "from", ALLOW_FROM("10.0.0.0/8"));
	put_policy(l, "never", DENY_FROM("0.0.0.0/0"));
	drop_policy(l, "all");
	assert_int_equal(start_later(l, instance).n, 0);
}

/* ---- deletion of a resource group ---- */

static bool delete_group(struct later *l, const char *name, const char *denied, struct str *ret_problem)
{
	struct str path = str_print(l->w.arena, "/subscriptions/%" STR_FMT "/resourcegroups/%s",
				    STR_ARG(uuid_to_str(l->w.arena, l->w.alice.who.account)), name);
	struct str key = str_print(l->w.arena, "%" STR_FMT "/providers/Microsoft.Compute/sshPublicKeys/%s",
				   STR_ARG(path), name);
	const struct str version = STR("api-version=2021-04-01"), computes = STR("api-version=2024-07-01");
	(void) ask(l, "PUT", path, version, STR("{\"location\":\"us-east-1\"}"), 201);
	(void) ask(l, "PUT", key, computes,
		   STR("{\"location\":\"us-east-1\",\"properties\":{\"publicKey\":\"ssh-ed25519 "
		       "AAAAC3NzaC1lZDI1NTE5AAAAIJ7DBxzGZrp6Hc9PH+bJ1aFc6PQ3dPXf2CKmnCOrKs2a\"}}"),
		   201);
	(void) ask(l, "DELETE", path, version, STR_NONE, 202);
	put_policy(l, "no", denied);
	world_settle(&l->w, 10 * MINUTE);
	drop_policy(l, "no");
	LOOK(l, view);
	const struct resource_group *g =
		engine_find_resource_group(view.tables, l->w.arena, l->w.alice.who.account, str_from(name));
	*ret_problem = g ? str_copy(l->w.arena, g->problem) : STR_NONE;
	return !g;
}

static void test_resource_group(void **state)
{
	struct later *l = *state;
	struct str problem;
	assert_true(delete_group(l, "goes", DENY("\"ec2:TerminateInstances\""), &problem));
	assert_false(delete_group(l, "stays", DENY("\"ec2:DeleteResourceGroup\""), &problem));
	assert_true(str_contains(problem, STR("ec2:DeleteResourceGroup")));
	assert_false(delete_group(l, "keeps", DENY("\"ec2:DeleteKeyPair\""), &problem));
	assert_true(str_contains(problem, STR("ec2:DeleteKeyPair")));
}

/* ---- deletion of an account or a domain ---- */

static struct str read_id(struct later *l, struct str answer, const char *before)
{
	const char *at = strstr(str_to_z(l->w.arena, answer), before);
	if (!at)
		fail_msg("no %s in %.*s", before, STR_ARG(answer));
	struct str rest = str_from(at + strlen(before));
	return str_copy(l->w.arena, str_slice(rest, 0, str_find_char(rest, '"', 0)));
}

/* A domain with two accounts, of which the first one has a volume. eve is an administrator of the region: nobody else
 * may delete accounts. */
struct doomed {
	uuid domain, first, second;
};

static struct doomed make_doomed(struct later *l, const char *name)
{
	static const char *const accounts[] = {"lab", "shop"};
	struct arena *a = l->w.arena;
	struct doomed d = {0};
	struct str domain =
		read_id(l, cloudstack(l, str_print(a, "command=createDomain&response=json&name=%s", name)),
			"\"domain\":{\"id\":\"");
	assert_ok(uuid_parse(domain, &d.domain));
	for (size_t k = 0; k < 2; k++)
		(void) cloudstack(l, str_print(a,
					       "command=createAccount&account=%s&domainid=%" STR_FMT
					       "&username=%s-%s&password=Secret-1234&email=a@example.org&"
					       "firstname=A&lastname=B",
					       accounts[k], STR_ARG(domain), accounts[k], name));
	struct str zone = read_id(l, cloudstack(l, STR("command=listZones&response=json&name=us-east-1a")),
				  "\"zone\":[{\"id\":\"");
	struct str offering =
		read_id(l, cloudstack(l, STR("command=listDiskOfferings&response=json&name=Small")),
			"\"diskoffering\":[{\"id\":\"");
	(void) cloudstack(l, str_print(a,
				       "command=createVolume&name=data&diskofferingid=%" STR_FMT
				       "&zoneid=%" STR_FMT "&account=lab&domainid=%" STR_FMT,
				       STR_ARG(offering), STR_ARG(zone), STR_ARG(domain)));
	world_settle(&l->w, MINUTE);
	LOOK(l, view);
	const struct account *account = account_first_by_domain(view.tables, d.domain);
	for (; account; account = account_next_by_domain(view.tables, account))
		*(str_is(account->name, "lab") ? &d.first : &d.second) = account->row.id;
	return d;
}

/* Deletes the account or the domain, and attaches the policy before the reconciler carries that out. *ret_problem:
 * why the first account stays; empty: it has gone. */
static void delete_later(struct later *l, const struct doomed *d, bool whole_domain, const char *denied,
			 struct str *ret_problem)
{
	struct str id = uuid_to_str(l->w.arena, whole_domain ? d->domain : d->first);
	(void) cloudstack(l, str_print(l->w.arena, "command=%s&id=%" STR_FMT,
				       whole_domain ? "deleteDomain&cleanup=true" : "deleteAccount",
				       STR_ARG(id)));
	if (denied)
		put_policy(l, "no", denied);
	world_settle(&l->w, 10 * MINUTE);
	if (denied)
		drop_policy(l, "no");
	LOOK(l, view);
	const struct account *account = account_find(view.tables, d->first);
	bool stays = account && row_is_live(&account->row);
	*ret_problem = stays ? str_copy(l->w.arena, account->delete_problem) : STR_NONE;
	if (stays && (account->is_deleting || account->enabled || !ret_problem->n))
		fail_msg("deleting %d, enabled %d: %.*s", account->is_deleting, account->enabled,
			 STR_ARG(*ret_problem));
}

static bool has_volume(struct later *l, const struct doomed *d)
{
	LOOK(l, view);
	const struct volume *volume = volume_first_by_account(view.tables, d->first);
	return volume && row_is_live(&volume->row);
}

static void make_eve_administrator(struct later *l)
{
	world_add_user(&l->w, "root", l->w.admin.who.account, "admin", &l->eve);
	l->eve.tenant = l->w.admin.tenant;
	l->boss = &l->w.admin;
}

static void test_account(void **state)
{
	struct later *l = *state;
	struct str problem;
	make_eve_administrator(l);
	struct doomed d = make_doomed(l, "a");
	delete_later(l, &d, false, DENY("\"organizations:CloseAccount\""), &problem);
	assert_true(str_contains(problem, STR("organizations:CloseAccount")) && has_volume(l, &d));
	d = make_doomed(l, "b");
	delete_later(l, &d, false, DENY("\"ec2:DeleteVolume\""), &problem);
	assert_true(str_contains(problem, STR("ec2:DeleteVolume")) && has_volume(l, &d));
	d = make_doomed(l, "c");
	delete_later(l, &d, false, NULL, &problem);
	assert_true(!problem.n && !has_volume(l, &d));
}

static void test_domain(void **state)
{
	struct later *l = *state;
	struct str problem;
	make_eve_administrator(l);
	struct doomed d = make_doomed(l, "a");
	delete_later(l, &d, true, DENY("\"organizations:*\""), &problem);
	assert_true(problem.n && has_volume(l, &d));
	d = make_doomed(l, "b");
	delete_later(l, &d, true, NULL, &problem);
	assert_true(!problem.n && !has_volume(l, &d));
	LOOK(l, view);
	assert_null(domain_find(view.tables, d.domain));
}

static RESULT mark_as_deleting(struct op *op, void *arg)
{
	struct account_emptying *wish = arg;
	struct account next = *account_find(op->head, wish->account);
	next.is_deleting = true;
	TRY(account_put(op, &next));
	return engine_empty_account(op, wish);
}

/* An account whose domain's deletion has been refused is not deleted by anybody: not by the system either. */
static void test_account_without_a_request(void **state)
{
	struct later *l = *state;
	make_eve_administrator(l);
	struct doomed d = make_doomed(l, "a");
	struct account_emptying wish = {.account = d.second, .guard = guards_later(l->w.guards)};
	assert_ok(world_do(&l->w, NULL, mark_as_deleting, &wish));
	LOOK(l, view);
	const struct account *account = account_find(view.tables, d.second);
	assert_true(account && !account->is_deleting && account->delete_problem.n);
}

/* ---- imports, schedules and backups ---- */

/* An import in progress, and the report of the reconciler, in one change: in the world every download fails. */
struct reported_import {
	struct import_snapshot_task task;
	struct import_report report;
};

static RESULT report_import(struct op *op, void *arg)
{
	struct reported_import *r = arg;
	TRY(import_snapshot_task_put(op, &r->task));
	return engine_see_import(op, &r->report);
}

/* role: of a session that has asked; none: eve has. */
static struct str import_later(struct later *l, uuid role)
{
	struct reported_import r = {.task = {.row.id = uuid_random(),
					     .row.gen = 1,
					     .account = l->eve.who.account,
					     .made_by = uuid_is_none(role) ? l->eve.who.user : UUID_NONE,
					     .made_with = role,
					     .url = STR("http://192.0.2.1/a.raw"),
					     .format = STR("raw")}};
	r.report = (struct import_report){
		.task = r.task.row.id, .progress = 10, .guard = guards_later(l->w.guards)};
	assert_ok(world_do(&l->w, NULL, report_import, &r));
	LOOK(l, view);
	return str_copy(l->w.arena, import_snapshot_task_find(view.tables, r.task.row.id)->problem);
}

static void test_import(void **state)
{
	struct later *l = *state;
	assert_false(str_contains(import_later(l, UUID_NONE), STR("not authorized")));
	put_policy(l, "no", DENY("\"ec2:ImportSnapshot\""));
	assert_true(str_contains(import_later(l, UUID_NONE), STR("explicit deny")));
}

/* A session of a role: its name and its tags are not known later. */
static void test_import_by_role(void **state)
{
	struct later *l = *state;
	const struct identity *owner = &l->w.alice.who;
	struct iam_role_wish role = {
		.name = STR("deploy"),
		.trust = STR("{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
			     "{\"AWS\":\"*\"},\"Action\":\"sts:AssumeRole\"}]}")};
	assert_ok(world_do(&l->w, owner, engine_create_iam_role_run, &role));
	struct inline_policy_wish policy = {
		.iam_role = ref_by_id(KIND_IAM_ROLE, role.iam_role),
		.name = STR("may"),
		.document = STR(
			"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"*\","
			"\"Resource\":\"*\",\"Condition\":{\"StringLike\":{\"aws:userid\":\"*:ann\"},"
			"\"StringEquals\":{\"aws:PrincipalTag/team\":\"a\"}}}]}")};
	assert_true(str_contains(import_later(l, role.iam_role), STR("no role allows")));
	assert_ok(world_do(&l->w, owner, engine_put_inline_policy_run, &policy));
	assert_false(str_contains(import_later(l, role.iam_role), STR("not authorized")));
	assert_ok(world_do(&l->w, owner, engine_delete_inline_policy_run, &policy));
	struct str why = import_later(l, role.iam_role);
	assert_true(str_contains(why, STR("role/deploy is not authorized")));
}

static uuid make_volume(struct later *l)
{
	assert_int_equal(
		world_post(&l->w, &l->w.alice, STR("Action=CreateVolume&Size=2&AvailabilityZone=us-east-1a"))
			.status,
		200);
	world_settle(&l->w, MINUTE);
	LOOK(l, view);
	return volume_first_by_account(view.tables, l->w.alice.who.account)->row.id;
}

static struct snapshot_policy look_at_policy(struct later *l)
{
	LOOK(l, view);
	return *snapshot_policy_first(view.tables);
}

static bool has_condition(struct later *l, uuid subject)
{
	LOOK(l, view);
	return condition_first_by_subject(view.tables, subject);
}

static void test_schedule(void **state)
{
	struct later *l = *state;
	uuid volume = make_volume(l);
	(void) cloudstack(l, str_print(l->w.arena,
				       "command=createSnapshotPolicy&volumeid=%" STR_FMT
				       "&intervaltype=HOURLY&schedule=30&timezone=UTC&maxsnaps=3",
				       STR_ARG(uuid_to_str(l->w.arena, volume))));
	world_settle(&l->w, MINUTE);
	clock_advance_us(HOUR);
	world_settle(&l->w, MINUTE);
	int64_t taken_us = look_at_policy(l).last_us;
	assert_true(taken_us > 0);
	put_policy(l, "no", DENY("\"ec2:CreateSnapshotPolicy\""));
	clock_advance_us(2 * HOUR);
	world_settle(&l->w, MINUTE);
	assert_int_equal(look_at_policy(l).last_us, taken_us);
	assert_true(has_condition(l, look_at_policy(l).row.id));
	drop_policy(l, "no"); /* the schedule goes on */
	clock_advance_us(HOUR);
	world_settle(&l->w, MINUTE);
	assert_true(look_at_policy(l).last_us > taken_us);
	assert_false(has_condition(l, look_at_policy(l).row.id));
}

static void test_backup(void **state)
{
	struct later *l = *state;
	uuid volume = make_volume(l);
	struct world_user carol;
	world_add_user(&l->w, "carol", l->w.alice.who.account, "member", &carol);
	l->eve = carol;
	struct str account = uuid_to_str(l->w.arena, l->w.alice.who.account);
	struct str path = str_print(l->w.arena, "/volume/v3/%" STR_FMT "/backups", STR_ARG(account));
	(void) ask(l, "POST", path, STR_NONE,
		   str_print(l->w.arena, "{\"backup\":{\"volume_id\":\"%" STR_FMT "\"}}",
			     STR_ARG(uuid_to_str(l->w.arena, volume))),
		   202);
	put_policy(l, "no", DENY("\"ec2:CreateBackup\""));
	world_settle(&l->w, 10 * MINUTE);
	LOOK(l, view);
	const struct backup *b = backup_first_by_account(view.tables, l->w.alice.who.account);
	assert_true(str_contains(b->problem, STR("explicit deny")));
}

/* ---- spot requests that are valid later ---- */

static int request_spot(struct later *l)
{
	struct str form = str_print(l->w.arena,
				    "Action=RequestSpotInstances&ValidFrom=2099-01-01T00:00:00Z"
				    "&LaunchSpecification.InstanceType=t3.micro"
				    "&LaunchSpecification.ImageId=%" STR_FMT,
				    STR_ARG(id_to_ec2(l->w.arena, KIND_IMAGE, l->w.image)));
	return world_post(&l->w, &l->eve, form).status;
}

#define DENY_IMAGES_IN_CLEAR                                                                                 \
	"{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:ec2:*::image/*\","                     \
	"\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}"

/* Nothing is launched yet, but only the call tells how its caller is connected. */
static void test_spot_request(void **state)
{
	struct later *l = *state;
	assert_int_equal(request_spot(l), 200);
	put_policy(l, "here", DENY_IMAGES_IN_CLEAR);
	assert_int_equal(request_spot(l), 403);
	drop_policy(l, "here");
	put_policy(l, "volumes",
		   "{\"Effect\":\"Deny\",\"Action\":\"*\",\"Resource\":\"arn:aws:ec2:*:*:volume/*\"}");
	assert_int_equal(request_spot(l), 403);
	LOOK(l, view);
	assert_null(instance_first_by_account(view.tables, l->w.alice.who.account));
}

#define later_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		later_test(test_job),
		later_test(test_conditions_of_the_request),
		later_test(test_resource_group),
		later_test(test_account),
		later_test(test_domain),
		later_test(test_account_without_a_request),
		later_test(test_import),
		later_test(test_import_by_role),
		later_test(test_schedule),
		later_test(test_backup),
		later_test(test_spot_request),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
