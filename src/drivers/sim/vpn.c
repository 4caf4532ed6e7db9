/* SPDX-License-Identifier: Apache-2.0
 * Simulated daemons of VPN tunnels. They outlive the driver. All tunnels of a daemon are up together. */
#include "drivers/sim/vpn.h"

#include <pthread.h>

#include "base/heap.h"

struct sim_daemon {
	struct sim_daemon *next;
	uuid id;
	bool is_up;
};

static struct {
	pthread_mutex_t lock; /* guards the list */
	struct sim_daemon *list;
} sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock. */
static struct sim_daemon **find_at(uuid id)
{
	struct sim_daemon **at = &sim.list;
	while (*at && !uuid_equal((*at)->id, id))
		at = &(*at)->next;
	return at;
}

static RESULT apply(struct vpns *v, struct ctx *c, const struct vpn_wish *wish)
{
	(void) v;
	(void) pthread_mutex_lock(&sim.lock);
	struct sim_daemon **at = find_at(wish->id);
	if (!*at && (*at = heap_new(struct sim_daemon)))
		(*at)->id = wish->id;
	bool is_there = *at != NULL;
	(void) pthread_mutex_unlock(&sim.lock);
	return is_there ? OK : ctx_no_memory(c);
}

static RESULT remove_daemon(struct vpns *v, struct ctx *c, uuid daemon)
{
	(void) v;
	(void) c;
	(void) pthread_mutex_lock(&sim.lock);
	struct sim_daemon **at = find_at(daemon), *gone = *at;
	if (gone)
		*at = gone->next;
	heap_free(gone);
	(void) pthread_mutex_unlock(&sim.lock);
	return OK;
}

static RESULT see(struct vpns *v, struct ctx *c, uuid daemon, uuid tunnel, bool *ret_is_up)
{
	(void) v;
	(void) c;
	(void) tunnel;
	(void) pthread_mutex_lock(&sim.lock);
	const struct sim_daemon *found = *find_at(daemon);
	*ret_is_up = found && found->is_up;
	(void) pthread_mutex_unlock(&sim.lock);
	return OK;
}

static void close_vpns(struct vpns *v)
{
	(void) v;
}

bool sim_vpn_has(uuid daemon)
{
	(void) pthread_mutex_lock(&sim.lock);
	bool has = *find_at(daemon) != NULL;
	(void) pthread_mutex_unlock(&sim.lock);
	return has;
}

void sim_vpn_set_up(uuid daemon, bool is_up)
{
	(void) pthread_mutex_lock(&sim.lock);
	struct sim_daemon *found = *find_at(daemon);
	if (found)
		found->is_up = is_up;
	(void) pthread_mutex_unlock(&sim.lock);
}

static const struct vpn_driver driver = {
	.apply = apply, .remove = remove_daemon, .see = see, .close = close_vpns};

RESULT vpn_sim_open(struct ctx *c, struct vpn_handle *ret_vpns)
{
	(void) c;
	*ret_vpns = (struct vpn_handle){&driver, NULL};
	return OK;
}
