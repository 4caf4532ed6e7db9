/* SPDX-License-Identifier: Apache-2.0
 * Simulated proxies: each has the targets that it was told, which are healthy unless a test says otherwise. They outlive
 * the driver, as processes do. */
#include <pthread.h>
#include <sys/socket.h>

#include "base/heap.h"
#include "drivers/proxy.h"
#include "drivers/sim/proxy.h"

struct sim_proxy {
	struct sim_proxy *next;
	uuid id;
	uint64_t process; /* as a process id */
	uuid *targets;    /* owned */
	size_t count;
};

static struct {
	pthread_mutex_t lock; /* guards the members below */
	struct sim_proxy *list;
	uint64_t started; /* number of processes so far */
	struct sim_proxy_fault faults[SIM_PROXY_FAULTS_MAX];
	size_t fault_count;
	struct proxy_listener_state figures[SIM_PROXY_FIGURES_MAX];
	size_t figure_count;
} sim = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* With the lock, as the next two. */
static struct sim_proxy **find_at(uuid id)
{
	struct sim_proxy **at = &sim.list;
	while (*at && !uuid_equal((*at)->id, id))
		at = &(*at)->next;
	return at;
}

static struct sim_proxy *ensure(uuid id)
{
	struct sim_proxy **at = find_at(id);
	if (!*at && (*at = heap_new(struct sim_proxy))) {
		(*at)->id = id;
		(*at)->process = ++sim.started;
	}
	return *at;
}

static bool set_targets(const struct proxy_wish *wish)
{
	struct sim_proxy *p = ensure(wish->id);
	size_t count = 0;
	for (size_t k = 0; k < wish->group_count; k++)
		count += wish->groups[k].server_count;
	uuid *targets = p ? heap_alloc_array(count + 1, sizeof *targets) : NULL;
	if (!targets)
		return false;
	heap_free(p->targets);
	p->targets = targets;
	p->count = 0;
	for (size_t k = 0; k < wish->group_count; k++)
		for (size_t n = 0; n < wish->groups[k].server_count; n++)
			targets[p->count++] = wish->groups[k].servers[n].target;
	return true;
}

static RESULT apply(struct proxies *p, struct ctx *c, const struct proxy_wish *wish)
{
	(void) p;
	(void) pthread_mutex_lock(&sim.lock);
	bool is_set = set_targets(wish);
	(void) pthread_mutex_unlock(&sim.lock);
	return is_set ? OK : ctx_no_memory(c);
}

static RESULT remove_proxy(struct proxies *p, struct ctx *c, uuid proxy)
{
	(void) p;
	(void) c;
	(void) pthread_mutex_lock(&sim.lock);
	struct sim_proxy **at = find_at(proxy), *gone = *at;
	if (gone) {
		*at = gone->next;
		heap_free(gone->targets);
		heap_free(gone);
	}
	(void) pthread_mutex_unlock(&sim.lock);
	return OK;
}

static struct proxy_server_state state_of(uuid target)
{
	struct proxy_server_state state = {.target = target, .health = PROXY_UP};
	for (size_t k = 0; k < sim.fault_count; k++)
		if (uuid_equal(sim.faults[k].target, target))
			state = (struct proxy_server_state){target, PROXY_DOWN, sim.faults[k].fault,
							    sim.faults[k].code};
	return state;
}

static RESULT see_all(struct ctx *c, uuid proxy, struct proxy_server_state **ret_states, size_t *ret_count)
{
	const struct sim_proxy *found = *find_at(proxy);
	if (!found)
		return ctx_fail(c, ERR_GONE, "the proxy's process has ended");
	struct proxy_server_state *at =
		arena_new_array(c->arena, struct proxy_server_state, found->count + 1);
	if (!at)
		return ctx_no_memory(c);
	for (size_t k = 0; k < found->count; k++)
		at[k] = state_of(found->targets[k]);
	*ret_states = at;
	*ret_count = found->count;
	return OK;
}

static RESULT see(struct proxies *p, struct ctx *c, uuid proxy, struct proxy_server_state **ret_states,
		  size_t *ret_count)
{
	(void) p;
	(void) pthread_mutex_lock(&sim.lock);
	struct result seen = see_all(c, proxy, ret_states, ret_count);
	(void) pthread_mutex_unlock(&sim.lock);
	return seen;
}

/* Simulated servers need no check. */
static RESULT admit(struct proxies *p, struct ctx *c, uuid proxy, uuid group, uuid target)
{
	(void) p;
	(void) c;
	(void) proxy;
	(void) group;
	(void) target;
	return OK;
}

static RESULT count_listeners(struct proxies *p, struct ctx *c, uuid proxy,
			      struct proxy_listener_state **ret_states, size_t *ret_count)
{
	(void) p;
	(void) pthread_mutex_lock(&sim.lock);
	bool is_running = *find_at(proxy) != NULL;
	struct proxy_listener_state *at =
		arena_new_array(c->arena, struct proxy_listener_state, sim.figure_count + 1);
	for (size_t k = 0; at && k < sim.figure_count; k++)
		at[k] = sim.figures[k];
	*ret_states = at;
	*ret_count = sim.figure_count;
	(void) pthread_mutex_unlock(&sim.lock);
	if (!is_running)
		return ctx_fail(c, ERR_GONE, "the proxy's process has ended");
	return at ? OK : ctx_no_memory(c);
}

/* A simulated proxy has no requests, so nothing is ever received. */
static RESULT open_log(struct proxies *p, struct ctx *c, uuid proxy, int *ret_fd)
{
	(void) p;
	(void) proxy;
	*ret_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return *ret_fd >= 0 ? OK : ctx_fail(c, ERR_IO, "there is no socket for access logs");
}

static RESULT see_log(struct proxies *p, struct ctx *c, uuid proxy, struct proxy_log_state *ret_state)
{
	(void) p;
	(void) c;
	(void) proxy;
	*ret_state = (struct proxy_log_state){.worker = 1, .has_socket = true};
	return OK;
}

static void close_proxies(struct proxies *p)
{
	(void) p;
}

static const struct proxy_driver driver = {.apply = apply,
					   .remove = remove_proxy,
					   .see = see,
					   .admit = admit,
					   .count = count_listeners,
					   .open_log = open_log,
					   .see_log = see_log,
					   .close = close_proxies};

RESULT proxy_sim_open(struct ctx *c, struct proxy_handle *ret_proxies)
{
	(void) c;
	*ret_proxies = (struct proxy_handle){&driver, NULL};
	return OK;
}

/* ---- test control ---- */

bool sim_proxy_has(uuid proxy)
{
	(void) pthread_mutex_lock(&sim.lock);
	bool has = *find_at(proxy) != NULL;
	(void) pthread_mutex_unlock(&sim.lock);
	return has;
}

uint64_t sim_proxy_process(uuid proxy)
{
	(void) pthread_mutex_lock(&sim.lock);
	const struct sim_proxy *p = *find_at(proxy);
	uint64_t process = p ? p->process : 0;
	(void) pthread_mutex_unlock(&sim.lock);
	return process;
}

void sim_proxy_break(const struct sim_proxy_fault *faults, size_t count)
{
	(void) pthread_mutex_lock(&sim.lock);
	sim.fault_count = count < SIM_PROXY_FAULTS_MAX ? count : SIM_PROXY_FAULTS_MAX;
	for (size_t k = 0; k < sim.fault_count; k++)
		sim.faults[k] = faults[k];
	(void) pthread_mutex_unlock(&sim.lock);
}

void sim_proxy_count(const struct proxy_listener_state *states, size_t count)
{
	(void) pthread_mutex_lock(&sim.lock);
	sim.figure_count = count < SIM_PROXY_FIGURES_MAX ? count : SIM_PROXY_FIGURES_MAX;
	for (size_t k = 0; k < sim.figure_count; k++)
		sim.figures[k] = states[k];
	(void) pthread_mutex_unlock(&sim.lock);
}

void sim_proxy_lose(uuid proxy)
{
	IGNORE(remove_proxy(NULL, NULL, proxy)); /* never fails */
}
