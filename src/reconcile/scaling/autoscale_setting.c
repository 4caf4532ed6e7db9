/* SPDX-License-Identifier: Apache-2.0
 * Steps of Azure's autoscale settings: when another profile takes effect, a step applies it, and notes the next time. */
#include "engine/scaling/autoscale_setting.h"

#include "base/clock.h"
#include "reconcile/work.h"

static RESULT step_autoscale_setting(struct step *s)
{
	const struct autoscale_setting *row = NULL;
	int64_t now_us = clock_now_us();
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct autoscale_setting *setting = autoscale_setting_find(view.tables, s->id);
		if (!setting || !setting->next_us)
			return OK;
		row = STEP_COPY(s, KIND_AUTOSCALE_SETTING, struct autoscale_setting, setting);
	}
	if (now_us < row->next_us) {
		step_again_by(s, row->next_us); /* no row changes when the time has come */
		return OK;
	}
	struct autoscale_setting_due *report = STEP_NEW(s, struct autoscale_setting_due);
	*report = (struct autoscale_setting_due){.setting = s->id, .due_us = row->next_us};
	TRY(engine_choose_autoscale_profile(&s->ctx, &row->profiles, now_us, &report->profile,
					    &report->next_us));
	step_report(s, engine_turn_autoscale_setting_run, report);
	return OK;
}

const struct resource reconcile_autoscale_setting = {
	.step = step_autoscale_setting,
	.is_swept = true,
	.wakes = {{KIND_AUTOSCALE_SETTING, offsetof(struct autoscale_setting, row.id)}},
};
