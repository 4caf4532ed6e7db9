/* SPDX-License-Identifier: Apache-2.0
 * The errand of capacity reservations: each host's figures are the sums of its instances and of the free units on it, and
 * never more than it has; a reservation has as many units as it was given. Machines that run take units, and keep their
 * room when the reservation is cancelled. */
#include "model/account.h"
#include "model/states.h"
#include "simulation.h"
#include "store/account.h"
#include "store/capacity_reservation.h"
#include "store/host.h"
#include "store/instance.h"

struct room {
	int64_t vcpus, memory, units;
};

static void add_instances(const struct tables *t, const struct host *host, struct room *room)
{
	for (const struct instance *i = instance_first(t); i; i = instance_next(t, i)) {
		int times = uuid_equal(i->host, host->row.id) + uuid_equal(i->target, host->row.id) +
			    uuid_equal(i->next_host, host->row.id);
		if (model_derive_instance_state(i) == INSTANCE_TERMINATED || i->gave_room)
			continue;
		room->vcpus += times * i->vcpus;
		room->memory += times * i->memory;
	}
}

static void add_units(const struct tables *t, const struct host *host, struct room *room)
{
	for (const struct capacity_reservation *r = capacity_reservation_first(t); r;
	     r = capacity_reservation_next(t, r))
		for (size_t k = 0; row_is_live(&r->row) && k < r->hosts.count; k++) {
			bool is_here = uuid_equal(r->hosts.at[k], host->row.id);
			room->units += is_here;
			room->vcpus += is_here ? r->vcpus : 0;
			room->memory += is_here ? r->memory : 0;
		}
}

static void check_hosts(struct simulation *s, const struct tables *t)
{
	for (const struct host *h = host_first(t); h; h = host_next(t, h)) {
		struct room room = {0};
		const struct host_usage *said = host_usage(h);
		add_instances(t, h, &room);
		add_units(t, h, &room);
		if (room.vcpus != said->vcpus || room.memory != said->memory || room.units != said->reserved)
			blame(s, "the figures of host %" STR_FMT " are not the sums of its rows",
			      STR_ARG(h->name));
		if (room.units && (room.vcpus > h->seen_cpus * h->overcommit_percent / 100 ||
				   room.memory > h->seen_memory - h->reserved_memory))
			blame(s, "host %" STR_FMT " has promised more room than it has", STR_ARG(h->name));
	}
}

/* Returns how many units are free. */
static int64_t check_units(struct simulation *s, const struct tables *t, unsigned account, int64_t count)
{
	int64_t used = 0;
	uuid owner = s->region.users[account].who.account;
	const struct capacity_reservation *r = capacity_reservation_first_by_account(t, owner);
	while (r && !row_is_live(&r->row))
		r = capacity_reservation_next_by_account(t, r);
	if (!r) {
		if (count)
			blame(s, "the reservation is gone");
		return 0;
	}
	for (const struct instance *i = instance_first_by_capacity_reservation(t, r->row.id); i;
	     i = instance_next_by_capacity_reservation(t, i))
		used += model_derive_instance_state(i) != INSTANCE_TERMINATED;
	if (r->count != count || (int64_t) r->hosts.count + used != count)
		blame(s, "a reservation of %lld has %lld units: %zu free, %lld used", (long long) count,
		      (long long) r->count, r->hosts.count, (long long) used);
	return (int64_t) r->hosts.count;
}

static int64_t check(struct simulation *s, unsigned account, int64_t count)
{
	AUTO_VIEW view = {0};
	view_open(s->region.cloud->store, &view);
	check_hosts(s, view.tables);
	return check_units(s, view.tables, account, count);
}

static bool is_room_lacking(struct str answer)
{
	struct str code = answer_at(answer, "Errors/Error/Code");
	return str_is(code, "InsufficientInstanceCapacity") || str_is(code, "InstanceLimitExceeded");
}

/* More, or fewer, units; as before if there is no room for them. */
static int64_t change(struct simulation *s, unsigned account, struct str id, int64_t count)
{
	int status = 0;
	int64_t wanted = 1 + (int64_t) random_below(4);
	struct str answer = ask_ec2(s, account, &status,
				    "Action=ModifyCapacityReservation&CapacityReservationId=%" STR_FMT
				    "&InstanceCount=%d&InstanceMatchCriteria=%s",
				    STR_ARG(id), (int) wanted, random_below(2) ? "open" : "targeted");
	bool is_used = str_is(answer_at(answer, "Errors/Error/Code"), "InvalidParameterValue");
	if (status != 200 && !(wanted < count ? is_used : is_room_lacking(answer)))
		blame(s, "the reservation of %lld units cannot have %lld", (long long) count,
		      (long long) wanted);
	return status == 200 ? wanted : count;
}

void errand_reserve(struct simulation *s)
{
	int status = 0;
	int64_t count = 1 + (int64_t) random_below(3);
	unsigned account = (unsigned) random_below(ACCOUNTS);
	settle_and_compare(s);
	(void) check(s, account, 0);
	struct str answer =
		ask_ec2(s, account, &status,
			"Action=CreateCapacityReservation&InstanceType=t3.micro&InstancePlatform=Linux/UNIX&"
			"AvailabilityZone=xy-west-2a&InstanceCount=%d&InstanceMatchCriteria=%s",
			(int) count, random_below(2) ? "open" : "targeted");
	if (status != 200 && !is_room_lacking(answer))
		blame(s, "no capacity is reserved: %d", status);
	(void) check(s, account, status == 200 ? count : 0);
	if (status != 200)
		return;
	struct str id = str_copy(s->region.cloud->arena,
				 answer_at(answer, "capacityReservation/capacityReservationId"));
	for (uint64_t n = random_below(3); n > 0; n--) {
		count = change(s, account, id, count);
		(void) check(s, account, count);
	}
	(void) ask_ec2(s, account, &status,
		       "Action=CancelCapacityReservation&CapacityReservationId=%" STR_FMT, STR_ARG(id));
	if (status != 200)
		blame(s, "the reservation cannot be cancelled: %d", status);
	if (check(s, account, 0) > 0)
		blame(s, "a cancelled reservation has units");
	settle_and_compare(s);
}
