/* SPDX-License-Identifier: Apache-2.0
 * Outcomes and jobs: see jobs.h. Source: Hyper-V WMI provider (V2), Msvm_ConcreteJob and the methods' values. */
#include "drivers/remote/hyperv/jobs.h"

#include "drivers/remote/draft.h"

enum { JOBS_MAX = 10000, WORDS_MAX = 512 };

RESULT hyperv_judge_value(struct ctx *c, int64_t value)
{
	static const struct {
		int64_t value;
		enum err err;
		const char *words;
	} known[] = {{1, ERR_UNSUPPORTED, "not supported"},
		     {2, ERR_AGAIN, "failed"},
		     {3, ERR_AGAIN, "timed out"},
		     {4, ERR_INVALID, "invalid parameter"},
		     {5, ERR_INVALID, "invalid state or parameter"},
		     {32768, ERR_AGAIN, "failed"},
		     {32769, ERR_DENIED, "access denied"},
		     {32770, ERR_UNSUPPORTED, "not supported"},
		     {32771, ERR_AGAIN, "status is unknown"},
		     {32772, ERR_AGAIN, "timed out"},
		     {32773, ERR_INVALID, "invalid parameter"},
		     {32774, ERR_AGAIN, "the machine is in use"},
		     {HYPERV_INVALID_STATE, ERR_STATE, "the machine's state does not allow that"},
		     {32776, ERR_INVALID, "incorrect data type"},
		     {32777, ERR_AGAIN, "the machine is not available"},
		     {32778, ERR_AGAIN, "out of memory"},
		     {32779, ERR_NOT_FOUND, "a file was not found"}};
	if (value == HYPERV_DONE || value == HYPERV_JOB_STARTED)
		return OK;
	for (size_t k = 0; k < sizeof known / sizeof known[0]; k++)
		if (known[k].value == value)
			return ctx_fail(c, known[k].err, "Hyper-V says: %s (%lld).", known[k].words,
					(long long) value);
	return ctx_fail(c, ERR_INVALID, "Hyper-V says: error %lld.", (long long) value);
}

RESULT hyperv_invoke(struct wsman_call *q, struct hyperv_outcome *ret_outcome)
{
	static const char *const wanted[] = {"ReturnValue", "Job.InstanceID", NULL};
	struct ctx *c = q->link->c;
	struct wsman_instance *result = arena_new_object(c->arena, struct wsman_instance);
	*ret_outcome = (struct hyperv_outcome){.value = -1};
	if (!result)
		return buf_done(&q->body), ctx_no_memory(c);
	TRY(wsman_invoke(q, wanted, result));
	if (!result_is_ok(str_parse_int(wsman_get(result, "ReturnValue"), &ret_outcome->value)))
		return remote_fail_answer(c, "a method returns no value");
	ret_outcome->job = wsman_get(result, "Job.InstanceID");
	if (ret_outcome->job.n && !draft_is_id(ret_outcome->job))
		return remote_fail_answer(c, "a job has no proper id");
	if (ret_outcome->value == HYPERV_JOB_STARTED && !ret_outcome->job.n)
		return remote_fail_answer(c, "a job has no id");
	return hyperv_judge_value(c, ret_outcome->value);
}

/* ---- jobs ---- */

enum job_state {
	JOB_NEW = 2,
	JOB_STARTING,
	JOB_RUNNING,
	JOB_SUSPENDED,
	JOB_SHUTTING_DOWN,
	JOB_COMPLETED,
	JOB_WITH_WARNINGS = 32768
};

static bool is_under_way(int64_t state)
{
	return state >= JOB_NEW && state <= JOB_SHUTTING_DOWN;
}

static RESULT judge_job(struct ctx *c, const struct wsman_instance *job)
{
	int64_t state = 0, code = 0;
	if (!result_is_ok(str_parse_int(wsman_get(job, "JobState"), &state)))
		return remote_fail_answer(c, "a job has no state");
	if (state == JOB_COMPLETED || state == JOB_WITH_WARNINGS)
		return OK;
	if (is_under_way(state))
		return ctx_fail(c, ERR_AGAIN, "The job is not over yet.");
	struct str words = wsman_get(job, "ErrorDescription");
	if (!words.n)
		words = wsman_get(job, "JobStatus");
	if (!result_is_ok(str_parse_int(wsman_get(job, "ErrorCode"), &code)))
		code = 0;
	return ctx_fail(c, code == HYPERV_INVALID_STATE ? ERR_STATE : ERR_INVALID,
			"The job failed: %" STR_FMT " (%lld).",
			STR_ARG(str_clean(c->arena, str_cut(words, WORDS_MAX), true)), (long long) code);
}

RESULT hyperv_follow(struct wsman_link *l, struct str job)
{
	static const char *const wanted[] = {"JobState", "ErrorCode", "ErrorDescription", "JobStatus", NULL};
	struct ctx *c = l->c;
	struct wsman_instance *i = arena_new_object(c->arena, struct wsman_instance);
	bool is_found = false;
	if (!i)
		return ctx_no_memory(c);
	const struct wsman_query query = {
		HYPERV_SPACE,
		str_print(c->arena, "select * from Msvm_ConcreteJob where InstanceID = %" STR_FMT,
			  STR_ARG(wsman_quote(c, job))),
		JOBS_MAX};
	TRY(wsman_find(l, &query, wanted, i, &is_found));
	return is_found ? judge_job(c, i) : ctx_fail(c, ERR_NOT_FOUND, "The host has forgotten the job.");
}

static RESULT count_running(void *self, const struct wsman_instance *i)
{
	bool *has = self;
	int64_t state = 0;
	*has |= result_is_ok(str_parse_int(wsman_get(i, "JobState"), &state)) && is_under_way(state);
	return OK;
}

RESULT hyperv_has_job(struct wsman_link *l, const char *class_name, bool *ret_has)
{
	static const char *const wanted[] = {"JobState", NULL};
	const struct wsman_query query = {HYPERV_SPACE,
					  str_print(l->c->arena, "select * from %s", class_name), JOBS_MAX};
	*ret_has = false;
	return wsman_enumerate(
		l, &query, &(struct wsman_visitor){.self = ret_has, .wanted = wanted, .take = count_running});
}
