/* SPDX-License-Identifier: Apache-2.0
 * Service-linked roles of the services that Dari serves. The services act by themselves, so such a role has no
 * policies; it exists for tools that create it before they use the service. Sources: IAM's API Reference; User
 * Guide, "Create a service-linked role". */
#include "api/iam/internal.h"
#include "base/crypto.h"
#include "base/random.h"
#include "engine/people/policy/iam_role.h"
#include "engine/resolve.h"
#include "store/iam_role.h"

static const struct service {
	const char *principal, *role;
} services[] = {
	{"autoscaling.amazonaws.com", "AWSServiceRoleForAutoScaling"},
	{"ec2fleet.amazonaws.com", "AWSServiceRoleForEC2Fleet"},
	{"support.amazonaws.com", "AWSServiceRoleForSupport"},
};

static const struct service *find_service(struct str principal)
{
	for (size_t k = 0; k < sizeof services / sizeof services[0]; k++)
		if (str_is(principal, services[k].principal))
			return &services[k];
	return NULL;
}

/* ---- creation ---- */

struct new_service_role {
	struct linked_role_wish wish;
	struct str service, suffix;
};
static const struct param create_params[] = {
	PARAM(struct new_service_role, "AWSServiceName", service, .flags = REQUIRED, .min = 1, .max = 128,
	      .doc = "Principal of the service: autoscaling.amazonaws.com, ec2fleet.amazonaws.com or "
		     "support.amazonaws.com."),
	PARAM(struct new_service_role, "Description", wish.description, .max = 1000,
	      .doc = "Description: free text."),
	PARAM(struct new_service_role, "CustomSuffix", suffix, .min = 1, .max = 64,
	      .doc = "Refused: none of these services supports a suffix."),
};

/* AWS's texts, but for that of an unknown service, which is a guess. */
static RESULT prepare_new(struct iam_call *e, void *args)
{
	struct new_service_role *a = args;
	struct arena *arena = e->c->arena;
	const struct service *service = find_service(a->service);
	if (!service)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AWSServiceName"),
				      "Service %" STR_FMT " has no service-linked role.",
				      STR_ARG(a->service));
	if (a->suffix.n)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("CustomSuffix"),
				      "Custom suffix is not allowed for %s", service->principal);
	a->wish.name = str_from(service->role);
	a->wish.path = str_print(arena, IAM_LINKED_PATH "%s/", service->principal);
	a->wish.trust =
		str_print(arena,
			  "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":"
			  "{\"Service\":\"%s\"},\"Action\":\"sts:AssumeRole\"}]}",
			  service->principal);
	const struct iam_role *there = iam_role_first_by_account(iam_tables(e), e->c->who->account);
	while (there && !str_equal_nocase(there->name, a->wish.name))
		there = iam_role_next_by_account(iam_tables(e), there);
	if (there)
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("AWSServiceName"),
				      "Service role name %" STR_FMT
				      " has been taken in this account, please try "
				      "a different suffix.",
				      STR_ARG(a->wish.name));
	return a->wish.path.p && a->wish.trust.p ? OK : ctx_no_memory(e->c);
}

static RESULT show_new(struct iam_call *e, const void *args, struct xml *x)
{
	const struct row *row = NULL;
	TRY(iam_find_returned(e, ((const struct new_service_role *) args)->wish.iam_role, &row));
	xml_open(x, "Role");
	iam_write_role(e, x, iam_role_of(row), 0);
	xml_close(x, "Role");
	return OK;
}

/* ---- deletion ---- */

/* A deletion is done when it is answered. Its task is not stored: the id proves that this account had the role
 * deleted. An id is "task/aws-service-role/SERVICE/ROLE/" and a UUID of 8 random bytes and 8 bytes of their HMAC. */
enum { TASK_RANDOM = 8 };
#define TASK_STEM "task" IAM_LINKED_PATH

static void prove_task(struct iam_call *e, struct str role, uuid *task)
{
	uint8_t mac[SHA256_SIZE];
	char random[2 * TASK_RANDOM + 1];
	for (size_t k = 0; k < TASK_RANDOM; k++)
		(void) snprintf(random + 2 * k, 3, "%02x", task->b[k]);
	struct str said = str_print(e->c->arena, "role deletion %" STR_FMT " %" STR_FMT " %s",
				    STR_ARG(e->c->who->account_number), STR_ARG(role), random);
	crypto_hmac_sha256(e->config->master_key, MASTER_KEY_SIZE, said, mac);
	memcpy(task->b + TASK_RANDOM, mac, sizeof task->b - TASK_RANDOM);
}

struct gone_role {
	struct iam_role_target wish;
	struct str task;
};
static const struct param delete_params[] = {IAM_ROLE(struct gone_role, wish.iam_role)};

static RESULT prepare_delete(struct iam_call *e, void *args)
{
	struct gone_role *a = args;
	struct policy_principal principal;
	const struct ref none = {0};
	char id[UUID_TEXT_SIZE];
	uuid task = UUID_NONE;
	TRY(engine_find_policy_principal(e->c, iam_tables(e), &none, &none, &a->wish.iam_role, &principal));
	const struct iam_role *role = iam_role_of(principal.row);
	struct str place =
		str_print(e->c->arena, "%" STR_FMT "%" STR_FMT, STR_ARG(role->path), STR_ARG(role->name));
	random_bytes(task.b, TASK_RANDOM);
	prove_task(e, place, &task);
	a->task = str_print(e->c->arena, "task%" STR_FMT "/%s", STR_ARG(place), uuid_write(task, id));
	return a->task.p ? OK : ctx_no_memory(e->c);
}

static RESULT show_task(struct iam_call *e, const void *args, struct xml *x)
{
	(void) e;
	xml_text(x, "DeletionTaskId", ((const struct gone_role *) args)->task);
	return OK;
}

struct status_args {
	struct str task;
};
static const struct param status_params[] = {PARAM(struct status_args, "DeletionTaskId", task,
						   .flags = REQUIRED, .min = 1, .max = 1000,
						   .doc = "Id of the deletion task.")};

/* The texts are guesses. */
static RESULT get_status(struct iam_call *e, const void *args, struct xml *x)
{
	const struct status_args *a = args;
	struct str last = iam_last_part(a->task);
	uuid said = UUID_NONE, task = UUID_NONE;
	if (!str_starts_with(a->task, STR(TASK_STEM)) || !result_is_ok(uuid_parse(last, &said)))
		return ctx_fail_field(e->c, ERR_COMBINATION, STR("DeletionTaskId"),
				      "The deletion task id is invalid.");
	task = said;
	prove_task(e, str_slice(a->task, strlen("task"), a->task.n - last.n - 1), &task);
	if (!crypto_equal(task.b, said.b, sizeof task.b)) {
		struct result failed =
			ctx_fail_kind(e->c, ERR_NOT_FOUND, KIND_IAM_ROLE,
				      "The deletion task %" STR_FMT " cannot be found.", STR_ARG(a->task));
		e->c->problem.field = STR("DeletionTaskId");
		return failed;
	}
	xml_z(x, "Status", "SUCCEEDED");
	return OK;
}

static const struct iam_action actions[] = {
	{IAM_ACTION("CreateServiceLinkedRole"), .flags = API_WRITES,
	 .args = PARAMS(struct new_service_role, create_params), .prepare = prepare_new,
	 .operation = engine_create_linked_role_run, .returns = KIND_IAM_ROLE, .answer = show_new,
	 .doc = "Creates a service-linked role, which only its service can assume."},
	{IAM_ACTION("DeleteServiceLinkedRole"), .flags = API_WRITES,
	 .args = PARAMS(struct gone_role, delete_params), .prepare = prepare_delete,
	 .operation = engine_delete_linked_role_run, .returns = API_RETURNS_NOTHING_STORED,
	 .answer = show_task, .doc = "Deletes a service-linked role at once."},
	{IAM_ACTION("GetServiceLinkedRoleDeletionStatus"), .args = PARAMS(struct status_args, status_params),
	 .answer = get_status, .doc = "Returns the status of a deletion, which is always SUCCEEDED."},
};
const struct api_actions iam_service_role_actions = API_ACTIONS(actions);
