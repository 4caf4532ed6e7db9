/* SPDX-License-Identifier: Apache-2.0
 * Rules of the writer's lease. */
#include "store/lease.h"

#include "base/clock.h"

void lease_begin(struct lease *lease, int64_t sent_us, int64_t acts_from_us)
{
	*lease = (struct lease){.until_us = sent_us + LEASE_TTL_MS * MILLISECOND,
				.acts_from_us = acts_from_us};
}

void lease_note(struct lease *lease, int64_t sent_us, int64_t now_us, enum lease_answer answer)
{
	lease->is_lost = lease->is_lost || answer == LEASE_TAKEN;
	lease->is_silent = answer == LEASE_SILENT;
	if (answer == LEASE_RENEWED && now_us >= lease->until_us)
		lease->acts_from_us = now_us + (LEASE_TTL_MS + LEASE_MARGIN_MS) * MILLISECOND;
	if (answer == LEASE_RENEWED && sent_us + LEASE_TTL_MS * MILLISECOND > lease->until_us)
		lease->until_us = sent_us + LEASE_TTL_MS * MILLISECOND;
}

bool lease_is_held(const struct lease *lease, int64_t now_us)
{
	return !lease->is_lost && now_us < lease->until_us;
}

bool lease_may_act(const struct lease *lease, int64_t now_us)
{
	return lease_is_held(lease, now_us + LEASE_MARGIN_MS * MILLISECOND) && now_us >= lease->acts_from_us;
}

bool lease_may_answer(const struct lease *lease, int64_t now_us)
{
	return lease_is_held(lease, now_us) || (lease->is_silent && !lease->is_lost);
}
