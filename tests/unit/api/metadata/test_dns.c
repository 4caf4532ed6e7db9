/* SPDX-License-Identifier: Apache-2.0
 * The DNS responder on loopback: its own names, names forwarded to upstreams in the test, UDP and TCP,
 * limits, and malformed packets. The clock only moves when a test sets it. */
#include "fixture.h"
#include "model/id.h"
#include "store/address.h"
#include "store/elastic_load_balancer.h"
#include "store/instance.h"
#include "store/peering.h"
#include "store/port.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/setting.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/metadata/dns_internal.h"
#include "base/heap.h"
#include "base/random.h"
#include "engine/network/address/address.h"
#include "fake_plugs.h"
#include "query.h"

#define DOMAIN ".us-west-2.compute.internal"
#define SOA                                                                                                  \
	"us-west-2.compute.internal. 60 SOA us-west-2.compute.internal. "                                    \
	"hostmaster.us-west-2.compute.internal. 1 7200 900 1209600 60"

struct world {
	struct fixture *f;
	struct dns *dns;
	struct dns_place *places[ROUTER_COUNT];
	uint16_t udp_ports[ROUTER_COUNT], tcp_ports[ROUTER_COUNT];
	int upstream_udp[2], upstream_tcp; /* the first one's too, on the same port */
};

/* ---- the world ---- */

/* -1: the port is in use. */
static int listen_on(uint16_t port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
	struct timeval limit = {.tv_sec = 600}; /* a bound against hanging */
	(void) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	(void) setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (bind(fd, (const struct sockaddr *) &at, sizeof at) == 0 && listen(fd, 16) == 0)
		return fd;
	(void) close(fd);
	return -1;
}

static int setup(void **state)
{
	struct world *w = heap_new(struct world);
	(void) fixture_setup((void **) &w->f);
	struct str texts[2];
	uint16_t ports[2];
	while ((w->upstream_udp[0] = fake_socket(SOCK_DGRAM, &ports[0])) >= 0 &&
	       (w->upstream_tcp = listen_on(ports[0])) < 0)
		(void) close(w->upstream_udp[0]);
	w->upstream_udp[1] = fake_socket(SOCK_DGRAM, &ports[1]);
	for (unsigned n = 0; n < 2; n++)
		texts[n] = str_print(w->f->arena, "127.0.0.1:%u", ports[n]);
	struct dns_upstreams upstreams;
	assert_ok(dns_read_upstreams(&w->f->c, (struct strs){texts, 2}, &upstreams));
	assert_int_equal(upstreams.count, 2);
	assert_ok(dns_new(&w->f->c, w->f->store, &upstreams, &w->dns));
	for (unsigned n = 0; n < ROUTER_COUNT; n++) {
		int udp = fake_socket(SOCK_DGRAM, &w->udp_ports[n]),
		    tcp = fake_socket(SOCK_STREAM, &w->tcp_ports[n]);
		assert_ok(
			dns_add_place(w->dns, &w->f->c, id_of(KIND_ROUTER, n + 1), udp, tcp, &w->places[n]));
	}
	clock_set_us(INT64_C(1700000000) * SECOND);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;
	clock_set_us(0);
	dns_free(w->dns);
	for (unsigned n = 0; n < 2; n++)
		(void) close(w->upstream_udp[n]);
	(void) close(w->upstream_tcp);
	(void) fixture_teardown((void **) &w->f);
	heap_free(w);
	return 0;
}

static struct dns_figures figures(struct world *w)
{
	struct dns_figures now;
	dns_read_figures(w->dns, &now);
	return now;
}

/* ---- a guest ---- */

static int guest(struct world *w, unsigned router, const char *from)
{
	return guest_connect(from, SOCK_DGRAM, w->udp_ports[router]);
}

static void check_text(const uint8_t *bytes, size_t size, const char *expected)
{
	char *text = packet_to_text(bytes, size);
	assert_string_equal(text, expected);
	free(text);
}

static void check_answer(int fd, const char *expected)
{
	uint8_t bytes[4096];
	ssize_t size = recv(fd, bytes, sizeof bytes, 0);
	assert_true(size > 12);
	assert_int_equal(bytes[0], 0x12);
	assert_int_equal(bytes[1], 0x34);
	check_text(bytes, (size_t) size, expected);
}

static void send_query(int fd, const char *name, uint16_t type, uint16_t edns_size)
{
	uint8_t bytes[512];
	size_t size = query_write(bytes, 0x1234, name, type, edns_size);
	assert_int_equal(send(fd, bytes, size, 0), size);
}

static void check_query(struct world *w, unsigned router, const char *from, const char *name, uint16_t type,
			uint16_t edns_size, const char *expected)
{
	int fd = guest(w, router, from);
	send_query(fd, name, type, edns_size);
	check_answer(fd, expected);
	(void) close(fd);
}

#define ask(name, type, expected) check_query(w, ROUTER_A, "127.0.1.10", (name), (type), 0, (expected))

/* A query that it answers itself: what came before it has been dealt with. */
static void ask_own(struct world *w)
{
	ask("ip-127-0-1-20" DOMAIN, DNS_A,
	    "NOERROR aa rd ra; ip-127-0-1-20" DOMAIN ". A; an ip-127-0-1-20" DOMAIN ". 60 A 127.0.1.20");
}

/* ---- our own names ---- */

static void test_own_names(void **state)
{
	struct world *w = *state;
	ask("ip-127-0-1-11" DOMAIN, DNS_A,
	    "NOERROR aa rd ra; ip-127-0-1-11" DOMAIN ". A; an ip-127-0-1-11" DOMAIN ". 60 A 127.0.1.11");
	ask("IP-127-0-1-20.US-WEST-2.compute.internal", DNS_A,
	    "NOERROR aa rd ra; IP-127-0-1-20.US-WEST-2.compute.internal. A; "
	    "an IP-127-0-1-20.US-WEST-2.compute.internal. 60 A 127.0.1.20");
	ask("11.1.0.127.in-addr.arpa", DNS_PTR,
	    "NOERROR aa rd ra; 11.1.0.127.in-addr.arpa. PTR; an 11.1.0.127.in-addr.arpa. 60 PTR "
	    "ip-127-0-1-11" DOMAIN ".");
	ask("ip-127-0-1-30" DOMAIN, DNS_A, /* a secondary address */
	    "NOERROR aa rd ra; ip-127-0-1-30" DOMAIN ". A; an ip-127-0-1-30" DOMAIN ". 60 A 127.0.1.30");
	check_query(w, ROUTER_A, "127.0.1.30", "ip-127-0-1-11" DOMAIN, DNS_A, 0,
		    "NOERROR aa rd ra; ip-127-0-1-11" DOMAIN ". A; an ip-127-0-1-11" DOMAIN
		    ". 60 A 127.0.1.11");
	ask("ip-127-0-1-11" DOMAIN, 28, "NOERROR aa rd ra; ip-127-0-1-11" DOMAIN ". AAAA; ns " SOA);
	ask("ip-127-0-1-11" DOMAIN, DNS_ANY,
	    "NOERROR aa rd ra; ip-127-0-1-11" DOMAIN ". ANY; an ip-127-0-1-11" DOMAIN ". 60 A 127.0.1.11");
	ask("11.1.0.127.in-addr.arpa", DNS_A,
	    "NOERROR aa rd ra; 11.1.0.127.in-addr.arpa. A; ns 1.0.127.in-addr.arpa. 60 SOA "
	    "1.0.127.in-addr.arpa. "
	    "hostmaster.1.0.127.in-addr.arpa. 1 7200 900 1209600 60");
	ask("us-west-2.compute.internal", DNS_SOA,
	    "NOERROR aa rd ra; us-west-2.compute.internal. SOA; an " SOA);
	ask("us-west-2.compute.internal", DNS_A, "NOERROR aa rd ra; us-west-2.compute.internal. A; ns " SOA);
	assert_int_equal(figures(w).answered, 10);
}

/* A public name resolves to the private address inside its VPC, and to the public address in other VPCs. */
static void test_public_names(void **state)
{
	struct world *w = *state;
	ask("ec2-203-0-113-7" DOMAIN, DNS_A,
	    "NOERROR aa rd ra; ec2-203-0-113-7" DOMAIN ". A; an ec2-203-0-113-7" DOMAIN ". 60 A 127.0.1.10");
	ask("ec2-203-0-113-8" DOMAIN, DNS_A,
	    "NOERROR aa rd ra; ec2-203-0-113-8" DOMAIN ". A; an ec2-203-0-113-8" DOMAIN ". 60 A 127.0.1.30");
	check_query(w, ROUTER_B, "127.0.1.10", "ec2-203-0-113-7" DOMAIN, DNS_A, 0,
		    "NOERROR aa rd ra; ec2-203-0-113-7" DOMAIN ". A; an ec2-203-0-113-7" DOMAIN
		    ". 60 A 203.0.113.7");
	ask("ec2-203-0-113-9" DOMAIN, DNS_A, "NXDOMAIN aa rd ra; ec2-203-0-113-9" DOMAIN ". A; ns " SOA);
}

/* ---- names derived from ids ---- */

static void give_a(struct instance *i)
{
	i->id_name_has_a = true;
}

static void give_aaaa(struct instance *i)
{
	i->id_name_has_aaaa = true;
}

static RESULT add_ipv6(struct op *op, void *arg)
{
	struct secondary_ip s = {.row.id = id_of(KIND_SECONDARY_IP, 99),
				 .row.gen = 1,
				 .account = id_of(KIND_ACCOUNT, 1),
				 .port = *(const uuid *) arg,
				 .router = id_of(KIND_ROUTER, ROUTER_A + 1),
				 .ip = ip_of("2001:db8::10")};
	return secondary_ip_put(op, &s);
}

static uuid first_port_of(struct world *w, unsigned instance)
{
	AUTO_VIEW view = {0};
	view_open(w->f->store, &view);
	return port_first_by_instance(view.tables, id_of(KIND_INSTANCE, instance + 1))->row.id;
}

/* Each record is there only if it was asked for; a name with neither does not exist. */
static void test_names_of_ids(void **state)
{
	struct world *w = *state;
	char id[EC2_ID_TEXT_SIZE], name[128], expected[512];
	snprintf(name, sizeof name, "%s" DOMAIN,
		 id_write_ec2(KIND_INSTANCE, id_of(KIND_INSTANCE, ALPHA + 1), id));
	snprintf(expected, sizeof expected, "NXDOMAIN aa rd ra; %s. A; ns " SOA, name);
	ask(name, DNS_A, expected);
	fixture_edit_instance(w->f, ALPHA, give_a);
	uuid port = first_port_of(w, ALPHA);
	assert_ok(fixture_commit(w->f, add_ipv6, &port));
	snprintf(expected, sizeof expected, "NOERROR aa rd ra; %s. A; an %s. 60 A 127.0.1.10", name, name);
	ask(name, DNS_A, expected);
	snprintf(expected, sizeof expected, "NOERROR aa rd ra; %s. AAAA; ns " SOA, name);
	ask(name, DNS_AAAA, expected);
	fixture_edit_instance(w->f, ALPHA, give_aaaa);
	snprintf(expected, sizeof expected, "NOERROR aa rd ra; %s. AAAA; an %s. 60 AAAA 2001:db8::10", name,
		 name);
	ask(name, DNS_AAAA, expected);
	snprintf(expected, sizeof expected, "NXDOMAIN aa rd ra; %s. A; ns " SOA, name);
	check_query(w, ROUTER_B, "127.0.1.10", name, DNS_A, 0, expected); /* another VPC's */
}

static RESULT set_reverse_name(struct op *op, void *arg)
{
	struct address address = *engine_find_public_ip(op->head, ip_of("203.0.113.7"));
	address.reverse_name = str_from(arg);
	return address_put(op, &address);
}

/* All VPCs get the same answer; without a set name, the query is forwarded. */
static void test_reverse_names(void **state)
{
	struct world *w = *state;
	static const char name[] = "7.113.0.203.in-addr.arpa";
	char given[] = "mail.example.com", none[] = "";
	assert_ok(fixture_commit(w->f, set_reverse_name, given));
	for (unsigned n = ROUTER_A; n <= ROUTER_B; n++)
		check_query(w, n, "127.0.1.10", name, DNS_PTR, 0,
			    "NOERROR aa rd ra; 7.113.0.203.in-addr.arpa. PTR; an 7.113.0.203.in-addr.arpa. "
			    "60 PTR "
			    "mail.example.com.");
	ask(name, DNS_A,
	    "NOERROR aa rd ra; 7.113.0.203.in-addr.arpa. A; ns 7.113.0.203.in-addr.arpa. 60 SOA "
	    "7.113.0.203.in-addr.arpa. hostmaster.7.113.0.203.in-addr.arpa. 1 7200 900 1209600 60");
	assert_int_equal(figures(w).answered, 3);
	assert_ok(fixture_commit(w->f, set_reverse_name, none));
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	send_query(fd, name, DNS_PTR, 0);
	ask_own(w);
	assert_int_equal(figures(w).forwarded, 1);
	(void) close(fd);
}

static RESULT put_balancer(struct op *op, void *arg)
{
	uuid front = port_first_by_instance(op->head, id_of(KIND_INSTANCE, ALPHA + 1))->row.id;
	struct elastic_load_balancer balancer = {.row.id = id_of(KIND_ELASTIC_LOAD_BALANCER, 1),
						 .row.gen = 1,
						 .account = id_of(KIND_ACCOUNT, 1),
						 .name = STR("web"),
						 .router = id_of(KIND_ROUTER, ROUTER_A + 1),
						 .type = ELASTIC_LOAD_BALANCER_TYPE_CLASSIC,
						 .is_internal = true,
						 .fronts = {&front, 1}};
	struct setting domain = {.row.id = id_of(KIND_SETTING, 9),
				 .row.gen = 1,
				 .name = STR("balancers.domain"),
				 .value = str_from(arg)};
	TRY(elastic_load_balancer_put(op, &balancer));
	return setting_put(op, &domain);
}

static RESULT set_dualstack(struct op *op, void *arg)
{
	struct elastic_load_balancer balancer =
		*elastic_load_balancer_find(op->head, id_of(KIND_ELASTIC_LOAD_BALANCER, 1));
	(void) arg;
	balancer.is_dualstack = true;
	return elastic_load_balancer_put(op, &balancer);
}

/* The domain that the operator chose, in the orders of both types, and the standard one for names that clients kept. The region
 * does not deny names of the chosen domain, which may have others. */
static void test_balancers(void **state)
{
	static const char *const domains[] = {"elb.us-west-2.internal", "us-west-2.elb.cloud.example.com",
					      "elb.us-west-2.cloud.example.com"};
	struct world *w = *state;
	char chosen[] = "Cloud.example.com", name[100], expected[400];
	uuid id = id_of(KIND_ELASTIC_LOAD_BALANCER, 1);
	assert_ok(fixture_commit(w->f, put_balancer, chosen));
	for (size_t k = 0; k < sizeof domains / sizeof *domains; k++) {
		snprintf(name, sizeof name, "web-%02x%02x%02x%02x%02x%02x%02x%02x.%s", id.b[0], id.b[1],
			 id.b[2], id.b[3], id.b[4], id.b[5], id.b[6], id.b[7], domains[k]);
		snprintf(expected, sizeof expected, "NOERROR aa rd ra; %s. A; an %s. 60 A 127.0.1.10", name,
			 name);
		ask(name, DNS_A, expected);
	}
	uuid port = first_port_of(w, ALPHA);
	assert_ok(fixture_commit(w->f, add_ipv6, &port));
	snprintf(expected, sizeof expected,
		 "NOERROR aa rd ra; %s. AAAA; ns %s. 60 SOA %s. hostmaster.%s. 1 7200 900 1209600 60", name,
		 domains[2], domains[2], domains[2]);
	ask(name, DNS_AAAA, expected);
	assert_ok(fixture_commit(w->f, set_dualstack, NULL));
	snprintf(expected, sizeof expected, "NOERROR aa rd ra; %s. AAAA; an %s. 60 AAAA 2001:db8::10", name,
		 name);
	ask(name, DNS_AAAA, expected);
	snprintf(name, sizeof name, "other.%s", domains[0]);
	snprintf(expected, sizeof expected,
		 "NXDOMAIN aa rd ra; %s. A; ns %s. 60 SOA %s. hostmaster.%s. 1 7200 900 1209600 60", name,
		 domains[0], domains[0], domains[0]);
	ask(name, DNS_A, expected);
}

/* B asked A for it; A's side is the accepter's. */
static RESULT put_peering(struct op *op, void *arg)
{
	const bool *lets = arg;
	struct peering p = {.row.id = id_of(KIND_PEERING, 1),
			    .row.gen = 1,
			    .account = id_of(KIND_ACCOUNT, 1),
			    .router = id_of(KIND_ROUTER, ROUTER_B + 1),
			    .peer_account = id_of(KIND_ACCOUNT, 1),
			    .peer_router = id_of(KIND_ROUTER, ROUTER_A + 1),
			    .is_accepted = lets[0],
			    .resolves = lets[1],
			    .peer_resolves = lets[2]};
	return peering_put(op, &p);
}

/* Only an accepted peering, whose side that has the name lets the other see it. */
static void test_peers_names(void **state)
{
	static const struct {
		bool lets[3];
		const char *ip;
	} rows[] = {{{false, true, true}, "203.0.113.7"},
		    {{true, true, false}, "203.0.113.7"},
		    {{true, false, true}, "127.0.1.10"}};
	struct world *w = *state;
	for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
		bool lets[3] = {rows[k].lets[0], rows[k].lets[1], rows[k].lets[2]};
		char answer[200];
		assert_ok(fixture_commit(w->f, put_peering, lets));
		snprintf(answer, sizeof answer,
			 "NOERROR aa rd ra; ec2-203-0-113-7" DOMAIN ". A; an ec2-203-0-113-7" DOMAIN
			 ". 60 A %s",
			 rows[k].ip);
		check_query(w, ROUTER_B, "127.0.1.10", "ec2-203-0-113-7" DOMAIN, DNS_A, 0, answer);
	}
}

static RESULT drop_hostnames(struct op *op, void *arg)
{
	struct router router = *router_find(op->head, id_of(KIND_ROUTER, ROUTER_A + 1));
	(void) arg;
	router.dns_hostnames = false;
	return router_put(op, &router);
}

/* Other names are answered, its hosts' are not, whoever asks. */
static void test_no_hostnames(void **state)
{
	struct world *w = *state;
	assert_ok(fixture_commit(w->f, drop_hostnames, NULL));
	ask("ip-127-0-1-11" DOMAIN, DNS_A, "NXDOMAIN aa rd ra; ip-127-0-1-11" DOMAIN ". A; ns " SOA);
	ask("ec2-203-0-113-7" DOMAIN, DNS_A, "NXDOMAIN aa rd ra; ec2-203-0-113-7" DOMAIN ". A; ns " SOA);
	check_query(w, ROUTER_B, "127.0.1.10", "ec2-203-0-113-7" DOMAIN, DNS_A, 0,
		    "NXDOMAIN aa rd ra; ec2-203-0-113-7" DOMAIN ". A; ns " SOA);
	ask("us-west-2.compute.internal", DNS_SOA,
	    "NOERROR aa rd ra; us-west-2.compute.internal. SOA; an " SOA);
}

static void test_unknown_names(void **state)
{
	static const char *const names[] = {
		"nobody" DOMAIN,          "ip-127-0-1-99" DOMAIN,  "a.ip-127-0-1-11" DOMAIN,
		"ip-127-0-1-011" DOMAIN,  "ip-127-0-1" DOMAIN,     "ip-127-0-1-11-" DOMAIN,
		"ip-127-0-1-1111" DOMAIN, "ip--127-0-1-11" DOMAIN, "ip-127-0-1-+11" DOMAIN,
	};
	struct world *w = *state;
	char expected[512];
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		(void) snprintf(expected, sizeof expected, "NXDOMAIN aa rd ra; %s. A; ns " SOA, names[k]);
		ask(names[k], DNS_A, expected);
	}
	ask("99.1.0.127.in-addr.arpa", DNS_PTR,
	    "NXDOMAIN aa rd ra; 99.1.0.127.in-addr.arpa. PTR; ns 1.0.127.in-addr.arpa. 60 SOA "
	    "1.0.127.in-addr.arpa. "
	    "hostmaster.1.0.127.in-addr.arpa. 1 7200 900 1209600 60");
}

static void test_refusals(void **state)
{
	struct world *w = *state;
	ask("us-west-2.compute.internal", DNS_AXFR, "REFUSED rd ra; us-west-2.compute.internal. AXFR");
	check_query(w, ROUTER_C, "127.0.1.10", "ip-127-0-1-10" DOMAIN, DNS_A, 0,
		    "REFUSED rd ra; ip-127-0-1-10" DOMAIN ". A");
	uint8_t bytes[512];
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	size_t size = query_write(bytes, 0x1234, "version.bind", 16, 0);
	bytes[size - 1] = 3; /* CHAOS */
	assert_int_equal(send(fd, bytes, size, 0), size);
	check_answer(fd, "REFUSED rd ra; version.bind. CH TXT");
	size = query_write(bytes, 0x1234, "a.b", DNS_A, 1232);
	bytes[size - 5] = 1; /* EDNS version 1 */
	assert_int_equal(send(fd, bytes, size, 0), size);
	check_answer(fd, "NOERROR rd ra edns=1232 extended=1; a.b. A");
	size = query_write(bytes, 0x1234, "a.b", DNS_A, 0);
	bytes[2] = 4 << 3 | 1; /* NOTIFY */
	assert_int_equal(send(fd, bytes, size, 0), size);
	uint8_t answer[512];
	assert_int_equal(recv(fd, answer, sizeof answer, 0), 12);
	assert_int_equal(answer[2], 0x80 | 4 << 3 | 1);
	assert_int_equal(answer[3], 0x80 | DNS_NOTIMP);
	(void) close(fd);
}

static void test_edns_of_own_names(void **state)
{
	struct world *w = *state;
	check_query(w, ROUTER_A, "127.0.1.10", "ip-127-0-1-11" DOMAIN, DNS_A, 4096,
		    "NOERROR aa rd ra edns=1232; ip-127-0-1-11" DOMAIN ". A; an ip-127-0-1-11" DOMAIN
		    ". 60 A 127.0.1.11");
}

/* ---- access ---- */

static void check_silence(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	assert_int_equal(poll(&p, 1, 100), 0);
}

static void test_strangers_are_not_heard(void **state)
{
	struct world *w = *state;
	int fd = guest(w, ROUTER_A, "127.0.1.99");
	send_query(fd, "ip-127-0-1-11" DOMAIN, DNS_A, 0);
	check_silence(fd);
	(void) close(fd);
	/* known in A only */
	fd = guest(w, ROUTER_B, "127.0.1.11");
	send_query(fd, "ip-127-0-1-10" DOMAIN, DNS_A, 0);
	check_silence(fd);
	(void) close(fd);
	fd = guest_connect("127.0.1.99", SOCK_STREAM, w->tcp_ports[ROUTER_A]);
	uint8_t bytes[512];
	size_t size = query_write(bytes + 2, 0x1234, "ip-127-0-1-11" DOMAIN, DNS_A, 0);
	bytes[0] = 0;
	bytes[1] = (uint8_t) size;
	assert_int_equal(send(fd, bytes, size + 2, 0), size + 2);
	assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 0); /* closed */
	(void) close(fd);
	assert_int_equal(figures(w).strangers, 3);
	assert_int_equal(figures(w).queries, 0);
}

static void test_routers_never_mix(void **state)
{
	struct world *w = *state;
	check_query(w, ROUTER_B, "127.0.1.10", "ip-127-0-1-11" DOMAIN, DNS_A, 0,
		    "NXDOMAIN aa rd ra; ip-127-0-1-11" DOMAIN ". A; ns " SOA);
	check_query(w, ROUTER_B, "127.0.1.10", "ip-127-0-1-10" DOMAIN, DNS_A, 0,
		    "NOERROR aa rd ra; ip-127-0-1-10" DOMAIN ". A; an ip-127-0-1-10" DOMAIN
		    ". 60 A 127.0.1.10");
}

static void test_noise(void **state)
{
	struct world *w = *state;
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	uint8_t bytes[512], answer[512];
	size_t size = query_write(bytes, 0x1234, "a.b", DNS_A, 0);
	bytes[2] |= 0x80; /* answers are not answered */
	(void) send(fd, bytes, size, 0);
	(void) send(fd, bytes, 3, 0);
	(void) send(fd, bytes, 0, 0);
	bytes[2] &= 0x7F;
	(void) send(fd, bytes, size - 2, 0); /* the first to be answered */
	assert_int_equal(recv(fd, answer, sizeof answer, 0), 12);
	assert_int_equal(answer[3] & 15, DNS_FORMERR);
	assert_int_equal(figures(w).malformed, 4);
	random_set_seed(7);
	for (unsigned k = 0; k < 3000; k++) {
		size = query_write(bytes, 0x1234, "ip-127-0-1-11" DOMAIN, DNS_A, 1232);
		for (unsigned n = 0; n < 4; n++)
			bytes[random_below(size)] = (uint8_t) random_u64();
		(void) send(fd, bytes, random_below(size + 1), 0);
		if (k % 50 == 0) /* still there; and not ahead of what it can take */
			ask_own(w);
	}
	random_set_seed(0);
	(void) close(fd);
}

/* ---- names outside ---- */

/* Receives what was passed on; its id is not the guest's. */
static size_t upstream_take(int fd, uint8_t bytes[static 4096], struct sockaddr_in *ret_from)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	socklen_t size = sizeof *ret_from;
	assert_int_equal(poll(&p, 1, 600000), 1);
	ssize_t got = recvfrom(fd, bytes, 4096, 0, (struct sockaddr *) ret_from, &size);
	assert_true(got > 12);
	return (size_t) got;
}

/* Turns a query into an answer with rcode and, when it is 0, an A record of 192.0.2.1. */
static size_t make_answer(uint8_t *bytes, size_t size, unsigned rcode)
{
	static const uint8_t record[] = {0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1};
	bytes[2] |= 0x80;
	bytes[3] = (uint8_t) (0x80 | rcode);
	if (rcode)
		return size;
	bytes[7] = 1;
	memcpy(bytes + size, record, sizeof record);
	return size + sizeof record;
}

static void upstream_say(int fd, const uint8_t *bytes, size_t size, const struct sockaddr_in *to)
{
	assert_int_equal(sendto(fd, bytes, size, 0, (const struct sockaddr *) to, sizeof *to), size);
}

#define EXAMPLE "NOERROR rd ra; www.example.com. A; an www.example.com. 300 A 192.0.2.1"

static void test_forward(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	struct sockaddr_in from;
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	send_query(fd, "www.example.com", DNS_A, 0);
	size_t size = upstream_take(w->upstream_udp[0], bytes, &from);
	check_text(bytes, size, "NOERROR rd; www.example.com. A");
	upstream_say(w->upstream_udp[0], bytes, make_answer(bytes, size, 0), &from);
	check_answer(fd, EXAMPLE);
	/* the reverse of an address outside of the VPC too */
	send_query(fd, "1.2.0.192.in-addr.arpa", DNS_PTR, 0);
	size = upstream_take(w->upstream_udp[0], bytes, &from);
	upstream_say(w->upstream_udp[0], bytes, make_answer(bytes, size, DNS_NXDOMAIN), &from);
	check_answer(fd, "NXDOMAIN rd ra; 1.2.0.192.in-addr.arpa. PTR");
	(void) close(fd);
	struct dns_figures now = figures(w);
	assert_int_equal(now.forwarded, 2);
	assert_int_equal(now.relayed, 2);
	assert_int_equal(now.failed, 0);
}

/* The operator's domain for load balancers may have other names, which the region must not deny. */
static void test_forward_in_chosen_domain(void **state)
{
	static const char *const names[] = {"us-west-2.elb.cloud.example.com",
					    "other.us-west-2.elb.cloud.example.com",
					    "other.elb.us-west-2.cloud.example.com"};
	struct world *w = *state;
	char chosen[] = "cloud.example.com", expected[200];
	uint8_t bytes[4096];
	struct sockaddr_in from;
	assert_ok(fixture_commit(w->f, put_balancer, chosen));
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	for (size_t k = 0; k < sizeof names / sizeof *names; k++) {
		send_query(fd, names[k], DNS_A, 0);
		size_t size = upstream_take(w->upstream_udp[0], bytes, &from);
		upstream_say(w->upstream_udp[0], bytes, make_answer(bytes, size, 0), &from);
		snprintf(expected, sizeof expected, "NOERROR rd ra; %s. A; an %s. 300 A 192.0.2.1", names[k],
			 names[k]);
		check_answer(fd, expected);
	}
	(void) close(fd);
}

/* Neither a wrong id nor another question is believed; the right answer still is. */
static void test_forged_answers(void **state)
{
	struct world *w = *state;
	static uint8_t bytes[4096], forged[4096];
	struct sockaddr_in from;
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	send_query(fd, "www.example.com", DNS_A, 0);
	size_t size = upstream_take(w->upstream_udp[0], bytes, &from),
	       answer_size = make_answer(bytes, size, 0);
	memcpy(forged, bytes, answer_size);
	forged[1] ^= 1;
	upstream_say(w->upstream_udp[0], forged, answer_size, &from);
	memcpy(forged, bytes, answer_size);
	forged[14] ^= 1;
	upstream_say(w->upstream_udp[0], forged, answer_size, &from);
	upstream_say(w->upstream_udp[1], bytes, answer_size, &from); /* from elsewhere */
	upstream_say(w->upstream_udp[0], forged, 5, &from);
	check_silence(fd);
	upstream_say(w->upstream_udp[0], bytes, answer_size, &from);
	check_answer(fd, EXAMPLE);
	(void) close(fd);
}

/* The server's thread answers queries before it checks timeouts. figures() waits for the server's lock, and
 * therefore until the check is done. */
static void let_pass(struct world *w, int64_t us)
{
	ask_own(w);
	(void) figures(w);
	clock_advance_us(us);
	ask_own(w); /* wakes it */
	(void) figures(w);
}

static void test_timeouts(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	struct sockaddr_in from;
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	send_query(fd, "www.example.com", DNS_A, 0);
	(void) upstream_take(w->upstream_udp[0], bytes, &from);
	let_pass(w, SECOND);
	check_silence(w->upstream_udp[1]);
	let_pass(w, SECOND);
	size_t size = upstream_take(w->upstream_udp[1], bytes, &from);
	upstream_say(w->upstream_udp[1], bytes, make_answer(bytes, size, 0), &from);
	check_answer(fd, EXAMPLE);
	/* and without any upstream's answer */
	send_query(fd, "www.example.com", DNS_A, 1400);
	(void) upstream_take(w->upstream_udp[0], bytes, &from);
	let_pass(w, 2 * SECOND);
	(void) upstream_take(w->upstream_udp[1], bytes, &from);
	let_pass(w, 2 * SECOND);
	check_answer(fd, "SERVFAIL rd ra edns=1232; www.example.com. A");
	assert_int_equal(figures(w).failed, 1);
	(void) close(fd);
}

static void test_upstream_that_fails(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	struct sockaddr_in from;
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	send_query(fd, "www.example.com", DNS_A, 0);
	size_t size = upstream_take(w->upstream_udp[0], bytes, &from);
	upstream_say(w->upstream_udp[0], bytes, make_answer(bytes, size, DNS_SERVFAIL), &from);
	size = upstream_take(w->upstream_udp[1], bytes, &from);
	upstream_say(w->upstream_udp[1], bytes, make_answer(bytes, size, DNS_REFUSED), &from);
	check_answer(fd, "REFUSED rd ra; www.example.com. A");
	/* one that is not there is known at once */
	(void) close(w->upstream_udp[0]);
	send_query(fd, "www.example.com", DNS_A, 0);
	size = upstream_take(w->upstream_udp[1], bytes, &from);
	upstream_say(w->upstream_udp[1], bytes, make_answer(bytes, size, 0), &from);
	check_answer(fd, EXAMPLE);
	w->upstream_udp[0] = -1;
	(void) close(fd);
}

static void test_limit_per_source(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	struct sockaddr_in from;
	int fd = guest(w, ROUTER_A, "127.0.1.10"), other = guest(w, ROUTER_A, "127.0.1.11");
	for (unsigned k = 0; k < FORWARDS_PER_SOURCE_MAX; k++) {
		send_query(fd, "www.example.com", DNS_A, 0);
		(void) upstream_take(w->upstream_udp[0], bytes, &from);
	}
	send_query(fd, "www.example.com", DNS_A, 0);
	check_answer(fd, "SERVFAIL rd ra; www.example.com. A");
	send_query(other, "www.example.com", DNS_A, 0);
	size_t size = upstream_take(w->upstream_udp[0], bytes, &from);
	upstream_say(w->upstream_udp[0], bytes, make_answer(bytes, size, 0), &from);
	check_answer(other, EXAMPLE);
	let_pass(w, 2 * SECOND);
	let_pass(w, 2 * SECOND);
	assert_int_equal(figures(w).failed, 1 + FORWARDS_PER_SOURCE_MAX);
	(void) close(fd);
	(void) close(other);
}

/* ---- truncation and TCP ---- */

/* Makes an answer with the given count of records. */
static size_t make_long_answer(uint8_t *bytes, size_t size, unsigned records)
{
	static const uint8_t record[] = {0xC0, 12, 0, 1, 0, 1, 0, 0, 1, 44, 0, 4, 192, 0, 2, 1};
	bytes[2] |= 0x80;
	bytes[3] = 0x80;
	bytes[6] = (uint8_t) (records >> 8);
	bytes[7] = (uint8_t) records;
	for (unsigned k = 0; k < records; k++, size += sizeof record)
		memcpy(bytes + size, record, sizeof record);
	return size;
}

static void test_truncation(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	struct sockaddr_in from;
	int fd = guest(w, ROUTER_A, "127.0.1.10");
	send_query(fd, "www.example.com", DNS_A, 0);
	size_t size = upstream_take(w->upstream_udp[0], bytes, &from);
	upstream_say(w->upstream_udp[0], bytes, make_long_answer(bytes, size, 40), &from);
	check_answer(fd, "NOERROR tc rd ra; www.example.com. A");
	(void) close(fd);
}

static void send_tcp(int fd, uint16_t id, const char *name)
{
	uint8_t bytes[512];
	size_t size = query_write(bytes + 2, id, name, DNS_A, 0);
	bytes[0] = 0;
	bytes[1] = (uint8_t) size;
	/* in two pieces: a stream has no packets */
	assert_int_equal(send(fd, bytes, 5, 0), 5);
	assert_int_equal(send(fd, bytes + 5, size - 3, 0), size - 3);
}

static size_t receive_tcp(int fd, uint8_t *bytes, size_t capacity)
{
	uint8_t length[2];
	assert_int_equal(recv(fd, length, 2, MSG_WAITALL), 2);
	size_t size = (size_t) (length[0] << 8 | length[1]);
	assert_true(size <= capacity);
	assert_int_equal(recv(fd, bytes, size, MSG_WAITALL), size);
	return size;
}

static void test_tcp_own_names(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	int fd = guest_connect("127.0.1.10", SOCK_STREAM, w->tcp_ports[ROUTER_A]);
	for (uint16_t k = 0; k < 3; k++)
		send_tcp(fd, k, k == 1 ? "nobody" DOMAIN : "ip-127-0-1-11" DOMAIN);
	for (uint16_t k = 0; k < 3; k++) {
		size_t size = receive_tcp(fd, bytes, sizeof bytes);
		assert_int_equal(bytes[1], k);
		check_text(bytes, size,
			   k == 1 ? "NXDOMAIN aa rd ra; nobody" DOMAIN ". A; ns " SOA
				  : "NOERROR aa rd ra; ip-127-0-1-11" DOMAIN ". A; an ip-127-0-1-11" DOMAIN
				    ". 60 A 127.0.1.11");
	}
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 0);
	(void) close(fd);
}

/* A guest that reads late gets all answers: the responder waits while the connection takes no more. Small segments
 * and a small window make the kernel's buffers smaller than the answers. */
static void test_tcp_late_reader(void **state)
{
	enum { QUERIES = 2000, SEGMENT = 536, WINDOW = 4096 };
	struct world *w = *state;
	uint8_t bytes[512];
	struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = inet_addr("127.0.1.10")},
			   to = {.sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				 .sin_port = htons(w->tcp_ports[ROUTER_A])};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), segment = SEGMENT, window = WINDOW;
	struct timeval limit = {.tv_sec = 600}; /* a bound against hanging */
	assert_int_equal(setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &window, sizeof window), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *) &from, sizeof from), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *) &to, sizeof to), 0);
	for (uint16_t k = 0; k < QUERIES; k++)
		send_tcp(fd, k, "ip-127-0-1-11" DOMAIN);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	for (uint16_t k = 0; k < QUERIES; k++) {
		(void) receive_tcp(fd, bytes, sizeof bytes);
		assert_int_equal(bytes[0] << 8 | bytes[1], k);
	}
	assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 0);
	(void) close(fd);
}

/* A query over TCP is forwarded over TCP, and its answer is not truncated. */
static void test_tcp_forward(void **state)
{
	struct world *w = *state;
	static uint8_t bytes[65536];
	int fd = guest_connect("127.0.1.10", SOCK_STREAM, w->tcp_ports[ROUTER_A]);
	send_tcp(fd, 0x1234, "www.example.com");
	assert_int_equal(shutdown(fd, SHUT_WR), 0); /* it has said all, and still gets its answer */
	int up = accept(w->upstream_tcp, NULL, NULL);
	assert_true(up >= 0);
	size_t size = make_long_answer(bytes + 2, receive_tcp(up, bytes + 2, 512), 3000);
	bytes[0] = (uint8_t) (size >> 8);
	bytes[1] = (uint8_t) size;
	assert_int_equal(send(up, bytes, size + 2, 0), size + 2);
	assert_int_equal(receive_tcp(fd, bytes, sizeof bytes), size);
	assert_int_equal(bytes[0] << 8 | bytes[1], 0x1234);
	assert_int_equal(recv(fd, bytes, sizeof bytes, 0), 0);
	(void) close(up);
	(void) close(fd);
}

/* The first upstream hangs up: the second does not listen on TCP, so it fails. */
static void test_tcp_upstream_breaks(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	int fd = guest_connect("127.0.1.10", SOCK_STREAM, w->tcp_ports[ROUTER_A]);
	send_tcp(fd, 0x1234, "www.example.com");
	int up = accept(w->upstream_tcp, NULL, NULL);
	assert_true(up >= 0);
	(void) receive_tcp(up, bytes, 512);
	(void) close(up);
	size_t size = receive_tcp(fd, bytes, sizeof bytes);
	check_text(bytes, size, "SERVFAIL rd ra; www.example.com. A");
	(void) close(fd);
}

static void test_tcp_limits(void **state)
{
	struct world *w = *state;
	uint8_t bytes[512] = {0xFF, 0xFF};
	int fds[CLIENTS_PER_SOURCE_MAX + 1];
	for (unsigned k = 0; k <= CLIENTS_PER_SOURCE_MAX; k++)
		fds[k] = guest_connect("127.0.1.10", SOCK_STREAM, w->tcp_ports[ROUTER_A]);
	assert_int_equal(recv(fds[CLIENTS_PER_SOURCE_MAX], bytes, sizeof bytes, 0), 0); /* one too many */
	bytes[0] = bytes[1] = 0xFF;
	assert_int_equal(send(fds[0], bytes, 2, 0), 2); /* too long a query */
	assert_int_equal(recv(fds[0], bytes, sizeof bytes, 0), 0);
	let_pass(w, 11 * SECOND); /* the other upstreams do not answer in time */
	for (unsigned k = 1; k < CLIENTS_PER_SOURCE_MAX; k++)
		assert_int_equal(recv(fds[k], bytes, sizeof bytes, 0), 0);
	for (unsigned k = 0; k <= CLIENTS_PER_SOURCE_MAX; k++)
		(void) close(fds[k]);
}

/* ---- places that go ---- */

static void test_place_goes(void **state)
{
	struct world *w = *state;
	uint8_t bytes[4096];
	struct sockaddr_in from;
	int udp = guest(w, ROUTER_A, "127.0.1.10"),
	    tcp = guest_connect("127.0.1.10", SOCK_STREAM, w->tcp_ports[ROUTER_A]);
	send_query(udp, "www.example.com", DNS_A, 0);
	size_t size = upstream_take(w->upstream_udp[0], bytes, &from);
	send_tcp(tcp, 1, "www.example.com");
	int up = accept(w->upstream_tcp, NULL, NULL);
	dns_remove_place(w->dns, w->places[ROUTER_A]);
	upstream_say(w->upstream_udp[0], bytes, make_answer(bytes, size, 0), &from); /* no query is open */
	assert_true(recv(tcp, bytes, sizeof bytes, 0) <= 0);
	assert_true(recv(up, bytes, sizeof bytes, 0) >= 0);
	check_query(w, ROUTER_B, "127.0.1.10", "ip-127-0-1-10" DOMAIN, DNS_A, 0,
		    "NOERROR aa rd ra; ip-127-0-1-10" DOMAIN ". A; an ip-127-0-1-10" DOMAIN
		    ". 60 A 127.0.1.10");
	(void) close(up);
	(void) close(udp);
	(void) close(tcp);
}

/* ---- configuration ---- */

static void test_upstreams(void **state)
{
	struct world *w = *state;
	struct dns_upstreams list;
	struct str good[] = {STR("198.51.100.53"),    STR("198.51.100.54:5353"), STR("2001:db8::1"),
			     STR("[2001:db8::2]:54"), STR("[2001:db8::3]"),      STR("169.254.169.253")};
	assert_ok(dns_read_upstreams(&w->f->c, (struct strs){good, 6}, &list));
	assert_int_equal(list.count, 5); /* the last is ourselves */
	static const uint16_t ports[] = {53, 5353, 53, 54, 53};
	for (size_t k = 0; k < 5; k++)
		assert_int_equal(ntohs(k < 2 ? list.at[k].to.in.sin_port : list.at[k].to.in6.sin6_port),
				 ports[k]);
	assert_int_equal(list.at[3].to.any.sa_family, AF_INET6);
	static const char *const bad[] = {"",     "dns.example.com", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:99999",
					  "[::1", "[::1]53",         "1.2.3",    ":53"};
	for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
		struct str text = str_from(bad[k]);
		if (k == 2) /* an empty port is the usual one */
			continue;
		assert_err(dns_read_upstreams(&w->f->c, (struct strs){&text, 1}, &list), INVALID);
	}
	dns_parse_resolv_conf(
		STR("# x\nsearch a b\nnameserver 192.0.2.1\n nameserver\t192.0.2.2 \nnameserver "
		    "fe80::1%eth0\n"
		    "nameservers 192.0.2.3\nnameserver 169.254.169.253\nnameserver 2001:db8::5"),
		&list);
	assert_int_equal(list.count, 3);
	assert_int_equal(ntohl(list.at[1].to.in.sin_addr.s_addr), 0xC0000202);
	assert_int_equal(list.at[2].to.any.sa_family, AF_INET6);
}

#define dns_test(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		dns_test(test_own_names),
		dns_test(test_public_names),
		dns_test(test_reverse_names),
		dns_test(test_names_of_ids),
		dns_test(test_peers_names),
		dns_test(test_no_hostnames),
		dns_test(test_unknown_names),
		dns_test(test_refusals),
		dns_test(test_edns_of_own_names),
		dns_test(test_strangers_are_not_heard),
		dns_test(test_routers_never_mix),
		dns_test(test_noise),
		dns_test(test_forward),
		dns_test(test_forged_answers),
		dns_test(test_forward_in_chosen_domain),
		dns_test(test_timeouts),
		dns_test(test_upstream_that_fails),
		dns_test(test_limit_per_source),
		dns_test(test_truncation),
		dns_test(test_tcp_own_names),
		dns_test(test_tcp_late_reader),
		dns_test(test_tcp_forward),
		dns_test(test_tcp_upstream_breaks),
		dns_test(test_tcp_limits),
		dns_test(test_place_goes),
		dns_test(test_upstreams),
		dns_test(test_balancers),
	};
	return cmocka_run_group_tests_name("dns", tests, NULL, NULL);
}
