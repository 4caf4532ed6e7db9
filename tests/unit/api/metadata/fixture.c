/* SPDX-License-Identifier: Apache-2.0
 * Rows for the metadata service's tests, and guests on loopback addresses. */
#include "fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/heap.h"
#include "base/log.h"
#include "store/account.h"
#include "store/address.h"
#include "store/external_network.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_event.h"
#include "store/instance_type.h"
#include "store/network.h"
#include "store/port.h"
#include "store/router.h"
#include "store/secondary_ip.h"
#include "store/security_group.h"
#include "store/setting.h"
#include "store/sql.h"
#include "store/subnet.h"
#include "store/volume.h"
#include "store/zone.h"

const uint8_t fixture_master_key[MASTER_KEY_SIZE] = {7};

int ttls_set[16];
unsigned ttl_count;

int __real_setsockopt(int fd, int level, int name, const void *value, unsigned size);

int __wrap_setsockopt(int fd, int level, int name, const void *value, unsigned size)
{
	if (level == IPPROTO_IP && name == IP_TTL && ttl_count < 16)
		memcpy(&ttls_set[ttl_count++], value, sizeof(int));
	return __real_setsockopt(fd, level, name, value, size);
}

/* ---- rows ---- */

/* The kind's number is not in it: it changes with the schema. */
uuid id_of(enum kind kind, unsigned n)
{
	const char *name = model_kinds[kind].name;
	uuid id = {{0xec, 0x2a, (uint8_t) name[0], (uint8_t) name[1], (uint8_t) n, 0x11, 0x47, 0x22, 0x83,
		    0x33, 0x44, 0x55, 0x66, (uint8_t) n, (uint8_t) strlen(name), 0x77}};
	return id;
}

struct ip ip_of(const char *text)
{
	struct ip ip = {0};
	assert_ok(ip_parse(str_from(text), &ip));
	return ip;
}

static struct cidr cidr_of(const char *text)
{
	struct cidr block = {0};
	assert_ok(cidr_parse(str_from(text), &block));
	return block;
}

static RESULT put_region(struct op *op)
{
	struct setting name = {
		.row.id = id_of(KIND_SETTING, 1), .name = STR("region.name"), .value = STR("us-west-2")};
	TRY(setting_put(op, &name));
	struct account account = {
		.row.id = id_of(KIND_ACCOUNT, 1), .name = STR("alice"), .number = STR("123456789012")};
	TRY(account_put(op, &account));
	struct zone zone = {
		.row.id = id_of(KIND_ZONE, 1), .name = STR("us-west-2a"), .short_id = STR("usw2-az1")};
	TRY(zone_put(op, &zone));
	struct instance_type type = {.row.id = id_of(KIND_INSTANCE_TYPE, 1), .name = STR("t3.micro")};
	TRY(instance_type_put(op, &type));
	struct image image = {.row.id = id_of(KIND_IMAGE, 1), .name = STR("tiny"), .arch = IMAGE_ARCH_X86_64};
	return image_put(op, &image);
}

static RESULT put_router(struct op *op, unsigned n)
{
	static const char *const blocks[ROUTER_COUNT][2] = {{"127.0.0.0/16", "127.9.0.0/16"},
							    {"127.0.0.0/16", NULL}};
	struct cidr block[2];
	size_t count = 0;
	for (; count < 2 && blocks[n][count]; count++)
		block[count] = cidr_of(blocks[n][count]);
	struct router router = {.row.id = id_of(KIND_ROUTER, n + 1),
				.account = id_of(KIND_ACCOUNT, 1),
				.blocks = {block, count},
				.dns_support = n != ROUTER_C,
				.dns_hostnames = true,
				.metadata_mark = n + 1};
	TRY(router_put(op, &router));
	struct subnet subnet = {.row.id = id_of(KIND_SUBNET, n + 1),
				.account = id_of(KIND_ACCOUNT, 1),
				.router = router.row.id,
				.zone = id_of(KIND_ZONE, 1),
				.block = cidr_of("127.0.1.0/24")};
	TRY(subnet_put(op, &subnet));
	struct security_group group = {.row.id = id_of(KIND_SECURITY_GROUP, 2 * n + 1),
				       .router = router.row.id,
				       .account = id_of(KIND_ACCOUNT, 1),
				       .name = STR("default")};
	TRY(security_group_put(op, &group));
	group.row.id = id_of(KIND_SECURITY_GROUP, 2 * n + 2);
	group.name = STR("web");
	return security_group_put(op, &group);
}

struct port_wish {
	unsigned n, router;
	const char *ip;
	uuid instance;
	int64_t number;
};

static RESULT put_port(struct op *op, void *arg)
{
	const struct port_wish *w = arg;
	uuid groups[2] = {id_of(KIND_SECURITY_GROUP, 2 * w->router + 1),
			  id_of(KIND_SECURITY_GROUP, 2 * w->router + 2)};
	struct port port = {.row.id = id_of(KIND_PORT, w->n),
			    .account = id_of(KIND_ACCOUNT, 1),
			    .subnet = id_of(KIND_SUBNET, w->router + 1),
			    .router = id_of(KIND_ROUTER, w->router + 1),
			    .mac = {{0x02, 0, 0, 0, 0, (uint8_t) w->n}},
			    .ip = ip_of(w->ip),
			    .groups = {groups, w->number ? 1 : 2},
			    .instance = w->instance,
			    .device_index = w->number};
	return port_put(op, &port);
}

void fixture_put_port(struct fixture *f, unsigned n, unsigned router, const char *ip, uuid instance,
		      int64_t number)
{
	struct port_wish wish = {n, router, ip, instance, number};
	assert_ok(fixture_commit(f, put_port, &wish));
}

struct unrouted_wish {
	bool no_dhcp;
	uuid router;
};

static RESULT put_unrouted(struct op *op, void *arg)
{
	const struct unrouted_wish *w = arg;
	struct network network = {.row.id = id_of(KIND_NETWORK, 7), .account = id_of(KIND_ACCOUNT, 1)};
	TRY(network_put(op, &network));
	struct subnet subnet = {.row.id = id_of(KIND_SUBNET, 70),
				.account = id_of(KIND_ACCOUNT, 1),
				.network = network.row.id,
				.router = w->router,
				.no_dhcp = w->no_dhcp,
				.block = cidr_of("127.0.7.0/24")};
	TRY(subnet_put(op, &subnet));
	struct port port = {.row.id = id_of(KIND_PORT, 70),
			    .account = id_of(KIND_ACCOUNT, 1),
			    .network = network.row.id,
			    .subnet = subnet.row.id,
			    .router = w->router,
			    .mac = {{0x02, 0, 0, 0, 0, 70}},
			    .ip = ip_of("127.0.7.10"),
			    .instance = id_of(KIND_INSTANCE, ALPHA + 1),
			    .device_index = 2};
	return port_put(op, &port);
}

void fixture_put_unrouted(struct fixture *f, bool no_dhcp, uuid router)
{
	struct unrouted_wish wish = {no_dhcp, router};
	assert_ok(fixture_commit(f, put_unrouted, &wish));
}

/* A port with a public address is in use by it. */
RESULT fixture_forget_addresses(struct op *op, uuid port)
{
	for (const struct address *a; (a = address_first_by_port(op->head, port));)
		TRY(address_forget(op, a->row.id));
	return OK;
}

static RESULT delete_port(struct op *op, void *arg)
{
	TRY(fixture_forget_addresses(op, *(const uuid *) arg));
	return port_delete(op, *(const uuid *) arg);
}

static RESULT forget_port(struct op *op, void *arg)
{
	TRY(fixture_forget_addresses(op, *(const uuid *) arg));
	return port_forget(op, *(const uuid *) arg);
}

void fixture_delete_port(struct fixture *f, unsigned n, bool forget)
{
	uuid id = id_of(KIND_PORT, n);
	assert_ok(fixture_commit(f, forget ? forget_port : delete_port, &id));
}

static RESULT put_volume(struct op *op, unsigned n, int64_t device_slot, const char *device)
{
	struct volume volume = {.row.id = id_of(KIND_VOLUME, n),
				.account = id_of(KIND_ACCOUNT, 1),
				.instance = id_of(KIND_INSTANCE, ALPHA + 1),
				.device_slot = device_slot,
				.device = str_from(device)};
	return volume_put(op, &volume);
}

static RESULT put_alpha_parts(struct op *op)
{
	struct external_network network = {.row.id = id_of(KIND_EXTERNAL_NETWORK, 1),
					   .name = STR("internet")};
	TRY(external_network_put(op, &network));
	struct address address = {.row.id = id_of(KIND_ADDRESS, 1),
				  .account = id_of(KIND_ACCOUNT, 1),
				  .external_network = id_of(KIND_EXTERNAL_NETWORK, 1),
				  .ip = ip_of("203.0.113.7"),
				  .port = id_of(KIND_PORT, 1),
				  .private_ip = ip_of("127.0.1.10")};
	TRY(address_put(op, &address));
	struct secondary_ip secondary = {.row.id = id_of(KIND_SECONDARY_IP, 1),
					 .account = id_of(KIND_ACCOUNT, 1),
					 .port = id_of(KIND_PORT, 1),
					 .subnet = id_of(KIND_SUBNET, ROUTER_A + 1),
					 .router = id_of(KIND_ROUTER, ROUTER_A + 1),
					 .ip = ip_of("127.0.1.30")};
	TRY(secondary_ip_put(op, &secondary));
	address.row.id = id_of(KIND_ADDRESS, 2);
	address.ip = ip_of("203.0.113.8");
	address.private_ip = secondary.ip;
	TRY(address_put(op, &address));
	TRY(put_volume(op, 1, 0, "/dev/xvda"));
	TRY(put_volume(op, 2, 1, "/dev/sdf"));
	struct port_wish second = {2, ROUTER_A, "127.0.1.20", id_of(KIND_INSTANCE, ALPHA + 1), 1};
	TRY(put_port(op, &second));
	struct port_wish bare = {9, ROUTER_A, "127.0.1.13", UUID_NONE, 0};
	return put_port(op, &bare);
}

static RESULT put_instance(struct op *op, unsigned n)
{
	static const struct {
		unsigned router;
		const char *ip;
	} where[INSTANCE_COUNT] = {[ALPHA] = {ROUTER_A, "127.0.1.10"},
				   [BETA] = {ROUTER_A, "127.0.1.11"},
				   [GAMMA] = {ROUTER_A, "127.0.1.12"},
				   [DELTA] = {ROUTER_B, "127.0.1.10"},
				   [EPSILON] = {ROUTER_C, "127.0.1.10"}};
	static const struct tag tags[] = {{{"Name", 4}, {"alpha", 5}},
					  {{"has space", 9}, {"hidden", 6}},
					  {{"team+a:b", 8}, {"blue", 4}}};
	struct instance i = {.row.id = id_of(KIND_INSTANCE, n + 1),
			     .account = id_of(KIND_ACCOUNT, 1),
			     .reservation = id_of(KIND_INSTANCE, 0x90 + n),
			     .image = id_of(KIND_IMAGE, 1),
			     .type = id_of(KIND_INSTANCE_TYPE, 1),
			     .zone = id_of(KIND_ZONE, 1),
			     .router = id_of(KIND_ROUTER, where[n].router + 1),
			     .metadata_enabled = n != GAMMA,
			     .metadata_tokens_required = n == BETA,
			     .metadata_hop_limit = n == BETA ? 3 : 1,
			     .launched_us = INT64_C(1479573131) * SECOND};
	if (n == ALPHA) {
		i.launch_index = 4;
		i.key_name = STR("my key");
		i.public_key = STR("ssh-ed25519 AAAAC3Nza old-comment");
		i.user_data = STR("#!/bin/sh\necho \xff\n");
		i.metadata_tags = true;
		i.tags = (struct tags){tags, 3};
	}
	TRY(instance_put(op, &i));
	struct port_wish port = {n == ALPHA ? 1 : n + 2, where[n].router, where[n].ip, i.row.id, 0};
	return put_port(op, &port);
}

static RESULT put_event(struct op *op)
{
	struct instance_event event = {.row.id = id_of(KIND_INSTANCE_EVENT, 1),
				       .account = id_of(KIND_ACCOUNT, 1),
				       .instance = id_of(KIND_INSTANCE, ALPHA + 1),
				       .code = INSTANCE_EVENT_CODE_SYSTEM_REBOOT,
				       .description = STR("New \"fans\""),
				       .not_before_us = INT64_C(1548061243) * SECOND,
				       .not_after_us = INT64_C(1548062243) * SECOND};
	return instance_event_put(op, &event);
}

static RESULT put_all(struct op *op, void *arg)
{
	(void) arg;
	TRY(put_region(op));
	for (unsigned n = 0; n < ROUTER_COUNT; n++)
		TRY(put_router(op, n));
	for (unsigned n = 0; n < INSTANCE_COUNT; n++)
		TRY(put_instance(op, n));
	TRY(put_event(op));
	return put_alpha_parts(op);
}

struct edit {
	unsigned n;
	void (*instance)(struct instance *i);
	void (*router)(struct router *r);
};

static RESULT edit_row(struct op *op, void *arg)
{
	const struct edit *e = arg;
	if (e->instance) {
		struct instance i = *instance_find(op->head, id_of(KIND_INSTANCE, e->n + 1));
		e->instance(&i);
		return instance_put(op, &i);
	}
	struct router r = *router_find(op->head, id_of(KIND_ROUTER, e->n + 1));
	e->router(&r);
	return router_put(op, &r);
}

void fixture_edit_instance(struct fixture *f, unsigned n, void (*edit)(struct instance *i))
{
	struct edit e = {.n = n, .instance = edit};
	assert_ok(fixture_commit(f, edit_row, &e));
}

void fixture_edit_router(struct fixture *f, unsigned n, void (*edit)(struct router *r))
{
	struct edit e = {.n = n, .router = edit};
	assert_ok(fixture_commit(f, edit_row, &e));
}

RESULT fixture_commit(struct fixture *f, op_run run, void *arg)
{
	return store_commit(f->store, &f->c, "test", run, arg);
}

/* ---- life ---- */

int fixture_setup(void **state)
{
	struct fixture *f = heap_new(struct fixture);
	struct sql_driver *sql = NULL;
	log_set_level(LOG_ERROR);
	ttl_count = 0;
	f->arena = arena_new(ARENA_FIRST_SIZE, ARENA_REQUEST_CAP);
	ctx_init(&f->c, f->arena);
	f->executor = executor_new_threads();
	assert_ok(sqlite_open(&f->c, ":memory:", &sql));
	assert_ok(store_open(&f->c, &(struct store_config){.executor = f->executor, .sql = sql}, &f->store));
	assert_ok(fixture_commit(f, put_all, NULL));
	*state = f;
	return 0;
}

int fixture_setup_web(void **state)
{
	(void) fixture_setup(state);
	struct fixture *f = *state;
	const struct sigv4_config sigv4 = {
		.store = f->store, .master_key = fixture_master_key, .region = STR("us-west-2")};
	assert_ok(sigv4_new(&f->c, &sigv4, &f->sigv4));
	const struct bearers_config bearers = {.store = f->store, .sigv4 = f->sigv4, .lifetime_us = HOUR};
	assert_ok(bearers_new(&f->c, &bearers, &f->bearers));
	assert_ok(http_server_new(&f->c, &(struct http_config){.thread_count = 2}, &f->http));
	struct metadata_config config = {.executor = f->executor,
					 .store = f->store,
					 .http = f->http,
					 .sigv4 = f->sigv4,
					 .bearers = f->bearers,
					 .master_key = fixture_master_key,
					 .token_key = {1, 2, 3}};
	assert_ok(metadata_new(&f->c, &config, &f->metadata));
	metadata_start(f->metadata);
	for (unsigned n = 0; n < ROUTER_COUNT; n++) {
		f->places[n].router = id_of(KIND_ROUTER, n + 1);
		struct http_where where = {.ip = ip_of("127.0.0.1"), .tag = &f->places[n]};
		assert_ok(http_listen(f->http, &f->c, &metadata_http_face, f->metadata, &where,
				      &f->places[n].web));
		f->web_ports[n] = http_listener_port(f->places[n].web);
	}
	struct http_where where = {.ip = ip_of("127.0.0.1"), .tag = &f->places[ROUTER_A]};
	assert_ok(http_listen(f->http, &f->c, &metadata_wire_http_face, f->metadata, &where,
			      &f->places[ROUTER_A].wire));
	f->wire_port = http_listener_port(f->places[ROUTER_A].wire);
	return 0;
}

int fixture_teardown(void **state)
{
	struct fixture *f = *state;
	for (unsigned n = 0; n < ROUTER_COUNT; n++)
		if (f->places[n].web)
			http_unlisten(f->http, f->places[n].web);
	if (f->places[ROUTER_A].wire)
		http_unlisten(f->http, f->places[ROUTER_A].wire);
	metadata_free(f->metadata);
	bearers_free(f->bearers);
	sigv4_free(f->sigv4);
	http_server_free(f->http);
	store_close(f->store);
	executor_free(f->executor);
	arena_free(f->arena);
	heap_free(f);
	return 0;
}

/* ---- guests ---- */

static struct sockaddr_in socket_address(const char *ip, uint16_t port)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons(port)};
	assert_int_equal(inet_pton(AF_INET, ip, &at.sin_addr), 1);
	return at;
}

int guest_connect(const char *from, int type, uint16_t port)
{
	struct sockaddr_in source = socket_address(from, 0), to = socket_address("127.0.0.1", port);
	/* The first token of a process waits for a key of RSA, which takes a busy machine its time; what is lost of UDP stays lost. */
	struct timeval limit = {.tv_sec = type == SOCK_STREAM ? 60 : 5};
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
	assert_true(fd >= 0);
	(void) __real_setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	assert_int_equal(bind(fd, (const struct sockaddr *) &source, sizeof source), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *) &to, sizeof to), 0);
	return fd;
}

struct reply guest_ask(struct fixture *f, unsigned router, const char *from, const char *method,
		       const char *path, const char *headers)
{
	struct client client = {.fd = guest_connect(from, SOCK_STREAM, f->web_ports[router]),
				.arena = f->arena};
	struct str request = str_print(f->arena, "%s %s HTTP/1.1\r\nHost: 169.254.169.254\r\n%s\r\n", method,
				       path, headers);
	assert_true(client_send(&client, request));
	struct reply r = strcmp(method, "HEAD") == 0 ? client_read_headless(&client) : client_read(&client);
	client_close(&client);
	return r;
}

struct reply guest_ask_wire(struct fixture *f, const char *from, const char *method, const char *path,
			    const char *headers, const char *body)
{
	struct client client = {.fd = guest_connect(from, SOCK_STREAM, f->wire_port), .arena = f->arena};
	struct str request = str_print(f->arena,
				       "%s %s HTTP/1.1\r\nHost: 168.63.129.16\r\nx-ms-version: 2012-11-30\r\n"
				       "Content-Length: %zu\r\n%s\r\n%s",
				       method, path, strlen(body), headers, body);
	assert_true(client_send(&client, request));
	struct reply r = client_read(&client);
	client_close(&client);
	return r;
}
