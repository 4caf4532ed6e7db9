/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: outcomes of methods, and the jobs that carry them out. */
#pragma once

#include "drivers/remote/hyperv/wsman.h"

/* Return values of methods. Values from 1 to 4095 are failures of CIM. */
enum { HYPERV_DONE = 0, HYPERV_JOB_STARTED = 4096, HYPERV_INVALID_STATE = 32775 };

/* Outcome of a method: its value, and the job that it has started. */
struct hyperv_outcome {
	int64_t value;
	struct str job; /* id; empty: none */
};
/* Sends the call. OK: the method has run or a job was started. Other values fail, with *ret_outcome. */
RESULT hyperv_invoke(struct wsman_call *q, struct hyperv_outcome *ret_outcome);
/* Fails with the words of a value. */
RESULT hyperv_judge_value(struct ctx *c, int64_t value);

/* Looks at a job. OK: it has ended well. ERR_AGAIN: it is under way. ERR_NOT_FOUND: the host has forgotten it, which it does
 * five minutes after the end. */
RESULT hyperv_follow(struct wsman_link *l, struct str job);
/* True if the host has a job of that class that is under way. */
RESULT hyperv_has_job(struct wsman_link *l, const char *class_name, bool *ret_has);
