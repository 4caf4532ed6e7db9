/* SPDX-License-Identifier: Apache-2.0
 * Notes of running tasks: see task_notes.h. */
#include "drivers/remote/task_notes.h"

#include "base/clock.h"

/* Clouds forget tasks that have ended after some minutes. */
#define KEPT_US (15 * MINUTE)

static bool is_about(const struct task_note *note, struct str ref)
{
	return note->ref[0] && str_is(ref, note->ref);
}

struct task_note *task_notes_find(struct task_notes *notes, struct str ref, int verb, int64_t asked_us,
				  int64_t now_us)
{
	for (size_t k = 0; k < TASK_NOTES_MAX; k++) {
		struct task_note *note = &notes->at[k];
		if (is_about(note, ref) && note->verb == verb && note->at_us >= asked_us &&
		    now_us >= note->at_us && now_us < note->at_us + KEPT_US)
			return note;
	}
	return NULL;
}

void task_notes_drop(struct task_notes *notes, struct str ref)
{
	for (size_t k = 0; k < TASK_NOTES_MAX; k++)
		if (is_about(&notes->at[k], ref))
			notes->at[k] = (struct task_note){0};
}

bool task_notes_put(struct task_notes *notes, struct str ref, int verb, struct str task, int64_t now_us)
{
	struct task_note *place = &notes->at[0];
	task_notes_drop(notes, ref);
	if (!ref.n || ref.n > TASK_REF_MAX || task.n > TASK_ID_MAX)
		return false;
	for (size_t k = 1; k < TASK_NOTES_MAX && place->ref[0]; k++)
		if (!notes->at[k].ref[0] || notes->at[k].at_us < place->at_us)
			place = &notes->at[k];
	*place = (struct task_note){.verb = verb, .at_us = now_us};
	memcpy(place->ref, ref.p, ref.n);
	if (task.n)
		memcpy(place->task, task.p, task.n);
	return true;
}
