/* SPDX-License-Identifier: Apache-2.0
 * Rows of proxies. A row is created with an application or Classic Load Balancer. Each change of anything that the
 * process depends on increments the row's gen. The row is forgotten after the balancer, once the reconciler has
 * ended the process. */
#include "store/proxy.h"
#include "engine/balancing/balancing.h"
#include "engine/balancing/balancing_internal.h"
#include "engine/condition_internal.h"
#include "engine/virtual/balancer_set.h"
#include "store/elastic_load_balancer.h"
#include "store/port.h"

const struct proxy *engine_get_proxy(const struct tables *t, uuid balancer)
{
	return uuid_is_none(balancer) ? NULL : proxy_first_by_elastic_load_balancer(t, balancer);
}

bool engine_is_proxied(const struct tables *t, const struct port *port)
{
	uuid id;
	if (!result_is_ok(uuid_parse(port->device_id, &id)))
		return false;
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, id);
	return b && balancer_is_proxied(b) && uuids_have(&b->fronts, port->row.id);
}

bool engine_is_router_front(const struct tables *t, const struct port *port)
{
	return engine_is_front(t, port) && !engine_is_proxied(t, port);
}

RESULT proxy_make(struct op *op, const struct elastic_load_balancer *balancer)
{
	struct proxy made = {.row = {.id = engine_new_id(op, KIND_PROXY), .gen = 1},
			     .account = balancer->account,
			     .elastic_load_balancer = balancer->row.id};
	return proxy_put(op, &made);
}

RESULT proxy_touch(struct op *op, uuid balancer)
{
	const struct proxy *present = engine_get_proxy(op->head, balancer);
	if (!present)
		return OK;
	struct proxy next = *present;
	next.row.gen++;
	return proxy_put(op, &next);
}

RESULT proxy_end(struct op *op, uuid balancer)
{
	const struct proxy *present = engine_get_proxy(op->head, balancer);
	if (!present)
		return OK;
	struct proxy next = *present;
	next.elastic_load_balancer = UUID_NONE;
	next.row.gen++;
	TRY(proxy_put(op, &next));
	return proxy_delete(op, next.row.id);
}

RESULT engine_see_proxy(struct op *op, struct proxy_report *report)
{
	const struct proxy *present = proxy_find(op->head, report->proxy);
	if (!present || !row_is_live(&present->row) || (int64_t) report->gen <= present->seen_gen)
		return OK;
	struct proxy next = *present;
	next.seen_gen = (int64_t) report->gen;
	return proxy_put(op, &next);
}
