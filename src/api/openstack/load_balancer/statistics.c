/* SPDX-License-Identifier: Apache-2.0
 * Statistics of load balancers and listeners. Source: Load Balancer API reference v2, "Get Load Balancer statistics" and "Get
 * Listener statistics"; its statistics drivers: a load balancer's figures are the sums of its listeners'. */
#include "api/openstack/load_balancer/load_balancer.h"
#include "store/listener.h"

RESULT os_lb_find(struct os_call *e, enum kind kind, const struct ref *ref, const struct row **ret_row)
{
	TRY(os_find(e, kind, ref, ret_row));
	return engine_is_of_octavia(os_tables(e), kind, *ret_row) ? OK
								  : engine_fail_not_found(e->c, kind, ref);
}

struct os_lb_statistics {
	struct ref of;
};

static void write_figures(struct json_writer *w, const struct octavia_figures *figures)
{
	json_write_int(w, "active_connections", figures->active_connections);
	json_write_int(w, "bytes_in", figures->bytes_in);
	json_write_int(w, "bytes_out", figures->bytes_out);
	json_write_int(w, "request_errors", figures->request_errors);
	json_write_int(w, "total_connections", figures->total_connections);
}

static RESULT show_balancer(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct tables *t = os_tables(e);
	const struct row *row = NULL;
	struct octavia_figures sum = {0};
	TRY(os_lb_find(e, KIND_ELASTIC_LOAD_BALANCER, &((const struct os_lb_statistics *) args)->of, &row));
	for (const struct listener *l = listener_first_by_elastic_load_balancer(t, row->id); l;
	     l = listener_next_by_elastic_load_balancer(t, l))
		octavia_add_figures(t, l, &sum);
	write_figures(w, &sum);
	return OK;
}

static RESULT show_listener(struct os_call *e, const void *args, struct json_writer *w)
{
	const struct row *row = NULL;
	struct octavia_figures figures = {0};
	TRY(os_lb_find(e, KIND_LISTENER, &((const struct os_lb_statistics *) args)->of, &row));
	octavia_add_figures(os_tables(e), listener_of(row), &figures);
	write_figures(w, &figures);
	return OK;
}

static const struct param balancer_params[] = {
	OS_PATH(struct os_lb_statistics, "loadbalancer_id", of, .kind = KIND_ELASTIC_LOAD_BALANCER,
		.doc = "The load balancer."),
};
static const struct param listener_params[] = {
	OS_PATH(struct os_lb_statistics, "listener_id", of, .kind = KIND_LISTENER, .doc = "The listener."),
};

#define API "os_load-balancer_api:"
static const struct os_action actions[] = {
	{HTTP_GET, "/v2/lbaas/loadbalancers/{loadbalancer_id}/stats", .permit = API "loadbalancer:get_stats",
	 .args = OS_PARAMS(struct os_lb_statistics, balancer_params), .item = "stats",
	 .answer = show_balancer,
	 .doc = "Connections, bytes and errors of all listeners of a load balancer."},
	{HTTP_GET, "/v2/lbaas/listeners/{listener_id}/stats", .permit = API "listener:get_stats",
	 .args = OS_PARAMS(struct os_lb_statistics, listener_params), .item = "stats",
	 .answer = show_listener, .doc = "Connections, bytes and errors of a listener."},
};
const struct os_actions os_load_balancer_statistics_actions = OS_ACTIONS(OS_LOAD_BALANCER, actions);
