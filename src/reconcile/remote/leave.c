/* SPDX-License-Identifier: Apache-2.0
 * Signs out of clouds that count sessions: at a provider's end, and before the process ends. After a crash the cloud ends the
 * idle session by itself. */
#include "base/clock.h"
#include "reconcile/remote/lane.h"
#include "store/provider.h"

/* At the process's end all clouds together have this time. */
#define LEAVE_US (5 * SECOND)
enum { LEAVE_ARENA_CAP = 4 << 20 };

static void leave(struct reconciler *r, struct provider_lane *lane, int64_t timeout_us)
{
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, LEAVE_ARENA_CAP);
	const struct row *row = NULL;
	struct ctx c;
	if (!arena)
		return;
	ctx_init(&c, arena);
	{
		AUTO_VIEW view = {0};
		view_open(r->store, &view);
		const struct provider *p = provider_find(view.tables, lane->id);
		if (p)
			row = row_copy(arena, &model_kinds[KIND_PROVIDER], &p->row);
	}
	if (!row)
		return;
	const struct provider *p = provider_of(row);
	const struct remote_driver *driver = remote_driver_of((int) p->cloud);
	struct remote remote = {.name = p->name,
				.endpoint = p->endpoint,
				.region = p->region,
				.ca = p->ca,
				.pin = p->pin,
				.is_trusted = p->is_trusted,
				.reach = r->reach,
				.timeout_us = timeout_us,
				.connection = lane->connection};
	if (driver->leave)
		driver->leave(&c, &remote);
}

void remote_leave(struct reconciler *r, struct provider_lane *lane)
{
	leave(r, lane, LEAVE_US);
}

void remote_leave_all(struct reconciler *r)
{
	int64_t until_us = clock_monotonic_us() + LEAVE_US;
	for (size_t k = 0; k < PROVIDER_BUCKETS; k++)
		for (struct provider_lane *lane = r->providers[k]; lane; lane = lane->next) {
			int64_t left_us = until_us - clock_monotonic_us();
			if (left_us > 0 && left_us <= LEAVE_US)
				leave(r, lane, left_us);
		}
}
