/* SPDX-License-Identifier: Apache-2.0
 * Places: each router with a live port has a network namespace with sockets for HTTP and for DNS over UDP
 * and TCP, until its last port goes. A network that has DHCP and a live port behind no router has one for HTTP
 * alone. One actor does all of it. The committer only names routers and networks to examine; rows decide
 * (level-triggered).
 */
#include <stddef.h>

#include "api/metadata/azure.h"
#include "api/metadata/internal.h"
#include "base/clock.h"
#include "base/heap.h"
#include "base/log.h"
#include "base/vec.h"
#include "engine/network/network.h"
#include "model/id.h"
#include "store/network.h"
#include "store/port.h"
#include "store/router.h"
#include "store/subnet.h"
#include "store/vpc_endpoint.h"

enum { WEB_PORT = 80, PASSWORD_PORT = 8080, DNS_PORT = 53 };
static const int64_t first_delay_us = SECOND / 2, longest_delay_us = MINUTE, retry_tick_us = 2 * SECOND;
static const struct ip web_ip = {{169, 254, 169, 254}, IP_V4}, dns_ip = {{169, 254, 169, 253}, IP_V4};
static const struct ip wire_ip = {{168, 63, 129, 16}, IP_V4};
static const struct ip web_ipv6 = {{0xfd, 0x00, 0x0e, 0xc2, [14] = 0x02, 0x54}, IP_V6}; /* fd00:ec2::254 */

/* ---- news: on the committer ---- */

/* Called by the actor and the committer; holds the lock for a few instructions. */
static void news_add(struct metadata *m, uuid place)
{
	struct news *n = &m->news;
	(void) pthread_mutex_lock(&n->lock);
	if (n->count < NEWS_MAX)
		n->places[n->count++] = place;
	else
		n->all = true;
	bool must_post = !n->posted;
	n->posted = true;
	(void) pthread_mutex_unlock(&n->lock);
	if (must_post)
		actor_post(m->actor, &m->look_job);
}

/* Place of a port: its router, or its network without one. */
static uuid find_place(const struct row *row)
{
	if (!row_is_live(row))
		return UUID_NONE;
	return uuid_is_none(port_of(row)->router) ? port_of(row)->network : port_of(row)->router;
}

static void note_port(struct metadata *m, const struct published *p)
{
	uuid before = find_place(p->before), after = find_place(p->after);
	if (uuid_equal(before, after))
		return;
	if (!uuid_is_none(before))
		news_add(m, before);
	if (!uuid_is_none(after))
		news_add(m, after);
}

/* A subnet with another router, or with DHCP turned on or off. */
static void note_subnet(struct metadata *m, const struct published *p)
{
	const struct subnet *is = row_is_live(p->after) ? subnet_of(p->after) : NULL,
			    *was = row_is_live(p->before) ? subnet_of(p->before) : NULL;
	bool is_as_before = is && was && is->no_dhcp == was->no_dhcp && uuid_equal(is->router, was->router);
	if (!is_as_before)
		news_add(m, subnet_of(p->after ? p->after : p->before)->network);
}

static void on_publish(void *self, const struct tables *tables, const struct published *published,
		       size_t count)
{
	struct metadata *m = self;
	(void) tables;
	for (size_t k = 0; k < count; k++) {
		const struct published *p = &published[k];
		if ((p->kind == KIND_ROUTER || p->kind == KIND_NETWORK) && !p->after)
			news_add(m, p->before->id);
		else if (p->kind == KIND_PORT)
			note_port(m, p);
		else if (p->kind == KIND_SUBNET)
			note_subnet(m, p);
		else if (p->kind == KIND_VPC_ENDPOINT)
			news_add(m, vpc_endpoint_of(p->after ? p->after : p->before)->router);
	}
}

/* ---- one place: on the actor from here on ---- */

static struct place **place_at(struct metadata *m, uuid router)
{
	struct place **at = &m->buckets[(router.b[14] ^ router.b[5]) % PLACE_BUCKETS];
	while (*at && !uuid_equal((*at)->router, router))
		at = &(*at)->next;
	return at;
}

static RESULT listen_web(struct metadata *m, struct ctx *c, struct place *p, struct ip ip, uint16_t port,
			 const struct http_face *face, int netns_fd, struct http_listener **web)
{
	if (*web)
		return OK;
	struct http_where where = {.tag = p};
	AUTO_FD fd = -1;
	TRY(plug_listen_tcp(c, netns_fd, ip, port, &fd));
	where.fd = fd;
	TRY(http_listen(m->config.http, c, face, m, &where, web));
	fd = -1;
	return OK;
}

static RESULT listen_dns(struct metadata *m, struct ctx *c, struct place *p, int netns_fd)
{
	if (p->dns)
		return OK;
	AUTO_FD udp_fd = -1;
	AUTO_FD tcp_fd = -1;
	TRY(plug_bind_udp(c, netns_fd, dns_ip, DNS_PORT, &udp_fd));
	TRY(plug_listen_tcp(c, netns_fd, dns_ip, DNS_PORT, &tcp_fd));
	TRY(dns_add_place(m->dns, c, p->router, udp_fd, tcp_fd, &p->dns));
	udp_fd = tcp_fd = -1;
	return OK;
}

static RESULT place_enter(struct metadata *m, struct ctx *c, struct place *p, int64_t mark)
{
	struct plug_wish wish = {.router = p->router,
				 .mark = mark,
				 .port = model_metadata_port(p->router),
				 .mac = model_metadata_mac(p->router),
				 .is_on_link = p->is_on_link};
	int netns_fd = -1;
	TRY(plugs_ensure(m->config.plugs, c, &wish, &netns_fd));
	const struct http_face *web = &metadata_http_face, *wire = &metadata_wire_http_face;
	TRY(listen_web(m, c, p, web_ip, WEB_PORT, web, netns_fd, &p->web));
	TRY(listen_web(m, c, p, web_ip, PASSWORD_PORT, web, netns_fd, &p->passwords));
	if (p->is_on_link)
		return OK;
	TRY(listen_web(m, c, p, wire_ip, AZURE_WIRE_PORT, wire, netns_fd, &p->wire));
	TRY(listen_web(m, c, p, wire_ip, AZURE_HOST_PORT, wire, netns_fd, &p->wire_host));
	if (plug_has_ipv6())
		TRY(listen_web(m, c, p, web_ipv6, WEB_PORT, web, netns_fd, &p->web_by_ipv6));
	TRY(endpoints_apply(m, c, p, netns_fd));
	return listen_dns(m, c, p, netns_fd);
}

static void place_stop_listening(struct metadata *m, struct place *p)
{
	struct http_listener **const listeners[] = {&p->web, &p->passwords, &p->wire, &p->wire_host,
						    &p->web_by_ipv6};
	for (size_t k = 0; k < sizeof listeners / sizeof listeners[0]; k++) {
		if (*listeners[k])
			http_unlisten(m->config.http, *listeners[k]);
		*listeners[k] = NULL;
	}
	endpoints_end(m, p);
	dns_remove_place(m->dns, p->dns);
	p->dns = NULL;
}

static RESULT place_leave(struct metadata *m, struct ctx *c, struct place *p)
{
	place_stop_listening(m, p);
	return plugs_remove(m->config.plugs, c, p->router);
}

/* Logs a failure once, however often it repeats. */
static void place_note(struct place *p, const struct ctx *c, struct result r)
{
	char router[UUID_TEXT_SIZE];
	if (result_is_ok(r)) {
		if (p->failed)
			log_event(LOG_INFO, "metadata-plugged", "router=%s", uuid_write(p->router, router));
		p->failed = false;
		p->retry_us = p->delay_us = 0;
		return;
	}
	if (!p->failed)
		log_event(LOG_WARN, "metadata-not-plugged", "router=%s error=%s why=%s",
			  uuid_write(p->router, router), err_name(r.code), log_quote(c->problem.message));
	p->failed = true;
	p->delay_us = p->delay_us ? 2 * p->delay_us : first_delay_us;
	if (p->delay_us > longest_delay_us)
		p->delay_us = longest_delay_us;
	p->retry_us = clock_now_us() + p->delay_us;
}

/* The sort of place that a router or a network needs now. */
struct place_kind {
	bool is_wanted, is_on_link;
	int64_t mark; /* a router's */
};

static bool router_is_inhabited(const struct tables *t, uuid router)
{
	for (const struct port *p = port_first_by_router(t, router); p; p = port_next_by_router(t, p))
		if (row_is_live(&p->row))
			return true;
	return false;
}

static bool network_is_inhabited(const struct tables *t, uuid network)
{
	if (!engine_serves_metadata_in(t, network))
		return false;
	for (const struct port *p = port_first_by_network(t, network); p; p = port_next_by_network(t, p))
		if (row_is_live(&p->row) && uuid_is_none(p->router))
			return true;
	return false;
}

static struct place_kind find_kind(struct metadata *m, uuid id)
{
	AUTO_VIEW view = {0};
	view_open(m->config.store, &view);
	const struct router *router = router_find(view.tables, id);
	if (router)
		return (struct place_kind){.is_wanted = router_is_inhabited(view.tables, id),
					   .mark = router->metadata_mark};
	return (struct place_kind){.is_wanted = network_is_inhabited(view.tables, id), .is_on_link = true};
}

static void post_retry(struct metadata *m, int64_t due_us)
{
	if (m->retry_posted)
		return;
	int64_t soon_us = clock_now_us() + retry_tick_us; /* other places may be due earlier */
	m->retry_posted = true;
	actor_post_at(m->actor, &m->retry_job, due_us < soon_us ? due_us : soon_us);
}

/* Makes the place match the rows, in one step. */
static void place_look(struct metadata *m, uuid router)
{
	struct ctx c;
	const struct place_kind kind = find_kind(m, router);
	bool is_wanted = kind.is_wanted;
	struct place **at = place_at(m, router), *p = *at;
	if (!p && !is_wanted)
		return;
	arena_reset(m->arena);
	ctx_init(&c, m->arena);
	if (!p) {
		p = heap_new(struct place);
		if (!p) {
			log_event(LOG_ERROR, "metadata-no-memory", "for=place");
			return;
		}
		p->router = router;
		p->is_on_link = kind.is_on_link;
		*at = p;
	}
	p->leaving = !is_wanted;
	struct result r = is_wanted ? place_enter(m, &c, p, kind.mark) : place_leave(m, &c, p);
	place_note(p, &c, r);
	if (!result_is_ok(r)) {
		post_retry(m, p->retry_us);
	} else if (p->leaving) {
		*at = p->next;
		heap_free(p);
	}
}

/* ---- the jobs ---- */

/* Examines every router, every network with ports, and every place. */
static void look_at_all(struct metadata *m)
{
	AUTO(arena) a = arena_new(ARENA_FIRST_SIZE, 2 * ARENA_REQUEST_CAP);
	VEC(uuid) places = {0};
	bool fits = a != NULL;
	AUTO_VIEW view = {0};
	view_open(m->config.store, &view);
	for (const struct router *r = router_first(view.tables); r && fits; r = router_next(view.tables, r))
		fits = VEC_PUSH(a, &places, r->row.id);
	for (const struct network *n = network_first(view.tables); n && fits;
	     n = network_next(view.tables, n))
		if (engine_serves_metadata_in(view.tables, n->row.id))
			fits = VEC_PUSH(a, &places, n->row.id);
	view_close(&view);
	for (size_t k = 0; k < PLACE_BUCKETS && fits; k++)
		for (const struct place *p = m->buckets[k]; p && fits; p = p->next)
			fits = VEC_PUSH(a, &places, p->router);
	if (!fits)
		log_event(LOG_ERROR, "metadata-no-memory", "for=places");
	for (size_t k = 0; k < places.count; k++)
		place_look(m, places.at[k]);
}

static void look_run(struct job *job)
{
	struct metadata *m = (struct metadata *) ((char *) job - offsetof(struct metadata, look_job));
	struct news *n = &m->news;
	uuid places[NEWS_MAX];
	(void) pthread_mutex_lock(&n->lock);
	size_t count = n->count;
	bool all = n->all;
	memcpy(places, n->places, count * sizeof(uuid));
	n->count = 0;
	n->all = n->posted = false;
	(void) pthread_mutex_unlock(&n->lock);
	if (all)
		look_at_all(m);
	for (size_t k = 0; k < count && !all; k++)
		place_look(m, places[k]);
}

/* First due place, or NULL; *ret_next_us: earliest time of the others. */
static struct place *find_due(struct metadata *m, int64_t now_us, int64_t *ret_next_us)
{
	*ret_next_us = INT64_MAX;
	for (size_t k = 0; k < PLACE_BUCKETS; k++)
		for (struct place *p = m->buckets[k]; p; p = p->next) {
			if (p->retry_us && p->retry_us <= now_us)
				return p;
			if (p->retry_us && p->retry_us < *ret_next_us)
				*ret_next_us = p->retry_us;
		}
	return NULL;
}

static void retry_run(struct job *job)
{
	struct metadata *m = (struct metadata *) ((char *) job - offsetof(struct metadata, retry_job));
	int64_t now_us = clock_now_us(), next_us = 0;
	const struct place *due = NULL;
	m->retry_posted = true; /* posted once, below */
	while ((due = find_due(m, now_us, &next_us)))
		place_look(m, due->router);
	m->retry_posted = false;
	if (next_us != INT64_MAX)
		post_retry(m, next_us);
}

static void renew_run(struct job *job)
{
	struct metadata *m = (struct metadata *) ((char *) job - offsetof(struct metadata, renew_job));
	for (size_t k = 0; k < PLACE_BUCKETS; k++)
		for (struct place *p = m->buckets[k]; p; p = p->next) {
			struct ctx c;
			arena_reset(m->arena);
			ctx_init(&c, m->arena);
			endpoints_renew(m, &c, p);
		}
}

void metadata_renew(struct metadata *m)
{
	if (m->actor)
		actor_post(m->actor, &m->renew_job);
}

/* ---- start and end ---- */

RESULT places_start(struct metadata *m, struct ctx *c)
{
	m->arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	m->look_job.run = look_run;
	m->retry_job.run = retry_run;
	m->renew_job.run = renew_run;
	m->actor = m->arena ? actor_new(m->config.executor, "metadata") : NULL;
	if (!m->actor)
		return ctx_no_memory(c);
	m->news.all = m->news.posted = true;
	store_listen(m->config.store, on_publish, m);
	actor_post(m->actor, &m->look_job);
	return OK;
}

/* Keeps the namespaces plugged: plugs_close() removes them. */
void places_end(struct metadata *m)
{
	if (m->actor)
		store_unlisten(m->config.store, on_publish, m);
	actor_free(m->actor);
	for (size_t k = 0; k < PLACE_BUCKETS; k++)
		while (m->buckets[k]) {
			struct place *p = m->buckets[k];
			m->buckets[k] = p->next;
			place_stop_listening(m, p);
			heap_free(p);
		}
	arena_free(m->arena);
}
