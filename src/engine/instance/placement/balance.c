/* SPDX-License-Identifier: Apache-2.0
 * Greedy load balancing, fullest host first. It terminates, because each move lowers the fuller of two
 * hosts. */
#include "engine/instance/placement/balance.h"

static int share_of(int64_t used, int64_t whole)
{
	if (whole <= 0)
		return 1000;
	return used >= whole ? 1000 : (int) (used * 1000 / whole);
}

int balance_load(const struct balance_host *host)
{
	/* In MiB, so that the product does not overflow. */
	int memory = share_of(host->used_memory >> 20, host->memory >> 20);
	int vcpus = share_of(host->used_vcpus, host->vcpus);
	return memory > vcpus ? memory : vcpus;
}

static int load_with(const struct balance_host *host, const struct balance_machine *machine, int sign)
{
	struct balance_host other = *host;
	other.used_vcpus += sign * machine->vcpus;
	other.used_memory += sign * machine->memory;
	return balance_load(&other);
}

static bool has_room(const struct balance_host *host, const struct balance_machine *machine)
{
	return host->used_vcpus + machine->vcpus <= host->vcpus &&
	       host->used_memory + machine->memory <= host->memory;
}

static int fuller_after(const struct balance_move *move)
{
	return move->from_after > move->to_after ? move->from_after : move->to_after;
}

/* Among moves of equal effect, prefers the less loaded target, which means the smaller instance. */
static bool is_better(const struct balance_move *a, const struct balance_move *b)
{
	int left = fuller_after(a), right = fuller_after(b);
	return left < right || (left == right && a->to_after < b->to_after);
}

/* Tries all targets for one instance; keeps the best move found so far. */
static void try_machine(const struct balance *b, size_t machine, struct balance_move *best, bool *found)
{
	const struct balance_machine *m = &b->machines[machine];
	const struct balance_host *from = &b->hosts[m->host];
	struct balance_move move = {.machine = machine, .from_before = balance_load(from)};
	move.from_after = load_with(from, m, -1);
	if (move.from_after + BALANCE_GAIN > move.from_before)
		return;
	for (move.host = 0; move.host < b->host_count; move.host++) {
		const struct balance_host *to = &b->hosts[move.host];
		if (move.host == m->host || !to->is_open || !uuid_equal(to->zone, from->zone) ||
		    !has_room(to, m))
			continue;
		move.to_before = balance_load(to);
		move.to_after = load_with(to, m, 1);
		if (fuller_after(&move) + BALANCE_GAIN > move.from_before ||
		    (*found && !is_better(&move, best)) || (b->may && !b->may(b->arg, machine, move.host)))
			continue;
		*best = move;
		*found = true;
	}
}

/* Fullest host with a load below `below`, or with that load and an index above `after`. host_count if there
 * is none. */
static size_t next_fullest(const struct balance *b, int below, size_t after)
{
	size_t fullest = b->host_count;
	int load = -1;
	for (size_t k = 0; k < b->host_count; k++) {
		int own = balance_load(&b->hosts[k]);
		if ((own < below || (own == below && k > after)) && own > load) {
			load = own;
			fullest = k;
		}
	}
	return fullest;
}

bool balance_next(const struct balance *b, struct balance_move *ret_move)
{
	bool found = false;
	size_t host = next_fullest(b, 1001, b->host_count);
	for (size_t tried = 0; !found && host < b->host_count && tried < BALANCE_HOSTS_TRIED;
	     tried++, host = next_fullest(b, balance_load(&b->hosts[host]), host))
		for (size_t k = 0; k < b->machine_count; k++)
			if (b->machines[k].host == host && !b->machines[k].stays)
				try_machine(b, k, ret_move, &found);
	return found;
}

void balance_make(struct balance *b, const struct balance_move *move)
{
	struct balance_machine *m = &b->machines[move->machine];
	struct balance_host *from = &b->hosts[m->host], *to = &b->hosts[move->host];
	from->used_vcpus -= m->vcpus;
	from->used_memory -= m->memory;
	to->used_vcpus += m->vcpus;
	to->used_memory += m->memory;
	m->host = move->host;
	m->stays = true;
}
