/* SPDX-License-Identifier: Apache-2.0
 * Parking calls and waking them: before, after, from another thread, many at once, with the client
 * gone, and at stop. */
#include "fixture.h"

#include <pthread.h>

#define GET(path) STR("GET " path " HTTP/1.1\r\nHost: a\r\n\r\n")

static int setup(void **state)
{
	static struct fixture f;
	fixture_start(&f, NULL);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	fixture_end(*state);
	return 0;
}

static void test_orders(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	for (int k = 0; k < 100; k++) {
		assert_true(client_send(&c, GET("/early")));
		assert_str(client_read(&c).body, "GET\n/early\n\n0\n-\n\n");
		assert_true(client_send(&c, GET("/park"))); /* either order */
		assert_str(client_read(&c).body, "GET\n/park\n\n0\n-\n\n");
		assert_true(client_send(&c, GET("/again")));
		assert_str(client_read(&c).body, "GET\n/again\n\n0\n-\n\n");
	}
	client_close(&c);
	assert_int_equal(fixture_figures(f).parked, 0);
}

enum { CROWD = 200 };

static void test_crowd(void **state)
{
	struct fixture *f = *state;
	static struct client c[CROWD];
	for (int round = 0; round < 3; round++) {
		for (int k = 0; k < CROWD; k++) {
			if (round == 0)
				client_open(&c[k], f->arena, f->port);
			assert_true(client_send(&c[k], round == 1 ? GET("/park?3") : GET("/hold")));
		}
		if (round != 1) {
			WAIT_UNTIL(fixture_held_count() == CROWD && fixture_figures(f).parked == CROWD);
			fixture_release();
		}
		for (int k = CROWD - 1; k >= 0; k--)
			assert_int_equal(client_read(&c[k]).status, 200);
	}
	for (int k = 0; k < CROWD; k++)
		client_close(&c[k]);
	WAIT_UNTIL(fixture_figures(f).connections == 0);
	assert_int_equal(fixture_figures(f).requests, 3 * CROWD);
}

/* Requests that come while the only thread is busy, so that it finds them all at once: 128 is what libmicrohttpd
 * takes from epoll a time, and its own threads slept again before they looked at them. */
static void test_full_turns(void **state)
{
	static const struct http_config one = {.thread_count = 1, .request_timeout_us = 10 * SECOND};
	static struct client c[257];
	struct fixture f;
	struct client busy;
	(void) state;
	fixture_start(&f, &one);
	client_open(&busy, f.arena, f.port);
	for (int count = 127; count <= 257; count += count == 129 ? 126 : 1) {
		for (int k = 0; k < count; k++) {
			client_open(&c[k], f.arena, f.port);
			assert_true(client_send(&c[k], GET("/echo")));
			assert_int_equal(client_read(&c[k]).status, 200);
		}
		assert_true(client_send(&busy, GET("/toil?50")));
		for (int k = 0; k < count; k++)
			assert_true(client_send(&c[k], GET("/echo")));
		assert_int_equal(client_read(&busy).status, 200);
		for (int k = 0; k < count; k++) {
			assert_int_equal(client_read(&c[k]).status, 200);
			client_close(&c[k]);
		}
		WAIT_UNTIL(fixture_figures(&f).connections == 1);
	}
	client_close(&busy);
	fixture_end(&f);
}

struct waker_arg {
	pthread_barrier_t *start;
};

static void *release_run(void *arg)
{
	struct waker_arg *w = arg;
	(void) pthread_barrier_wait(w->start);
	fixture_release();
	return NULL;
}

/* Several threads wake what a third one wakes too, while it parks. */
static void test_many_wakers(void **state)
{
	struct fixture *f = *state;
	static struct client c[CROWD];
	pthread_barrier_t start;
	pthread_t threads[3];
	struct waker_arg arg = {&start};
	for (int k = 0; k < CROWD; k++)
		client_open(&c[k], f->arena, f->port);
	for (int round = 0; round < 5; round++) {
		assert_int_equal(pthread_barrier_init(&start, NULL, 4), 0);
		for (int k = 0; k < 3; k++)
			assert_int_equal(pthread_create(&threads[k], NULL, release_run, &arg), 0);
		for (int k = 0; k < CROWD; k++)
			assert_true(client_send(&c[k], GET("/hold")));
		(void) pthread_barrier_wait(&start);
		for (int k = 0; k < 3; k++)
			assert_int_equal(pthread_join(threads[k], NULL), 0);
		WAIT_UNTIL(fixture_figures(f).requests + fixture_held_count() ==
			   (unsigned) (round + 1) * CROWD);
		fixture_release();
		for (int k = 0; k < CROWD; k++)
			assert_int_equal(client_read(&c[k]).status, 200);
		assert_int_equal(pthread_barrier_destroy(&start), 0);
	}
	for (int k = 0; k < CROWD; k++)
		client_close(&c[k]);
}

static void test_client_gone(void **state)
{
	struct fixture *f = *state;
	for (int k = 0; k < 20; k++) {
		struct client c;
		client_open(&c, f->arena, f->port);
		assert_true(client_send(&c, GET("/hold")));
		WAIT_UNTIL(fixture_held_count() == (unsigned) k + 1);
		client_close(&c);
	}
	fixture_sleep_ms(20);
	assert_int_equal(fixture_figures(f).parked, 20); /* libmicrohttpd keeps them */
	fixture_release();
	WAIT_UNTIL(fixture_figures(f).connections == 0);
}

/* A parked call has no time limit: what it waits for has. */
static void test_parked_long(void **state)
{
	struct fixture *f = *state;
	(void) state;
	fixture_end(f);
	const struct http_config config = {
		.thread_count = 2, .request_timeout_us = 50 * MILLISECOND, .idle_timeout_us = SECOND};
	fixture_start(f, &config);
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, GET("/park?1500")));
	assert_int_equal(client_read(&c).status, 200);
	client_close(&c);
}

static void test_stop_waits(void **state)
{
	struct fixture *f = *state;
	struct client c;
	client_open(&c, f->arena, f->port);
	assert_true(client_send(&c, GET("/park?100")));
	WAIT_UNTIL(fixture_figures(f).parked == 1);
	http_server_stop(f->server, 10 * SECOND);
	struct reply r = client_read(&c);
	assert_int_equal(r.status, 200);
	assert_str(reply_header(&r, "Connection"), "close");
	assert_true(client_is_closed(&c));
	client_close(&c);
	assert_int_equal(fixture_figures(f).connections, 0);
}

/* The grace period ends before the wake-up: clients get an answer, and the calls exist until they are woken,
 * even after the server's end. */
static void test_stop_abandons(void **state)
{
	struct fixture *f = *state;
	static struct client c[CROWD];
	for (int k = 0; k < CROWD; k++) {
		client_open(&c[k], f->arena, f->port);
		assert_true(client_send(&c[k], GET("/hold")));
	}
	WAIT_UNTIL(fixture_figures(f).parked == CROWD);
	http_server_stop(f->server, 20 * MILLISECOND);
	for (int k = 0; k < CROWD; k++) {
		assert_int_equal(client_read(&c[k]).status, 503);
		client_close(&c[k]);
	}
	assert_int_equal(fixture_held_count(), CROWD);
	/* teardown frees the server first, then wakes them */
}

static void test_unlisten_waits(void **state)
{
	struct fixture *f = *state;
	struct http_listener *l = fixture_listen(f, &fixture_face, (void *) "vpc");
	struct client c;
	client_open(&c, f->arena, http_listener_port(l));
	assert_true(client_send(&c, GET("/park?200")));
	WAIT_UNTIL(fixture_figures(f).parked == 1);
	http_unlisten(f->server, l);
	assert_str(client_read(&c).body, "GET\n/park\n200\n0\nvpc\n\n");
	client_close(&c);
	assert_int_equal(client_ask(f->arena, f->port, GET("/")).status, 200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_orders, setup, teardown),
		cmocka_unit_test_setup_teardown(test_crowd, setup, teardown),
		cmocka_unit_test(test_full_turns),
		cmocka_unit_test_setup_teardown(test_many_wakers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_parked_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stop_abandons, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unlisten_waits, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
