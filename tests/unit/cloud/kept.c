/* SPDX-License-Identifier: Apache-2.0
 * Rows kept only for a limited time; see kept.h. */
#include "kept.h"

#include "store/alarm_delivery.h"
#include "store/async_job.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/peering.h"
#include "store/pool_host.h"
#include "store/target.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"
#include "store/volume.h"

/* True for an ended row that stays visible for a while. Peerings stay longest, because their requester sees
 * them longest (engine/network/routing/peering.c). */
static bool is_kept(enum kind kind, const struct row *row, int64_t *ret_until_us)
{
	int64_t ended_us = kind == KIND_ASYNC_JOB            ? async_job_of(row)->ended_us
			   : kind == KIND_PEERING            ? peering_of(row)->ended_us
			   : kind == KIND_TRANSIT_GATEWAY    ? transit_gateway_of(row)->ended_us
			   : kind == KIND_TRANSIT_ATTACHMENT ? transit_attachment_of(row)->ended_us
							     : row->deleted_us;
	*ret_until_us = ended_us + (kind == KIND_PEERING ? 2 * HOUR : HOUR);
	return ended_us > 0;
}

/* An unproven host of a pool is checked again with the host's next look. */
static bool is_unproven(enum kind kind, const struct row *row)
{
	return kind == KIND_POOL_HOST && pool_host_of(row)->seen_state == POOL_HOST_SEEN_STATE_UNPROVEN;
}

/* The deadline of a row whose data are awaited, of a target that drains, or of an alarm's request that is repeated; 0: none. The reconciler has a look
 * planned for it, and does not settle while that is near. */
static int64_t awaited_until_us(enum kind kind, const struct row *row)
{
	if (kind == KIND_IMAGE && row_is_live(row) && image_of(row)->sending == IMAGE_SENDING_WAITING)
		return image_of(row)->sending_until_us;
	if (kind == KIND_VOLUME && row_is_live(row) && volume_of(row)->sending == VOLUME_SENDING_WAITING)
		return volume_of(row)->sending_until_us;
	if (kind == KIND_ALARM_DELIVERY)
		return alarm_delivery_of(row)->retry_us;
	if (kind == KIND_TARGET && row_is_live(row))
		return target_of(row)->drains_until_us;
	return 0;
}

/* Licences are compared at the hosts' next look (reconcile/licence/licences.c), and what is missing becomes a condition. A restart puts that look off. */
static bool has_new_licences(enum kind kind, const struct row *row, int64_t now_us)
{
	return kind == KIND_INSTANCE && row_is_live(row) && instance_of(row)->licences.count &&
	       row->updated_us > now_us - CLOUD_RESYNC_US;
}

static int64_t wait_for_us(enum kind kind, const struct row *row, int64_t now_us)
{
	if (has_new_licences(kind, row, now_us))
		return CLOUD_HOST_INTERVAL_US + SECOND;
	int64_t until_us = awaited_until_us(kind, row);
	if (until_us)
		return until_us > now_us ? until_us - now_us + SECOND : CLOUD_QUIET_US;
	bool is_due = is_unproven(kind, row) ||
		      (is_kept(kind, row, &until_us) && until_us > now_us - CLOUD_QUIET_US &&
		       until_us <= now_us + CLOUD_QUIET_US);
	return is_due ? CLOUD_QUIET_US : 0;
}

int64_t kept_read_wait_us(struct cloud *c)
{
	int64_t now_us = clock_now_us(), longest_us = 0;
	AUTO_VIEW view = {0};
	view_open(c->store, &view);
	for (enum kind kind = (enum kind) 1; kind < KIND_COUNT; kind++)
		for (const struct row *row = tables_first(view.tables, kind, 0, NULL, 0); row;
		     row = tables_next(view.tables, kind, 0, row, 0)) {
			int64_t wait_us = wait_for_us(kind, row, now_us);
			longest_us = wait_us > longest_us ? wait_us : longest_us;
		}
	return longest_us;
}
