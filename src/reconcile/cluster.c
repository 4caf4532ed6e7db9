/* SPDX-License-Identifier: Apache-2.0
 * Steps of Kubernetes clusters: each looks whether the rows of a cluster's parts say something new, and asks the engine for a
 * turn (engine/cluster/cluster_follow.c). Parts do not name their cluster, so a cluster that changes is looked at every two
 * seconds, and one at rest with each resync. */
#include "engine/cluster/cluster.h"

#include "base/clock.h"
#include "reconcile/work.h"
#include "store/cluster.h"

#define LOOK_AGAIN_US (2 * SECOND)

static RESULT step_cluster(struct step *s)
{
	bool has_turn = false, is_changing = false;
	{
		AUTO_VIEW view = {0};
		view_open(s->r->store, &view);
		const struct cluster *cluster = cluster_find(view.tables, s->id);
		if (!cluster)
			return OK;
		has_turn = engine_has_cluster_turn(view.tables, cluster, clock_now_us());
		is_changing =
			cluster->status != CLUSTER_STATUS_ACTIVE && cluster->status != CLUSTER_STATUS_FAILED;
	}
	if (has_turn) {
		struct cluster_following *report = STEP_NEW(s, struct cluster_following);
		report->cluster = s->id;
		step_report(s, engine_follow_cluster_run, report);
	}
	if (has_turn || is_changing)
		step_again_at(s, clock_now_us() + LOOK_AGAIN_US);
	return OK;
}

const struct resource reconcile_cluster = {
	.step = step_cluster,
	.is_swept = true,
	.wakes = {{KIND_CLUSTER, offsetof(struct cluster, row.id)}},
};
