/* SPDX-License-Identifier: Apache-2.0
 * Port forwardings and load balancers as rows of Load_Balancer; a forwarding is one with a single target.
 * Each row is attached to the router, for packets from outside, and to the switches of the router's subnets,
 * for guests that use the address, because a distributed router translates at its gateway's chassis only. A
 * private frontend is an address of a subnet that no port has: the subnet's router answers ARP for it. The
 * gateway port has no network of public addresses (nb_uplink.c), but OVN answers ARP for a load balancer's
 * address nevertheless. */
#include <inttypes.h>
#include <stdio.h>

#include "drivers/ovn/nb.h"
#include "model/load_balancer.h"
#include "model/port_forwarding.h"
#include "model/router.h"
#include "model/subnet.h"

enum { SOCKET_SIZE = IP_TEXT_SIZE + 8 };
/* Defaults of health checks: seconds, and failures in a row. */
enum { ASK_INTERVAL = 2, ASK_FAILURES = 3, ASK_TIMEOUT = 2, ASK_SUCCESSES = 2 };

static char *write_socket(struct ip ip, int64_t port, char out[static SOCKET_SIZE])
{
	char text[IP_TEXT_SIZE];
	snprintf(out, SOCKET_SIZE, "%s:%" PRId64, ip_write(ip, text), port);
	return out;
}

/* for example {"198.51.100.7:2222": "10.0.1.10:22"} */
static json_t *make_vips(struct wish *w, const struct network_forwarding *n)
{
	const struct port_forwarding *f = n->forwarding;
	char from[SOCKET_SIZE], to[SOCKET_SIZE];
	int64_t step = f->private_last > f->private_first;
	json_t *vips = json_object();
	for (int64_t k = 0; k <= f->public_last - f->public_first; k++)
		if (json_object_set_new(
			    vips, write_socket(n->public_ip, f->public_first + k, from),
			    json_string(write_socket(f->private_ip, f->private_first + k * step, to))) < 0)
			w->failed = true;
	return vips;
}

/* Attaches the row to each switch once, even if the router has several subnets in it. */
static void add_switches(struct wish *w, struct wish_row *row, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->subnet_count; k++) {
		bool again = false;
		for (size_t j = 0; j < k && !again; j++)
			again = uuid_equal(wish->subnets[j].subnet->network,
					   wish->subnets[k].subnet->network);
		if (!again)
			wish_add_edge(w, row, "Logical_Switch", "load_balancer",
				      wish->subnets[k].subnet->network);
	}
}

/* for example {"198.51.100.7:80": "10.0.1.10:8080,10.0.2.10:8080"} */
static json_t *make_balancer_vips(struct wish *w, const struct network_balancer *n)
{
	char socket[SOCKET_SIZE];
	struct str targets = STR_NONE;
	json_t *vips = json_object();
	for (size_t k = 0; k < n->member_count; k++)
		targets = str_print(w->arena, "%" STR_FMT "%s%s", STR_ARG(targets), k ? "," : "",
				    write_socket(n->members[k].ip, n->balancer->private_port, socket));
	const struct ip ips[] = {n->ip, n->public_ip};
	for (size_t k = 0; k < 2 && !w->failed; k++) {
		if (ip_is_none(ips[k]))
			continue;
		write_socket(ips[k], n->balancer->public_port, socket);
		if (!targets.p || json_object_set_new(vips, socket, json_stringn(targets.p, targets.n)) < 0)
			w->failed = true;
	}
	return vips;
}

/* Source of health checks for each member, for example {"10.0.1.10": "PORT:10.0.1.3"}. OVN checks listed
 * members only. */
static json_t *make_asked(struct wish *w, const struct network_balancer *n)
{
	json_t *asked = json_object();
	for (size_t k = 0; k < n->member_count; k++) {
		const struct network_member *m = &n->members[k];
		char ip[IP_TEXT_SIZE], from[IP_TEXT_SIZE], port[UUID_TEXT_SIZE];
		bool is_asked = n->balancer->protocol == LOAD_BALANCER_PROTOCOL_TCP &&
				!n->balancer->is_unasked && !ip_is_none(m->asked_from);
		if (is_asked && json_object_set_new(asked, ip_write(m->ip, ip),
						    json_sprintf("%s:%s", uuid_write(m->port, port),
								 ip_write(m->asked_from, from))) < 0)
			w->failed = true;
	}
	return asked;
}

static int64_t or_default(int64_t value, int64_t standard)
{
	return value ? value : standard;
}

/* A member that fails so many checks in a row gets no connections until it has passed some. Each address of the
 * balancer needs a row of its own. */
static void plan_check(struct wish *w, const struct network_balancer *n, uuid id, struct ip ip,
		       const char *part)
{
	char socket[SOCKET_SIZE];
	const struct load_balancer *b = n->balancer;
	struct wish_row *row = wish_add_row(
		w, "Load_Balancer_Health_Check", uuid_v5(id, str_from(part)),
		json_pack("{s:s,s:{s:o,s:o,s:o,s:o}}", "vip", write_socket(ip, b->public_port, socket),
			  "options", "interval",
			  json_sprintf("%" PRId64, or_default(b->ask_interval, ASK_INTERVAL)), "timeout",
			  json_sprintf("%" PRId64, or_default(b->ask_timeout, ASK_TIMEOUT)), "failure_count",
			  json_sprintf("%" PRId64, or_default(b->ask_failures, ASK_FAILURES)),
			  "success_count",
			  json_sprintf("%" PRId64, or_default(b->ask_successes, ASK_SUCCESSES))));
	wish_add_edge(w, row, "Load_Balancer", "health_check", id);
}

/* Fields whose hash selects the member; none: both ends' addresses and ports, as the datapath hashes them. names_all: names them,
 * so that the datapath does not have to (nb_endpoint.c). */
static json_t *make_fields(const struct load_balancer *b, bool names_all)
{
	if (b->algorithm == LOAD_BALANCER_ALGORITHM_SOURCE)
		return json_pack("{s:b}", "ip_src", 1);
	return names_all ? json_pack("{s:b,s:b,s:b,s:b}", "ip_src", 1, "ip_dst", 1, "tp_src", 1, "tp_dst", 1)
			 : json_object();
}

/* has_responder: the router answers ARP requests of everybody for the address. */
static struct wish_row *plan_row(struct wish *w, const struct network_balancer *n, uuid id,
				 bool has_responder)
{
	char name[UUID_TEXT_SIZE];
	json_t *fields = make_fields(n->balancer, !has_responder);
	json_t *asked = make_asked(w, n);
	bool is_asked = json_object_size(asked) != 0;
	struct wish_row *row =
		wish_add_row(w, "Load_Balancer", id,
			     json_pack("{s:s,s:s,s:o,s:{s:s},s:o,s:o}", "name", uuid_write(id, name),
				       "protocol", load_balancer_protocol_words[n->balancer->protocol],
				       "vips", make_balancer_vips(w, n), "options", "neighbor_responder",
				       has_responder ? "all" : "none", "selection_fields", fields,
				       "ip_port_mappings", asked));
	if (is_asked)
		plan_check(w, n, id, n->ip, "check");
	if (is_asked && !ip_is_none(n->public_ip))
		plan_check(w, n, id, n->public_ip, "public check");
	return row;
}

static void plan_balancer(struct wish *w, const struct network_router *wish, const struct network_balancer *n)
{
	struct wish_row *row = plan_row(w, n, n->balancer->row.id, true);
	wish_add_edge(w, row, "Logical_Router", "load_balancer", wish->router->row.id);
	add_switches(w, row, wish);
}

void nb_plan_balancer_at(struct wish *w, const struct network_balancer *n, uuid router, struct ip at)
{
	char text[UUID_TEXT_SIZE];
	struct network_balancer moved = *n;
	moved.ip = at;
	moved.public_ip = (struct ip){0};
	struct wish_row *row =
		plan_row(w, &moved, uuid_v5(router, str_from(uuid_write(n->balancer->row.id, text))), false);
	wish_add_edge(w, row, "Logical_Router", "load_balancer", router);
}

void nb_plan_forwardings(struct wish *w, const struct network_router *wish)
{
	for (size_t k = 0; k < wish->balancer_count; k++)
		if (wish->balancers[k].member_count &&
		    (nb_has_uplink(wish) || !uuid_is_none(wish->balancers[k].balancer->front))) {
			struct network_balancer balancer = wish->balancers[k];
			if (!nb_has_uplink(wish))
				balancer.public_ip = (struct ip){0};
			plan_balancer(w, wish, &balancer);
		}
	char name[UUID_TEXT_SIZE];
	for (size_t k = 0; k < wish->forwarding_count && nb_has_uplink(wish); k++) {
		const struct network_forwarding *n = &wish->forwardings[k];
		uuid id = n->forwarding->row.id;
		struct wish_row *row = wish_add_row(
			w, "Load_Balancer", id,
			json_pack("{s:s,s:s,s:o,s:{s:s}}", "name", uuid_write(id, name), "protocol",
				  port_forwarding_protocol_words[n->forwarding->protocol], "vips",
				  make_vips(w, n), "options", "neighbor_responder", "all"));
		wish_add_edge(w, row, "Logical_Router", "load_balancer", wish->router->row.id);
		add_switches(w, row, wish);
	}
}
