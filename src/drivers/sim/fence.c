/* SPDX-License-Identifier: Apache-2.0
 * Power of simulated hosts: a plug pulled by hand, or by a fence agent. */
#include "drivers/fence.h"
#include "base/clock.h"
#include "drivers/sim/compute_state.h"

void sim_compute_cut_power(struct str host)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	sim_end_boot(s);
	s->health = SIM_DOWN;
	s->is_without_power = true;
	pthread_mutex_unlock(&s->lock);
}

void sim_compute_give_power(struct str host)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	if (s->is_without_power)
		s->booted_us = clock_now_us();
	s->is_without_power = s->is_cut_off = false;
	s->health = SIM_UP;
	pthread_mutex_unlock(&s->lock);
}

void sim_compute_cut_off(struct str host, bool is_cut)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->is_cut_off = is_cut;
	s->health = is_cut || s->is_without_power ? SIM_DOWN : SIM_UP;
	if (is_cut)
		sim_lose_connections(s);
	pthread_mutex_unlock(&s->lock);
}

bool sim_compute_is_reached(struct str host)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return false;
	pthread_mutex_lock(&s->lock);
	bool is_reached = !s->is_cut_off && !s->is_without_power;
	pthread_mutex_unlock(&s->lock);
	return is_reached;
}

bool sim_compute_has_power(struct str host)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return false;
	pthread_mutex_lock(&s->lock);
	bool has_power = !s->is_without_power;
	pthread_mutex_unlock(&s->lock);
	return has_power;
}

void sim_compute_break_fence(struct str host, bool is_broken)
{
	struct sim_host *s = sim_need_host(host);
	if (!s)
		return;
	pthread_mutex_lock(&s->lock);
	s->is_fence_broken = is_broken;
	pthread_mutex_unlock(&s->lock);
}

static RESULT turn_off(struct ctx *c, const struct fence_device *device)
{
	struct sim_host *s = sim_need_host(device->host);
	if (!s)
		return ctx_no_memory(c);
	pthread_mutex_lock(&s->lock);
	bool is_broken = s->is_fence_broken;
	pthread_mutex_unlock(&s->lock);
	if (is_broken)
		return ctx_fail(c, ERR_IO, "the simulated power switch of host %s does not answer", s->name);
	sim_compute_cut_power(device->host);
	return OK;
}

const struct fence_driver fence_sim = {.scheme = "sim", .turn_off = turn_off};
