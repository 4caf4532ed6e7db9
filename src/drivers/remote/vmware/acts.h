/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/vmware/: acts on machines, and the tasks that carry them out. */
#pragma once

#include "drivers/remote/vmware/soap.h"

/* In a session: carries out an act, or follows the task of an earlier call. ERR_AGAIN: it is under way. */
RESULT vmware_act(struct ctx *c, struct remote *r, const struct remote_act *act);

/* Outcome of a task. */
struct vmware_task {
	struct str state;  /* queued, running, success, error */
	struct str result; /* id of the new object */
	struct vmware_fault fault;
};
/* Reads an answer about a task. */
RESULT vmware_read_task(struct ctx *c, struct str text, struct vmware_task *ret_task);
/* In a session: the task's outcome. OK: it has succeeded. ERR_AGAIN: it is under way. */
RESULT vmware_follow(struct ctx *c, struct remote *r, struct str task, struct vmware_task *ret_task);

/* In a session: finds the machine with the token, or clones the image. ERR_AGAIN: it is being cloned. */
RESULT vmware_create(struct ctx *c, struct remote *r, const struct remote_new *wish,
		     struct remote_machine *ret_machine);
