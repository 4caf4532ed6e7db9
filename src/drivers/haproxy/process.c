/* SPDX-License-Identifier: Apache-2.0
 * HAProxy's processes: a master, which outlives dari, and its workers. units.c has systemd run them where dari.service
 * runs; elsewhere they are children. Source: HAProxy Management Guide 2.6. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "drivers/haproxy/haproxy.h"

static const int64_t check_timeout_us = 20 * SECOND, start_timeout_us = 20 * SECOND;
enum { TRIES = 100 }; /* 2 s: for the process id file; for leaving, half by SIGTERM, half by SIGKILL */
static const int64_t pause_us = 20 * MILLISECOND;
static const char program[] = "haproxy";

/* The file may name a process that has ended, whose number another program has got. */
static bool is_proxy(struct ctx *c, const struct proxy_place *place, pid_t pid)
{
	enum { LINE_CAP = 8192 };
	struct ctx quiet;
	struct str line = STR_NONE;
	ctx_init(&quiet, c->arena);
	struct str path = str_print(c->arena, "/proc/%d/cmdline", (int) pid);
	struct result read = file_read(&quiet, str_to_z(c->arena, path), LINE_CAP, &line);
	return result_is_ok(read) && str_contains(line, str_from(place->directory));
}

void process_find(struct ctx *c, struct proxy_place *place)
{
	enum { PID_CAP = 64 };
	struct ctx quiet;
	struct str text = STR_NONE;
	int64_t pid = 0;
	ctx_init(&quiet, c->arena);
	place->pid = 0;
	if (units_run(place)) {
		units_find(c, place);
		return;
	}
	struct result read = file_read(&quiet, place_path(c, place, "pid"), PID_CAP, &text);
	if (result_is_ok(read) && result_is_ok(str_parse_int(str_trim(text), &pid)) && pid > 1 &&
	    is_proxy(c, place, (pid_t) pid))
		place->pid = (pid_t) pid;
}

static RESULT run(struct ctx *c, const char *const *argv, int64_t timeout_us, int netns_fd)
{
	struct child child = {.argv = argv, .timeout_us = timeout_us, .netns_fd = netns_fd};
	struct child_end end = {0};
	struct result ran = child_run(c, &child, &end);
	if (ran.code == ERR_NOT_FOUND)
		return ctx_fail(c, ERR_IO, "the package haproxy is not installed");
	TRY(ran);
	if (end.status != 0)
		return ctx_fail(c, ERR_INVALID, "haproxy: %" STR_FMT,
				STR_ARG(str_slice(str_trim(end.err), 0, 1024)));
	return OK;
}

RESULT process_check(struct ctx *c, const struct proxy_place *place)
{
	const char *const argv[] = {program, "-c", "-C", place->directory, "-f", "next.cfg", NULL};
	if (units_run(place))
		return units_check(c, place);
	return run(c, argv, check_timeout_us, 0);
}

RESULT process_start(struct ctx *c, struct proxy_place *place, int netns_fd)
{
	const char *const argv[] = {program, "-W",          "-D", "-C",  place->directory,
				    "-f",    "haproxy.cfg", "-p", "pid", NULL};
	/* the file of a process that has ended would be taken for the new one's */
	TRY(file_delete(c, place_path(c, place, "pid")));
	TRY(units_run(place) ? units_start(c, place) : run(c, argv, start_timeout_us, netns_fd));
	for (int k = 0; k < TRIES && !place->pid; k++) {
		process_find(c, place);
		if (!place->pid)
			clock_sleep_us(pause_us);
	}
	return place->pid ? OK : ctx_fail(c, ERR_IO, "haproxy has ended as soon as it was started");
}

/* The process id of the worker that answers; 0: none does. */
static int64_t find_worker(struct ctx *c, const struct proxy_place *place)
{
	static const char word[] = "Pid: ";
	struct ctx quiet;
	struct str info = STR_NONE, line = STR_NONE;
	int64_t pid = 0;
	ctx_init(&quiet, c->arena);
	if (!result_is_ok(state_ask(&quiet, place, "show info", &info)))
		return 0;
	while (str_split_next(&info, '\n', &line))
		if (str_starts_with(line, str_from(word)) &&
		    !result_is_ok(str_parse_int(str_slice(line, sizeof word - 1, line.n), &pid)))
			return 0;
	return pid;
}

/* Waits for the new worker. Until it answers, the master may still read the configuration and its files; a signal
 * that it gets meanwhile, or a file that is gone, can leave it without a worker. */
static RESULT wait_for_worker(struct ctx *c, const struct proxy_place *place, int64_t former)
{
	for (int64_t waited_us = 0; waited_us < start_timeout_us; waited_us += pause_us) {
		int64_t pid = find_worker(c, place);
		if (pid && pid != former)
			return OK;
		clock_sleep_us(pause_us);
	}
	return ctx_fail(c, ERR_AGAIN, "haproxy has not taken its new configuration yet");
}

/* The health of servers is saved for the new worker, which would take all of them for healthy; a server that is new would get
 * requests before its first check. */
RESULT process_reload(struct ctx *c, const struct proxy_place *place, const struct proxy_wish *wish)
{
	int64_t former = find_worker(c, place);
	struct str states = STR_NONE;
	struct ctx quiet;
	ctx_init(&quiet, c->arena);
	/* its answer begins with the version of its format, "1" */
	if (result_is_ok(state_ask(&quiet, place, "show servers state", &states))) {
		TRY(state_add_new(c, wish, states, &states));
		TRY(file_write_synced(c, place_path(c, place, "servers"), states, 0600));
	}
	if (kill(place->pid, SIGUSR2) != 0)
		return ctx_fail(c, ERR_AGAIN, "the proxy's process has just ended");
	return wait_for_worker(c, place, former);
}

/* SIGTERM makes the master end its workers as well. */
void process_end(struct ctx *c, struct proxy_place *place)
{
	struct ctx quiet;
	ctx_init(&quiet, c->arena);
	if (units_run(place))
		IGNORE(units_stop(&quiet, place)); /* found below if it goes on */
	process_find(c, place);
	for (int k = 0; k < TRIES && place->pid; k++) {
		(void) kill(place->pid, k < TRIES / 2 ? SIGTERM : SIGKILL);
		clock_sleep_us(pause_us);
		process_find(c, place);
	}
}
