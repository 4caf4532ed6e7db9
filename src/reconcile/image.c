/* SPDX-License-Identifier: Apache-2.0
 * Images that were deregistered: forgotten when no instance names them any more. Woken by the
 * deletion and, while something still stands on it, whenever everything is looked at. Their files
 * are their snapshots' (snapshot.c). */
#include "engine/image.h"

#include "reconcile/work.h"

RESULT reconcile_step_image(struct step *s)
{
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct image *image = image_find(view.tables, s->id);
	if (!image || row_is_live(&image->row) || instance_first_by_image(view.tables, s->id))
		return OK;
	struct image_forget *forget = STEP_NEW(s, struct image_forget);
	forget->image = s->id;
	step_report(s, engine_forget_image_run, forget);
	return OK;
}
