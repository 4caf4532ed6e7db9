/* SPDX-License-Identifier: Apache-2.0
 * The service's network attachments follow the rows: plugged with a router's first port, unplugged with the
 * last, and retried if the network is not ready. */
#include "fixture.h"
#include "store/port.h"
#include "store/router.h"
#include "store/security_group.h"
#include "store/subnet.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_plugs.h"
#include "model/id.h"
#include "query.h"

#define WAIT_UNTIL(expression)                                                                               \
	do {                                                                                                 \
		for (int wait_ = 0; !(expression) && wait_ < 120000; wait_++)                                \
			(void) poll(NULL, 0, 5);                                                             \
		assert_true(expression);                                                                     \
	} while (0)

static int setup(void **state)
{
	(void) fixture_setup(state);
	struct fixture *f = *state;
	fake_plugs_reset(0);
	assert_ok(http_server_new(&f->c, &(struct http_config){.thread_count = 1}, &f->http));
	return 0;
}

static void start(struct fixture *f, struct plugs *plugs)
{
	struct metadata_config config = {.executor = f->executor,
					 .store = f->store,
					 .http = f->http,
					 .plugs = plugs,
					 .token_key = {1}};
	assert_ok(metadata_new(&f->c, &config, &f->metadata));
	metadata_start(f->metadata);
}

static unsigned plugged(void)
{
	return fake_plugs_read().plugged;
}

/* The places are the actor's: when it has nothing to do, they can be counted. */
static unsigned listening(struct fixture *f)
{
	unsigned count = 0;
	(void) poll(NULL, 0, 20);
	(void) actor_queued_count(f->metadata->actor); /* takes its lock, after its job has let it go */
	for (size_t k = 0; k < PLACE_BUCKETS; k++)
		for (const struct place *p = f->metadata->buckets[k]; p; p = p->next)
			count += p->web && p->dns && !p->leaving;
	return count;
}

static void test_start_and_end(void **state)
{
	struct fixture *f = *state;
	start(f, fake_plugs());
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	struct fake_plugs now = fake_plugs_read();
	assert_true(uuid_equal(now.last.port, uuid_v5(now.last.router, STR("metadata"))));
	assert_int_equal(now.last.mac.b[0], 0x02);
	assert_int_equal(now.last.mac.b[1], 0xa9);
	assert_memory_equal(&now.last.mac.b[2], &now.last.router.b[10], 4);
	assert_true(now.last.mark >= 1 && now.last.mark <= ROUTER_COUNT);
}

static void test_nothing_without_plugs(void **state)
{
	struct fixture *f = *state;
	start(f, NULL);
	fixture_put_port(f, 40, ROUTER_A, "127.0.1.40", UUID_NONE, 0);
	assert_int_equal(plugged(), 0);
}

static void test_ports_come_and_go(void **state)
{
	struct fixture *f = *state;
	static const unsigned ports_of_a[] = {1, 2, 3, 4, 9};
	start(f, fake_plugs());
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	for (unsigned k = 0; k < 4; k++)
		fixture_delete_port(f, ports_of_a[k], k % 2);
	(void) poll(NULL, 0, 20);
	assert_int_equal(plugged(), ROUTER_COUNT);
	fixture_delete_port(f, 9, false); /* marked deleted counts as gone */
	WAIT_UNTIL(plugged() == ROUTER_COUNT - 1);
	fixture_put_port(f, 50, ROUTER_A, "127.0.1.50", UUID_NONE, 0);
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
}

static RESULT forget_router(struct op *op, void *arg)
{
	uuid router = id_of(KIND_ROUTER, ROUTER_B + 1), port = id_of(KIND_PORT, 5);
	(void) arg;
	TRY(fixture_forget_addresses(op, port));
	TRY(port_forget(op, port));
	for (const struct subnet *s; (s = subnet_first_by_router(op->head, router));)
		TRY(subnet_forget(op, s->row.id));
	for (const struct security_group *g; (g = security_group_first_by_router(op->head, router));)
		TRY(security_group_forget(op, g->row.id));
	return router_forget(op, router);
}

static void test_router_is_forgotten(void **state)
{
	struct fixture *f = *state;
	start(f, fake_plugs());
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	assert_ok(fixture_commit(f, forget_router, NULL));
	WAIT_UNTIL(plugged() == ROUTER_COUNT - 1);
}

/* More news than there is room for. */
static RESULT put_many(struct op *op, void *arg)
{
	(void) arg;
	for (unsigned k = 0; k < 2 * NEWS_MAX; k++) {
		struct port p = {.row.id = uuid_v5(id_of(KIND_PORT, 1), str_print(op->ctx->arena, "%u", k)),
				 .router = id_of(KIND_ROUTER, 1 + k % ROUTER_COUNT),
				 .subnet = id_of(KIND_SUBNET, 1 + k % ROUTER_COUNT),
				 .mac = {{2, 9, 9, 9, (uint8_t) (k >> 8), (uint8_t) k}},
				 .ip = ip_from_v4(0x7F000200 + k)};
		TRY(port_put(op, &p));
	}
	return OK;
}

static void test_much_news(void **state)
{
	struct fixture *f = *state;
	start(f, fake_plugs());
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	assert_ok(fixture_commit(f, put_many, NULL));
	fixture_delete_port(f, 5, true);
	WAIT_UNTIL(actor_queued_count(f->metadata->actor) == 0);
	assert_int_equal(plugged(), ROUTER_COUNT);
}

/* Each kind of call fails once or more; in the end everything listens. */
static void test_retries(void **state)
{
	struct fixture *f = *state;
	for (unsigned failures = 1; failures < 6; failures++) {
		fake_plugs_reset(failures);
		start(f, fake_plugs());
		WAIT_UNTIL(fake_plugs_read().failures == 0 && plugged() == ROUTER_COUNT);
		WAIT_UNTIL(actor_queued_count(f->metadata->actor) == 0);
		WAIT_UNTIL(listening(f) == ROUTER_COUNT);
		assert_int_equal(fake_plugs_read().failed, failures);
		metadata_free(f->metadata);
		f->metadata = NULL;
	}
}

/* A place that could not be taken back is tried again. */
static void test_retry_of_leaving(void **state)
{
	struct fixture *f = *state;
	start(f, fake_plugs());
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	fake_plugs_reset(0); /* forgets them */
	fixture_delete_port(f, 5, true);
	(void) poll(NULL, 0, 20);
	fixture_put_port(f, 5, ROUTER_B, "127.0.1.10", UUID_NONE, 0);
	WAIT_UNTIL(plugged() == 1);
	fake_plugs_reset(1);
	fixture_delete_port(f, 5, true);
	WAIT_UNTIL(fake_plugs_read().failed == 1 && actor_queued_count(f->metadata->actor) == 1);
	WAIT_UNTIL(actor_queued_count(f->metadata->actor) == 0);
	WAIT_UNTIL(listening(f) == ROUTER_COUNT - 1);
}

/* Through the sockets that were plugged: HTTP and DNS know the guest. */
static void test_served(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[512];
	for (unsigned k = 1; k < 6; k++) /* leaves router C alone */
		fixture_delete_port(f, k, true);
	fixture_delete_port(f, 9, true);
	start(f, fake_plugs());
	WAIT_UNTIL(fake_plugs_read().tcp_port && listening(f) > 0);
	f->web_ports[ROUTER_C] = fake_plugs_read().web_port;
	struct reply r = guest_ask(f, ROUTER_C, "127.0.1.10", "GET", "/latest/meta-data/local-ipv4", "");
	assert_str(r.body, "127.0.1.10");
	int fd = guest_connect("127.0.1.10", SOCK_DGRAM, fake_plugs_read().udp_port);
	size_t size = query_write(bytes, 1, "a.b", 1, 0);
	assert_int_equal(send(fd, bytes, size, 0), size);
	assert_true(recv(fd, bytes, sizeof bytes, 0) > 12);
	(void) close(fd);
}

/* A network without a router has a place of its own while it has DHCP and a port. Through its socket alpha is
 * known by its address there. */
static void test_on_link(void **state)
{
	struct fixture *f = *state;
	start(f, fake_plugs());
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	fixture_put_unrouted(f, true, UUID_NONE);
	fixture_put_unrouted(f, false, UUID_NONE);
	WAIT_UNTIL(plugged() == ROUTER_COUNT + 1);
	struct fake_plugs now = fake_plugs_read();
	assert_true(now.last.is_on_link && uuid_equal(now.last.router, id_of(KIND_NETWORK, 7)));
	WAIT_UNTIL(actor_queued_count(f->metadata->actor) == 0);
	WAIT_UNTIL(listening(f) == ROUTER_COUNT);
	f->web_ports[ROUTER_C] = fake_plugs_read().web_port;
	struct reply r = guest_ask(f, ROUTER_C, "127.0.7.10", "GET", "/latest/user-data", "");
	assert_int_equal(r.status, 200);
	r = guest_ask(f, ROUTER_C, "127.0.1.10", "GET", "/latest/user-data", "");
	assert_int_equal(r.status, 404);
	fixture_put_unrouted(f, true, UUID_NONE);
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	fixture_put_unrouted(f, false, UUID_NONE);
	WAIT_UNTIL(plugged() == ROUTER_COUNT + 1);
	fixture_put_unrouted(f, false, id_of(KIND_ROUTER, ROUTER_A + 1));
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
	fixture_put_unrouted(f, false, UUID_NONE);
	WAIT_UNTIL(plugged() == ROUTER_COUNT + 1);
	fixture_delete_port(f, 70, false);
	WAIT_UNTIL(plugged() == ROUTER_COUNT);
}

#define place_test(function) cmocka_unit_test_setup_teardown(function, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		place_test(test_start_and_end),     place_test(test_nothing_without_plugs),
		place_test(test_ports_come_and_go), place_test(test_router_is_forgotten),
		place_test(test_much_news),         place_test(test_retries),
		place_test(test_retry_of_leaving),  place_test(test_served),
		place_test(test_on_link),
	};
	return cmocka_run_group_tests_name("places", tests, NULL, NULL);
}
