/* SPDX-License-Identifier: Apache-2.0
 * The bridge between a websocket and a stream, over socket pairs: complete transfer, slow sides, and the end.
 * The test has its own implementation of the websocket client. */
#include "../base/test_base.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "http/websocket.h"

#define T0 (INT64_C(1000) * SECOND)

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };

struct scene {
	struct bridge *bridge;
	int web[2], stream[2]; /* the bridge's end, the test's end */
};

static void make_pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
	(void) fcntl(ends[1], F_SETFL, O_NONBLOCK);
}

static struct scene make_early(struct str early)
{
	struct scene s;
	clock_set_us(T0);
	make_pair(s.web);
	make_pair(s.stream);
	const struct bridge_config config = {
		.web_fd = s.web[0], .stream_fd = s.stream[0], .early = early, .idle_us = 10 * MINUTE};
	s.bridge = bridge_new(&config);
	assert_non_null(s.bridge);
	return s;
}

static struct scene make(void)
{
	return make_early(STR_NONE);
}

static void end(struct scene *s)
{
	bridge_free(s->bridge);
	for (int k = 0; k < 2; k++) {
		fd_autoclose(&s->web[k]);
		fd_autoclose(&s->stream[k]);
	}
	clock_set_us(0);
}

/* Runs the bridge like the relay does, until no descriptor is ready. */
static bool work(struct scene *s)
{
	struct pollfd fds[BRIDGE_FDS];
	bool goes_on = bridge_work(s->bridge);
	for (int k = 0; k < 1000 && goes_on; k++) {
		(void) bridge_prepare(s->bridge, fds);
		if (poll(fds, BRIDGE_FDS, 0) == 0)
			return true;
		goes_on = bridge_work(s->bridge);
	}
	assert_false(goes_on); /* it would be awake for ever */
	return false;
}

/* A frame as browsers send it: masked, here with zeroes. */
static size_t write_frame(char *at, int opcode, const char *bytes, size_t size)
{
	size_t head = 2;
	at[0] = (char) (0x80 | opcode);
	at[1] = (char) (0x80 | (size < 126 ? size : size < 65536 ? 126 : 127));
	if (size >= 126 && size < 65536) {
		at[2] = (char) (size >> 8);
		at[3] = (char) size;
		head = 4;
	} else if (size >= 65536) {
		for (int k = 0; k < 8; k++)
			at[2 + k] = (char) ((uint64_t) size >> (56 - 8 * k));
		head = 10;
	}
	memset(at + head, 0, 4);
	memcpy(at + head + 4, bytes, size);
	return head + 4 + size;
}

static void say(struct scene *s, int opcode, const char *bytes, size_t size)
{
	static char frame[200000];
	size_t whole = write_frame(frame, opcode, bytes, size), sent = 0;
	for (int tries = 0; sent < whole && tries < 1000; tries++) {
		ssize_t n = send(s->web[1], frame + sent, whole - sent, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t) n : 0;
		if (n < 0 && !work(s))
			return; /* the bridge is not to be talked to any more */
	}
	assert_int_equal(sent, whole);
}

/* Reads from this end of the stream. */
static size_t hear(int fd, char *bytes, size_t size)
{
	ssize_t n = recv(fd, bytes, size, 0);
	return n > 0 ? (size_t) n : 0;
}

/* The newest frame's opcode; -1 if there is none. */
static int hear_frame(struct scene *s, char *bytes, size_t *ret_size)
{
	uint8_t head[2];
	if (recv(s->web[1], head, 2, 0) != 2)
		return -1;
	assert_true((head[1] & 0x7F) < 126);
	*ret_size = head[1];
	assert_int_equal(hear(s->web[1], bytes, *ret_size), *ret_size);
	return head[0] & 0x0F;
}

static void test_both_ways(void **state)
{
	(void) state;
	struct scene s = make();
	char bytes[200];
	size_t size = 0;
	say(&s, BINARY, "ls\r", 3);
	say(&s, TEXT, "more", 4);
	assert_true(work(&s));
	assert_int_equal(hear(s.stream[1], bytes, sizeof bytes), 7);
	assert_memory_equal(bytes, "ls\rmore", 7);
	assert_int_equal(send(s.stream[1], "a b\r\n", 5, 0), 5);
	assert_true(work(&s));
	assert_int_equal(hear_frame(&s, bytes, &size), BINARY);
	assert_int_equal(size, 5);
	assert_memory_equal(bytes, "a b\r\n", 5);
	say(&s, PING, "p", 1);
	assert_true(work(&s));
	assert_int_equal(hear_frame(&s, bytes, &size), PONG);
	end(&s);
}

/* Bytes received together with the handshake are processed without further input. */
static void test_early(void **state)
{
	(void) state;
	char frame[64], bytes[64];
	struct scene s = make_early((struct str){frame, write_frame(frame, BINARY, "early", 5)});
	struct pollfd fds[BRIDGE_FDS];
	assert_int_equal(bridge_prepare(s.bridge, fds), 0);
	assert_true(work(&s));
	assert_int_equal(hear(s.stream[1], bytes, sizeof bytes), 5);
	end(&s);
}

/* After a close frame nothing more is expected from the web side, so the bridge ends at once. */
static void test_close(void **state)
{
	(void) state;
	struct scene s = make();
	char bytes[200];
	size_t size = 0;
	say(&s, CLOSE, "\x03\xE8", 2);
	assert_false(work(&s));
	assert_int_equal(hear_frame(&s, bytes, &size), CLOSE);
	end(&s);
}

/* The end of the guest's stream is reported with a reason. A web side that does not answer is waited for
 * briefly. */
static void test_stream_ends(void **state)
{
	(void) state;
	struct scene s = make();
	char bytes[200];
	size_t size = 0;
	assert_int_equal(send(s.stream[1], "bye", 3, 0), 3);
	fd_autoclose(&s.stream[1]);
	assert_true(work(&s));
	assert_int_equal(hear_frame(&s, bytes, &size), BINARY);
	assert_int_equal(hear_frame(&s, bytes, &size), CLOSE);
	assert_memory_equal(bytes, "\x03\xE8the console has ended", size);
	clock_set_us(T0 + 4 * SECOND);
	assert_true(work(&s));
	clock_set_us(T0 + 6 * SECOND);
	assert_false(work(&s));
	end(&s);
}

static void test_web_gone(void **state)
{
	(void) state;
	struct scene s = make();
	fd_autoclose(&s.web[1]);
	assert_false(work(&s));
	end(&s);
}

static void test_too_large(void **state)
{
	(void) state;
	static char huge[BRIDGE_MESSAGE_MAX + 1];
	struct scene s = make();
	char bytes[200];
	size_t size = 0;
	say(&s, BINARY, huge, BRIDGE_MESSAGE_MAX);
	for (size_t heard = 0; heard < BRIDGE_MESSAGE_MAX;) {
		assert_true(work(&s));
		heard += hear(s.stream[1], huge, sizeof huge);
	}
	say(&s, BINARY, huge, BRIDGE_MESSAGE_MAX + 1);
	(void) work(&s);
	assert_int_equal(hear_frame(&s, bytes, &size), CLOSE);
	assert_memory_equal(bytes, "\x03\xF1", 2); /* 1009 */
	assert_int_equal(hear(s.stream[1], bytes, sizeof bytes), 0);
	end(&s);
}

/* Not masked, a reserved opcode, a fragmented ping: libwslay's business, but it has to end. */
static void test_broken_frames(void **state)
{
	(void) state;
	static const char *const frames[] = {"\x82\x01x", "\x83\x81\0\0\0\0x", "\x09\x81\0\0\0\0x",
					     "\xF2\x81\0\0\0\0x"};
	static const size_t sizes[] = {3, 7, 7, 7};
	for (size_t k = 0; k < 4; k++) {
		struct scene s = make();
		char bytes[200];
		size_t size = 0;
		assert_int_equal(send(s.web[1], frames[k], sizes[k], 0), sizes[k]);
		(void) work(&s);
		assert_int_equal(hear_frame(&s, bytes, &size), CLOSE);
		assert_memory_equal(bytes, "\x03\xEA", 2); /* 1002 */
		clock_set_us(T0 + 6 * SECOND);
		assert_false(work(&s));
		end(&s);
	}
}

/* For a web side that does not read, the bridge's buffer is limited: the rest stays with the sender. */
static void test_slow_web(void **state)
{
	(void) state;
	static char piece[4096];
	struct scene s = make();
	size_t sent = 0;
	int refused = 0;
	while (refused < 3) {
		ssize_t n = send(s.stream[1], piece, sizeof piece, MSG_NOSIGNAL);
		sent += n > 0 ? (size_t) n : 0;
		refused = n > 0 ? 0 : refused + 1;
		assert_true(work(&s));
		assert_true(sent < 4 << 20);
	}
	/* and all of it comes when it listens again */
	size_t heard = 0;
	for (size_t n = 1, quiet = 0; quiet < 3; quiet = n ? 0 : quiet + 1) {
		n = hear(s.web[1], piece, sizeof piece);
		heard += n;
		assert_true(work(&s));
	}
	assert_true(heard > sent);
	end(&s);
}

static void test_slow_stream(void **state)
{
	(void) state;
	static char piece[4096], frame[4200];
	struct scene s = make();
	size_t size = write_frame(frame, BINARY, piece, sizeof piece), said = 0, heard = 0;
	for (int refused = 0; refused < 3;) {
		ssize_t n = send(s.web[1], frame, size, MSG_NOSIGNAL);
		assert_true(n < 0 || (size_t) n == size || (refused = 3));
		said += n > 0 ? (size_t) n / size * sizeof piece : 0;
		refused = n > 0 ? refused : refused + 1;
		assert_true(work(&s));
		assert_true(said < 4 << 20);
	}
	/* a web that may not speak is not taken for silent */
	clock_set_us(T0 + 5 * MINUTE);
	assert_true(work(&s));
	for (size_t n = 1, quiet = 0; quiet < 3; quiet = n ? 0 : quiet + 1) {
		n = hear(s.stream[1], piece, sizeof piece);
		heard += n;
		assert_true(work(&s));
	}
	assert_int_equal(heard, said);
	end(&s);
}

/* Pings are answered at the pace at which the web side reads the answers. */
static void test_pings(void **state)
{
	(void) state;
	char frame[16];
	struct scene s = make();
	size_t size = write_frame(frame, PING, "", 0);
	int sent = 0;
	while (send(s.web[1], frame, size, MSG_NOSIGNAL) > 0 || sent == 0) {
		assert_true(++sent < 1 << 20);
		if (sent % 100 == 0)
			assert_true(work(&s));
	}
	end(&s);
}

/* After 20 silent seconds a ping is sent, and after 60 the connection is closed. A pong prevents that. */
static void test_half_open(void **state)
{
	(void) state;
	struct scene s = make();
	char bytes[200];
	size_t size = 0;
	struct pollfd fds[BRIDGE_FDS];
	assert_int_equal(bridge_prepare(s.bridge, fds), T0 + 20 * SECOND);
	clock_set_us(T0 + 20 * SECOND);
	assert_true(work(&s));
	assert_int_equal(hear_frame(&s, bytes, &size), PING);
	say(&s, PONG, "", 0);
	clock_set_us(T0 + 30 * SECOND);
	assert_true(work(&s));
	assert_int_equal(bridge_prepare(s.bridge, fds), T0 + 50 * SECOND);
	clock_set_us(T0 + 50 * SECOND);
	assert_true(work(&s));
	assert_int_equal(hear_frame(&s, bytes, &size), PING);
	assert_int_equal(bridge_prepare(s.bridge, fds), T0 + 90 * SECOND);
	clock_set_us(T0 + 90 * SECOND);
	assert_false(work(&s));
	end(&s);
}

static void test_idle(void **state)
{
	(void) state;
	struct scene s = make();
	char bytes[200];
	size_t size = 0;
	for (int k = 1; k <= 60; k++) { /* pongs are no use of it */
		clock_set_us(T0 + k * 10 * SECOND);
		assert_true(work(&s));
		say(&s, PONG, "", 0);
	}
	assert_true(work(&s));
	int opcode = 0;
	while (opcode != CLOSE && opcode >= 0)
		opcode = hear_frame(&s, bytes, &size);
	assert_int_equal(opcode, CLOSE);
	assert_memory_equal(bytes, "\x03\xE9nothing was said for too long", size);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_ways),     cmocka_unit_test(test_early),
		cmocka_unit_test(test_close),         cmocka_unit_test(test_stream_ends),
		cmocka_unit_test(test_web_gone),      cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_broken_frames), cmocka_unit_test(test_slow_web),
		cmocka_unit_test(test_slow_stream),   cmocka_unit_test(test_pings),
		cmocka_unit_test(test_half_open),     cmocka_unit_test(test_idle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
