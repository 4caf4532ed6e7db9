/* SPDX-License-Identifier: Apache-2.0
 * charon of a tunnel, which outlives dari, and swanctl, which talks to it. units.c has systemd run it where dari.service runs;
 * elsewhere start-stop-daemon(8) detaches it. */
#include <signal.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "drivers/strongswan/strongswan.h"

static const char program[] = "/usr/sbin/charon-systemd";
static const int64_t command_timeout_us = 20 * SECOND, pause_us = 50 * MILLISECOND;
enum { TRIES = 100 /* 5 s */, WORDS_SHOWN = 1024 };

/* The file may name a process that has ended, whose number another program has got. */
static bool is_daemon(struct ctx *c, const struct vpn_place *place, pid_t pid)
{
	enum { ENVIRONMENT_CAP = 65536 };
	struct ctx quiet;
	struct str text = STR_NONE;
	ctx_init(&quiet, c->arena);
	struct str path = str_print(c->arena, "/proc/%d/environ", (int) pid);
	struct result read = file_read(&quiet, str_to_z(c->arena, path), ENVIRONMENT_CAP, &text);
	return result_is_ok(read) && str_contains(text, str_from(place->directory));
}

void daemon_find(struct ctx *c, struct vpn_place *place)
{
	enum { PID_CAP = 64 };
	struct ctx quiet;
	struct str text = STR_NONE;
	int64_t pid = 0;
	ctx_init(&quiet, c->arena);
	place->pid = 0;
	if (units_are_used(place)) {
		units_find_daemon(c, place);
		return;
	}
	struct result read = file_read(&quiet, vpns_path(c, place, "pid"), PID_CAP, &text);
	if (result_is_ok(read) && result_is_ok(str_parse_int(str_trim(text), &pid)) && pid > 1 &&
	    is_daemon(c, place, (pid_t) pid))
		place->pid = (pid_t) pid;
}

static const char *setting(struct ctx *c, const struct vpn_place *place)
{
	return str_to_z(c->arena,
			str_print(c->arena, "STRONGSWAN_CONF=%s/strongswan.conf", place->directory));
}

static RESULT run(struct ctx *c, const char *const *argv, int netns_fd, struct str *ret_out)
{
	const struct child child = {.argv = argv, .timeout_us = command_timeout_us, .netns_fd = netns_fd};
	struct child_end end = {0};
	TRY(child_run(c, &child, &end));
	if (end.status != 0)
		return ctx_fail(c, ERR_IO, "strongSwan: %" STR_FMT,
				STR_ARG(str_slice(str_trim(end.err), 0, WORDS_SHOWN)));
	*ret_out = end.out;
	return OK;
}

RESULT daemon_start(struct ctx *c, struct vpn_place *place, int netns_fd)
{
	const char *pid = vpns_path(c, place, "pid");
	const char *const argv[] = {"env",
				    setting(c, place),
				    "start-stop-daemon",
				    "--start",
				    "--background",
				    "--make-pidfile",
				    "--pidfile",
				    pid,
				    "--exec",
				    program,
				    NULL};
	struct str out = STR_NONE;
	if (access(program, X_OK) != 0)
		return ctx_fail(c, ERR_IO, "the package charon-systemd is not installed");
	TRY(file_delete(c, pid));
	TRY(file_delete(c, vpns_path(c, place, "vici")));
	TRY(units_are_used(place) ? units_start_daemon(c, place) : run(c, argv, netns_fd, &out));
	for (int k = 0; k < TRIES && !(place->pid && file_exists(vpns_path(c, place, "vici"))); k++) {
		clock_sleep_us(pause_us);
		daemon_find(c, place);
	}
	return place->pid ? OK : ctx_fail(c, ERR_IO, "charon has ended as soon as it was started");
}

RESULT daemon_ask(struct ctx *c, const struct vpn_place *place, const char *const *command,
		  struct str *ret_answer)
{
	enum { WORDS_MAX = 12 };
	const char *argv[WORDS_MAX + 6] = {"env", setting(c, place), "swanctl"};
	struct str socket = str_print(c->arena, "unix://%s/vici", place->directory);
	size_t count = 3;
	for (size_t k = 0; command[k] && k < WORDS_MAX; k++)
		argv[count++] = command[k];
	argv[count++] = "--uri";
	argv[count] = str_to_z(c->arena, socket);
	return run(c, argv, 0, ret_answer);
}

RESULT daemon_load(struct ctx *c, const struct vpn_place *place)
{
	const char *const command[] = {"--load-all", "--noprompt", "--file",
				       vpns_path(c, place, "swanctl.conf"), NULL};
	struct str out = STR_NONE;
	struct result loaded = daemon_ask(c, place, command, &out);
	if (loaded.code != ERR_IO)
		return loaded;
	struct str why = c->problem.message;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_AGAIN, "%" STR_FMT, STR_ARG(why));
}

static void ask_quietly(struct ctx *c, const struct vpn_place *place, const char *const *command)
{
	struct ctx quiet;
	struct str out = STR_NONE;
	ctx_init(&quiet, c->arena);
	IGNORE(daemon_ask(&quiet, place, command, &out));
}

/* There may be none. */
void daemon_terminate(struct ctx *c, const struct vpn_place *place, const char *connection)
{
	const char *const command[] = {"--terminate", "--ike", connection, "--force", "--timeout", "2", NULL};
	ask_quietly(c, place, command);
}

/* The peer may not answer yet; charon tries again by itself. */
void daemon_initiate(struct ctx *c, const struct vpn_place *place, const char *connection)
{
	const char *const command[] = {"--initiate", "--ike", connection, "--timeout", "-1", NULL};
	ask_quietly(c, place, command);
}

void daemon_end(struct ctx *c, struct vpn_place *place)
{
	struct ctx quiet;
	ctx_init(&quiet, c->arena);
	if (units_are_used(place))
		IGNORE(units_stop_daemon(&quiet, place)); /* found below if it goes on */
	daemon_find(c, place);
	for (int k = 0; k < TRIES && place->pid; k++) {
		(void) kill(place->pid, k < TRIES / 2 ? SIGTERM : SIGKILL);
		clock_sleep_us(pause_us);
		daemon_find(c, place);
	}
}
