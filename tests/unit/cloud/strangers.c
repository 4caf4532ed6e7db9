/* SPDX-License-Identifier: Apache-2.0
 * Checks which accounts share a host; see strangers.h. */
#include "strangers.h"

#include "engine/region/dedicated_host.h"
#include "model/dedicated_host.h"
#include "model/states.h"
#include "store/instance.h"

/* Count of other accounts' instances on the host of an instance with dedicated tenancy; 0 for other
 * tenancies. */
static size_t count_neighbours(const struct tables *t, const struct instance *alone)
{
	size_t count = 0;
	if (alone->tenancy != INSTANCE_TENANCY_DEDICATED || uuid_is_none(alone->host) ||
	    model_derive_instance_state(alone) == INSTANCE_TERMINATED)
		return 0;
	for (const struct instance *i = instance_first_by_host(t, alone->host); i;
	     i = instance_next_by_host(t, i))
		count += !uuid_equal(i->account, alone->account) &&
			 model_derive_instance_state(i) != INSTANCE_TERMINATED;
	return count;
}

/* Instances where they must not be: on a host that is dedicated, and not to them; or beside one that shares its
 * host with its own account's alone. */
size_t strangers_count(struct cloud *c)
{
	AUTO_VIEW view = {0};
	size_t count = 0;
	view_open(c->store, &view);
	for (const struct instance *i = instance_first(view.tables); i; i = instance_next(view.tables, i)) {
		const struct dedicated_host *d = engine_find_dedicated(view.tables, i->host);
		count += d && model_derive_instance_state(i) != INSTANCE_TERMINATED &&
			 (!uuid_equal(d->account, i->account) || i->tenancy != INSTANCE_TENANCY_HOST);
		count += count_neighbours(view.tables, i);
	}
	if (count)
		print_message("seed %llu: %zu instances are on hosts that are not for them\n",
			      (unsigned long long) c->seed, count);
	return count;
}
