/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/: tasks of a cloud that this process has started and that are still running there. Kept with
 * the connection; one thread at a time. The notes only shorten the way: after a restart the machine's state decides. */
#pragma once

#include "base/str.h"

enum { TASK_NOTES_MAX = 64, TASK_REF_MAX = 79, TASK_ID_MAX = 127 };

struct task_note {
	char ref[TASK_REF_MAX + 1]; /* machine, or token of a creation; empty: free */
	char task[TASK_ID_MAX + 1]; /* id of the task; empty: a request without a task */
	int verb;                   /* enum remote_machine_act */
	int64_t at_us;
};
struct task_notes {
	struct task_note at[TASK_NOTES_MAX];
};

/* The notes of r's connection. */
struct remote;
struct task_notes *remote_task_notes(const struct remote *r);
/* The note of that machine and verb; NULL: none, an old one, or one from before asked_us, when the act was requested. */
struct task_note *task_notes_find(struct task_notes *notes, struct str ref, int verb, int64_t asked_us,
				  int64_t now_us);
/* Replaces the machine's notes. The oldest note makes room. False: not noted, because a text is too long. */
bool task_notes_put(struct task_notes *notes, struct str ref, int verb, struct str task, int64_t now_us);
/* Drops the machine's notes. */
void task_notes_drop(struct task_notes *notes, struct str ref);
