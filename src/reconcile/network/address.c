/* SPDX-License-Identifier: Apache-2.0
 * Steps of public addresses: maintain a NAT row on the router of the associated port. */
#include "engine/network/address/address.h"
#include "engine/balancing/balancing.h"
#include "engine/network/port/port.h"
#include "reconcile/work.h"
#include "store/address.h"
#include "store/port.h"
#include "store/subnet.h"

struct address_rows {
	const struct address *address; /* NULL: the row does not exist */
	struct network_address wish;   /* port NULL: unassociated */
};

static RESULT gather_address(struct step *s, struct address_rows *ret_rows)
{
	*ret_rows = (struct address_rows){0};
	AUTO_VIEW view = {0};
	view_open(s->r->store, &view);
	const struct address *a = address_find(view.tables, s->id);
	if (!a)
		return OK;
	ret_rows->address = STEP_COPY(s, KIND_ADDRESS, struct address, a);
	const struct port *p = port_find(view.tables, a->port);
	if (!p || !row_is_live(&p->row) || !row_is_live(&a->row) || engine_is_router_front(view.tables, p))
		return OK;
	ret_rows->wish = (struct network_address){
		.address = ret_rows->address,
		.router = engine_get_router_of_ip(view.tables, p, a->private_ip),
		.port = STEP_COPY(s, KIND_PORT, struct port, p),
	};
	return OK;
}

static RESULT step_address(struct step *s)
{
	struct address_rows rows = {0};
	TRY(gather_address(s, &rows));
	const struct address *a = rows.address;
	if (!a)
		return OK;
	const struct network_driver *driver = s->r->network.driver;
	struct vnet *self = s->r->network.self;
	if (rows.wish.port)
		TRY(driver->apply_address(self, &s->ctx, &rows.wish));
	else
		TRY(driver->remove_address(self, &s->ctx, a->row.id));
	if (row_is_live(&a->row) && a->seen_gen == (int64_t) a->row.gen)
		return OK;
	struct address_report *report = STEP_NEW(s, struct address_report);
	*report = (struct address_report){.address = a->row.id, .gen = a->row.gen};
	step_report(s, row_is_live(&a->row) ? engine_see_address_run : engine_forget_address_run, report);
	return OK;
}

/* Wakes subnets that use the address for source NAT, and the interface that it protects. */
static void wake_for_users(struct reconciler *r, const struct tables *t, const struct address *a)
{
	const struct subnet *s =
		uuid_is_none(a->source_nat) ? NULL : subnet_first_by_source_nat(t, a->source_nat);
	for (; s; s = subnet_next_by_source_nat(t, s))
		wake_network(r, KIND_ROUTER, s->router);
	const struct port *p = port_find(t, a->port);
	if (p && engine_is_router_front(t, p))
		wake_network(r, KIND_ROUTER, p->router);
	if (a->is_guarded)
		wake_network(r, KIND_PORT, a->port);
}

/* Firewall rules for the address apply to the associated port. */
static void wake_for_address(struct reconciler *r, const struct tables *t, const struct row *before,
			     const struct row *after)
{
	if (before) {
		wake_firewalls_of(r, t, address_of(before)->port);
		wake_for_users(r, t, address_of(before));
	}
	wake_for_users(r, t, address_of(after));
	wake_firewalls_of(r, t, address_of(after)->port);
	wake_for_row(r, KIND_ADDRESS, after);
}

const struct resource reconcile_address = {
	.step = step_address,
	.is_swept = true,
	.wakes = {{KIND_ADDRESS, offsetof(struct address, row.id)}},
	.wake_changed = wake_for_address,
};
