/* SPDX-License-Identifier: Apache-2.0
 * Requests to a desk, whose answers come from a server on loopback: what is sent, what is read of an answer, and
 * which failures can be tried again. Also the texts that desks send back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "drivers/desk/http.h"

/* ---- a server of one answer */

struct scene {
	struct arena *arena;
	struct ctx c;
	struct desk_place place;
	struct desk_answer answer;
	pthread_t thread;
	int listening;
	const char *says;   /* the whole answer */
	char request[8192]; /* what came */
	size_t size;
};

static void *serve(void *arg)
{
	struct scene *s = arg;
	char rest[256];
	int fd = accept(s->listening, NULL, NULL);
	memset(s->request, 0, sizeof s->request);
	s->size = 0;
	while (fd >= 0 && !strstr(s->request, "\r\n\r\n")) {
		ssize_t n = read(fd, s->request + s->size, sizeof s->request - 1 - s->size);
		if (n <= 0)
			break;
		s->size += (size_t) n;
	}
	if (fd >= 0)
		(void) !write(fd, s->says, strlen(s->says));
	(void) shutdown(fd, SHUT_WR);
	while (fd >= 0 && read(fd, rest, sizeof rest) > 0)
		; /* closing with unread bytes would reset the connection */
	(void) close(fd);
	return NULL;
}

static int setup(void **state)
{
	static struct scene s;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof at;
	s = (struct scene){.arena = arena_new(ARENA_FIRST_SIZE, 8 << 20)};
	ctx_init(&s.c, s.arena);
	s.listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s.listening, (struct sockaddr *) &at, sizeof at), 0);
	assert_int_equal(listen(s.listening, 4), 0);
	assert_int_equal(getsockname(s.listening, (struct sockaddr *) &at, &size), 0);
	s.place = (struct desk_place){
		.name = STR("front"),
		.url = str_print(s.arena, "http://127.0.0.1:%d/api//", ntohs(at.sin_port)),
		.secret = STR("s3cret"),
		.timeout_us = 10 * MINUTE};
	*state = &s;
	return 0;
}

static int teardown(void **state)
{
	struct scene *s = *state;
	(void) close(s->listening);
	arena_free(s->arena);
	return 0;
}

static enum err ask(struct scene *s, const struct desk_request *request, const char *says)
{
	s->says = says;
	ctx_clear_problem(&s->c);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	struct result r = desk_call(&s->c, &s->place, request, &s->answer);
	assert_int_equal(pthread_join(s->thread, NULL), 0);
	return r.code;
}

/* ---- requests */

static void test_request(void **state)
{
	struct scene *s = *state;
	const struct desk_request plain = {.method = "GET", .path = STR("/tickets"), .headers = {"X-A: 1"}},
				  basic = {.method = "GET", .path = STR("/a"), .is_basic = true},
				  word = {.method = "GET", .path = STR("/a"), .token_word = "token"},
				  mine = {.method = "POST",
					  .path = STR("/a"),
					  .media_type = "text/plain",
					  .body = STR("words"),
					  .is_signed = true};
	static const char *const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
	assert_int_equal(ask(s, &plain, ok), ERR_NONE);
	assert_true(str_starts_with(str_from(s->request), STR("GET /api/tickets HTTP/1.1\r\n")));
	assert_non_null(strstr(s->request, "\r\nX-A: 1\r\n"));
	assert_non_null(strstr(s->request, "\r\nAuthorization: Bearer s3cret\r\n"));
	s->place.login = STR("ann");
	assert_int_equal(ask(s, &basic, ok), ERR_NONE);
	assert_non_null(strstr(s->request, "\r\nAuthorization: Basic YW5uOnMzY3JldA==\r\n"));
	assert_null(strstr(s->request, "Bearer"));
	assert_int_equal(ask(s, &word, ok), ERR_NONE);
	assert_non_null(strstr(s->request, "\r\nAuthorization: token s3cret\r\n"));
	assert_int_equal(ask(s, &mine, ok), ERR_NONE);
	assert_non_null(strstr(s->request, "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(s->request, "\r\nContent-Length: 5\r\n"));
	assert_null(strstr(s->request, "Authorization:")); /* the signature stands for it */
}

static void test_answer(void **state)
{
	struct scene *s = *state;
	const struct desk_request r = {.method = "GET", .path = STR("/a")};
	assert_int_equal(ask(s, &r,
			     "HTTP/1.1 201 Made\r\nETag: \"7\"\r\nlocation: /a/9\r\nX-Total-Count: 12\r\n"
			     "Content-Length: 5\r\n\r\nwords"),
			 ERR_NONE);
	assert_int_equal(s->answer.status, 201);
	assert_true(str_is(s->answer.body, "words") && str_is(s->answer.etag, "\"7\""));
	assert_true(str_is(s->answer.location, "/a/9") && str_is(s->answer.total, "12"));
	assert_int_equal(ask(s, &r, "HTTP/1.1 204 No Content\r\n\r\n"), ERR_NONE);
	assert_true(s->answer.status == 204 && s->answer.body.n == 0 && s->answer.etag.n == 0);
}

/* ---- failures */

static void test_statuses(void **state)
{
	static const struct {
		const char *status;
		enum err err;
	} cases[] = {
		{"299 x", ERR_NONE},    {"300 x", ERR_INVALID},   {"401 x", ERR_UNAUTHENTICATED},
		{"403 x", ERR_DENIED},  {"404 x", ERR_NOT_FOUND}, {"408 x", ERR_AGAIN},
		{"412 x", ERR_INVALID}, {"413 x", ERR_TOO_LARGE}, {"425 x", ERR_AGAIN},
		{"429 x", ERR_AGAIN},   {"499 x", ERR_INVALID},   {"500 x", ERR_AGAIN},
		{"503 x", ERR_AGAIN},
	};
	struct scene *s = *state;
	const struct desk_request r = {.method = "GET", .path = STR("/a")}, lenient = {.method = "GET",
										       .path = STR("/a"),
										       .takes_404 = true,
										       .takes_412 = true};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		const char *says =
			str_print(s->arena, "HTTP/1.1 %s\r\nContent-Length: 3\r\n\r\nwhy", cases[k].status).p;
		assert_int_equal(ask(s, &r, says), cases[k].err);
		if (cases[k].err)
			assert_true(str_ends_with(s->c.problem.message, STR(": why")));
		bool is_taken = s->answer.status == 404 || s->answer.status == 412;
		assert_int_equal(ask(s, &lenient, says), is_taken ? ERR_NONE : cases[k].err);
	}
}

/* An answer says how long to wait, up to an hour; a text that is no XML text stays out of the message. */
static void test_waits(void **state)
{
	static const struct {
		const char *says;
		int64_t wait_us;
	} cases[] = {{"7", 7 * SECOND},       {"0", 0},    {"-1", 0},
		     {"3599", 3599 * SECOND}, {"3600", 0}, {"soon", 0}};
	struct scene *s = *state;
	const struct desk_request r = {.method = "GET", .path = STR("/a")};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		s->place.wait_us = 1;
		const char *says =
			str_print(s->arena,
				  "HTTP/1.1 429 Slow\r\nRetry-After: %s\r\nContent-Length: 2\r\n\r\n\1b",
				  cases[k].says)
				.p;
		assert_int_equal(ask(s, &r, says), ERR_AGAIN);
		assert_int_equal(s->place.wait_us, cases[k].wait_us);
		assert_true(str_is(s->c.problem.message, "desk front answers 429"));
	}
}

static void test_broken_transfers(void **state)
{
	struct scene *s = *state;
	struct desk_request r = {.method = "GET", .path = STR("/a"), .cap_size = 4};
	assert_int_equal(ask(s, &r, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfour"), ERR_NONE);
	assert_int_equal(ask(s, &r, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfive!"), ERR_INVALID);
	assert_true(str_is(s->c.problem.message, "desk front answers more than it may"));
	assert_int_equal(ask(s, &r, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfo"), ERR_GONE);
	assert_int_equal(ask(s, &r, ""), ERR_GONE);
	s->place.noun = "webhook";
	(void) close(s->listening);
	s->listening = -1;
	ctx_clear_problem(&s->c);
	assert_int_equal(desk_call(&s->c, &s->place, &r, &s->answer).code, ERR_GONE);
	assert_true(str_starts_with(s->c.problem.message, STR("webhook front does not answer: ")));
}

/* ---- texts */

static void test_json(void **state)
{
	struct scene *s = *state;
	const struct desk_request r = {.method = "GET", .path = STR("/a")};
	static const struct {
		const char *body;
		enum err err;
		bool is_empty;
	} cases[] = {{" {\"a\":1} ", ERR_NONE, false}, {"  ", ERR_NONE, true}, {"{", ERR_INVALID, true}};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
		json_t *json = NULL;
		s->says = str_print(s->arena, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
				    strlen(cases[k].body), cases[k].body)
				  .p;
		ctx_clear_problem(&s->c);
		assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
		struct result result = desk_call_json(&s->c, &s->place, &r, &s->answer, &json);
		assert_int_equal(pthread_join(s->thread, NULL), 0);
		assert_true(result.code == cases[k].err && !json == cases[k].is_empty);
		json_decref(json);
	}
}

static void test_clean_text(void **state)
{
	struct scene *s = *state;
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{"a\r\nb", "a\nb"},
		{"a\n [dari:x] \nb\n", "a\nb"},
		{"a [dari:x]\nb", "a [dari:x]\nb"},
		{"yes\n\nOn Monday, Ann wrote:\n\n> no\n", "yes"},
		{"On Monday, Ann wrote:\nno", "On Monday, Ann wrote:\nno"},
		{"Ann wrote:", "Ann wrote:"},
	};
	for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++)
		if (!str_is(desk_clean_text(&s->c, str_from(cases[k].text)), cases[k].clean))
			fail_msg("%s", cases[k].text);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_request), CASE(test_answer),           CASE(test_statuses),   CASE(test_waits),
		CASE(test_json),    CASE(test_broken_transfers), CASE(test_clean_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
