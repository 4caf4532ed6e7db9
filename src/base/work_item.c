/* SPDX-License-Identifier: Apache-2.0
 * Runs work items on actors. */
#include "base/work_item.h"

static struct work_item *work_of(struct job *job)
{
	return (struct work_item *) (void *) ((char *) job - offsetof(struct work_item, job));
}

static void run_work(struct job *job)
{
	struct work_item *w = work_of(job);
	w->done(w, w->run(w));
}

static void drop_work(struct job *job)
{
	work_item_refuse(work_of(job));
}

void work_item_post(struct actor *a, struct work_item *w)
{
	w->job = (struct job){.run = run_work, .drop = drop_work};
	actor_post(a, &w->job);
}

void work_item_refuse(struct work_item *w)
{
	w->done(w, ctx_fail(w->ctx, ERR_GONE, "the control plane is stopping"));
}
