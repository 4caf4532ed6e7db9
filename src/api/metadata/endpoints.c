/* SPDX-License-Identifier: Apache-2.0
 * VPC endpoints in the places of their routers: the region's API listens at the address of each interface, and at its
 * own address where a gateway endpoint leads there. Interfaces answer at the port of https, or of http without a
 * certificate, and at the API's own port. */
#include <string.h>

#include "api/metadata/internal.h"
#include "auth/guard/guard_endpoint.h"
#include "base/cleanup.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/vec.h"
#include "engine/network/routing/vpc_endpoint.h"
#include "http/renew.h"
#include "store/port.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"

enum { HTTP_PORT = 80, HTTPS_PORT = 443 };

/* An address at which the API answers. */
struct endpoint {
	struct endpoint *next;
	struct metadata *of;
	uuid router; /* its place's */
	struct ip ip;
	struct http_listener *listeners[2];
};

/* The addresses that a place needs. */
struct wanted {
	VEC(struct plug_link) links;
	bool has_gateway;
};

static RESULT add_fronts(struct ctx *c, const struct tables *t, const struct vpc_endpoint *e,
			 struct wanted *wanted)
{
	for (size_t k = 0; k < e->fronts.count && wanted->links.count < PLUG_LINKS_MAX; k++) {
		const struct port *port = port_find(t, e->fronts.at[k]);
		const struct subnet *subnet = port ? subnet_find(t, port->subnet) : NULL;
		if (!subnet || !row_is_live(&port->row))
			continue;
		const struct plug_link link = {port->row.id, port->mac, port->ip, subnet->gateway_ip,
					       cidr_canonical(subnet->block)};
		if (!VEC_PUSH(c->arena, &wanted->links, link))
			return ctx_no_memory(c);
	}
	return OK;
}

static RESULT gather(struct metadata *m, struct ctx *c, uuid router, struct wanted *wanted)
{
	AUTO_VIEW view = {0};
	view_open(m->config.store, &view);
	for (const struct vpc_endpoint *e = vpc_endpoint_first_by_router(view.tables, router); e;
	     e = vpc_endpoint_next_by_router(view.tables, e)) {
		if (!uuid_is_none(e->endpoint_service))
			continue; /* leads to an endpoint service: its router implements it */
		TRY(add_fronts(c, view.tables, e, wanted));
		wanted->has_gateway =
			wanted->has_gateway || (e->tables.count && !ip_is_none(m->config.api.ip));
	}
	return OK;
}

static bool is_wanted(struct metadata *m, const struct wanted *wanted, struct ip ip)
{
	bool is = wanted->has_gateway && ip_equal(ip, m->config.api.ip);
	for (size_t k = 0; k < wanted->links.count; k++)
		is = is || ip_equal(ip, wanted->links.at[k].ip);
	return is;
}

static void end_endpoint(struct metadata *m, struct endpoint **at)
{
	struct endpoint *e = *at;
	for (size_t k = 0; k < 2; k++)
		if (e->listeners[k])
			http_unlisten(m->config.http, e->listeners[k]);
	*at = e->next;
	heap_free(e);
}

static RESULT listen_at(struct metadata *m, struct ctx *c, struct endpoint *e, uint16_t port, int netns_fd,
			struct http_where *where, struct http_listener **listener)
{
	AUTO_FD fd = -1;
	TRY(plug_listen_tcp(c, netns_fd, e->ip, port, &fd));
	where->fd = fd;
	where->tag = e;
	TRY(http_listen(m->config.http, c, m->config.api.face, m->config.api.self, where, listener));
	fd = -1;
	return OK;
}

static void wipe_key(struct http_where *where)
{
	if (where->key_pem.n)
		explicit_bzero((char *) where->key_pem.p, where->key_pem.n);
}

static RESULT listen_all(struct metadata *m, struct ctx *c, struct endpoint *e, int netns_fd)
{
	struct http_where where = {0};
	bool is_own = ip_equal(e->ip, m->config.api.ip);
	TRY(m->config.api.read_certificate(m->config.api.self, c, &where));
	uint16_t usual = where.cert_pem.n ? HTTPS_PORT : HTTP_PORT;
	struct result listened = is_own || usual == m->config.api.port
					 ? OK
					 : listen_at(m, c, e, usual, netns_fd, &where, &e->listeners[0]);
	if (result_is_ok(listened))
		listened = listen_at(m, c, e, m->config.api.port, netns_fd, &where, &e->listeners[1]);
	wipe_key(&where);
	return listened;
}

static RESULT add_endpoint(struct metadata *m, struct ctx *c, struct place *p, struct ip ip, int netns_fd)
{
	for (const struct endpoint *e = p->endpoints; e; e = e->next)
		if (ip_equal(e->ip, ip))
			return OK;
	struct endpoint *made = heap_new(struct endpoint);
	if (!made)
		return ctx_no_memory(c);
	made->of = m;
	made->router = p->router;
	made->ip = ip;
	made->next = p->endpoints;
	p->endpoints = made;
	struct result listened = listen_all(m, c, made, netns_fd);
	if (!result_is_ok(listened))
		end_endpoint(m, &p->endpoints);
	return listened;
}

RESULT endpoints_apply(struct metadata *m, struct ctx *c, struct place *p, int netns_fd)
{
	struct wanted wanted = {0};
	if (!m->config.api.face)
		return OK;
	TRY(gather(m, c, p->router, &wanted));
	for (struct endpoint **at = &p->endpoints; *at;) {
		if (is_wanted(m, &wanted, (*at)->ip))
			at = &(*at)->next;
		else
			end_endpoint(m, at);
	}
	TRY(plugs_set_links(m->config.plugs, c, p->router, wanted.links.at, wanted.links.count));
	for (size_t k = 0; k < wanted.links.count; k++)
		TRY(add_endpoint(m, c, p, wanted.links.at[k].ip, netns_fd));
	if (!wanted.has_gateway)
		return OK;
	TRY(plugs_add_address(m->config.plugs, c, p->router, m->config.api.ip));
	return add_endpoint(m, c, p, m->config.api.ip, netns_fd);
}

void endpoints_end(struct metadata *m, struct place *p)
{
	while (p->endpoints)
		end_endpoint(m, &p->endpoints);
}

void endpoints_renew(struct metadata *m, struct ctx *c, struct place *p)
{
	struct http_where where = {0};
	if (!p->endpoints)
		return;
	struct result renewed = m->config.api.read_certificate(m->config.api.self, c, &where);
	for (struct endpoint *e = p->endpoints; e; e = e->next)
		for (size_t k = 0; k < 2 && result_is_ok(renewed); k++)
			if (e->listeners[k])
				renewed = http_renew(m->config.http, c, e->listeners[k], &where);
	wipe_key(&where);
	if (!result_is_ok(renewed))
		log_event(LOG_ERROR, "endpoint-certificate-not-renewed", "message=%s",
			  log_quote(c->problem.message));
}

/* Unique among VPCs, and no address that a condition on aws:SourceIp could name: fd00::/8, with the VPC's and the guest's. */
static struct ip write_peer(uuid router, struct ip guest)
{
	struct ip ip = {.family = IP_V6};
	ip.b[0] = 0xfd;
	memcpy(ip.b + 1, router.b, 11);
	memcpy(ip.b + 12, guest.b, 4);
	return ip;
}

void metadata_note_endpoint(struct call *call)
{
	const struct endpoint *e = call->tag;
	if (!e || call->peer.family != IP_V4)
		return;
	struct guard_endpoint noted = {.router = e->router, .guest = call->peer};
	AUTO_VIEW view = {0};
	view_open(e->of->config.store, &view);
	const struct vpc_endpoint *row =
		engine_find_endpoint_of_guest(view.tables, e->router, e->ip, call->peer);
	if (row)
		noted.endpoint = row->row.id;
	view_end_read(&view);
	guard_note_endpoint(call, &noted);
	call->peer = write_peer(e->router, call->peer);
}
