/* SPDX-License-Identifier: Apache-2.0
 * Asynchronous operations: a slow change answers 202, and its headers name an operation to poll. The
 * operation is an engine job that the change's own commit creates. Every answer has Retry-After; without
 * that header az polls every 30 s. Source: "Track asynchronous Azure operations".
 */
#include "api/azure/core/action.h"

#include "engine/job.h"

uuid az_subject_of(const struct az_call *e)
{
	size_t offset = az_action_of(e)->subject;
	uuid made = offset ? *(const uuid *) (const void *) ((const char *) e->args + offset - 1) : UUID_NONE;
	return uuid_is_none(made) ? e->target : made;
}

RESULT az_end_change(struct api_call *core, struct op *op)
{
	struct az_call *e = az_call_of(core);
	const struct az_action *a = az_action_of(e);
	if (a->flags & (AZ_PUT | AZ_PATCH))
		TRY(az_name_target(e, op));
	if (a->outcome == ASYNC_JOB_OUTCOME_NONE)
		return OK;
	struct job_wish wish = {.command = str_from(a->permit),
				.kind = a->subject_kind ? a->subject_kind : a->kind,
				.subject = az_subject_of(e),
				.outcome = a->outcome};
	TRY(engine_create_job(op, &wish));
	e->job = wish.job;
	return OK;
}

static struct str address_of(struct az_call *e, const char *query)
{
	char account[UUID_TEXT_SIZE], job[UUID_TEXT_SIZE];
	/* the operation's URL must have an API version of the call's namespace */
	bool is_network = strcmp(az_types[az_action_of(e)->type].space, az_types[AZ_NETWORKS].space) == 0;
	return str_print(e->c->arena,
			 "%" STR_FMT "/subscriptions/%s%s/locations/%" STR_FMT
			 "/operations/%s?%sapi-version=%" STR_FMT,
			 STR_ARG(e->base_url), uuid_write(e->c->who->account, account),
			 is_network ? AZ_NETWORK : AZ_COMPUTE, STR_ARG(az_location(e)),
			 uuid_write(e->job, job), query, STR_ARG(az_query_value(e, "api-version")));
}

void az_set_operation(struct az_call *e)
{
	if (az_action_of(e)->method != HTTP_PUT && az_action_of(e)->method != HTTP_PATCH)
		e->status = 202;
	call_set_answer_header(e->call, "Azure-AsyncOperation", address_of(e, ""));
	/* after PUT and PATCH clients read the resource (final-state-via: location) */
	bool makes = az_action_of(e)->flags & (AZ_PUT | AZ_PATCH);
	call_set_answer_header(e->call, "Location",
			       address_of(e, makes ? "monitor=resource&" : "monitor=true&"));
	call_set_answer_header(e->call, "Retry-After", STR("1"));
}
