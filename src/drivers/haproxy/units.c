/* SPDX-License-Identifier: Apache-2.0
 * HAProxy's processes as units of systemd: dari-balancer@ID.service, with a namespace and a check of their own. HAProxy
 * then has the rights that it needs, and dari none of these. The units find a proxy's files by a link,
 * UNITS/ID -> DIRECTORY, because the data directory may be anywhere. Commands go through systemctl, which root may call
 * without capabilities. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "drivers/haproxy/haproxy.h"

/* Longer than the units' own limits. */
static const int64_t systemctl_timeout_us = 30 * SECOND;
enum { WORDS_CAP = 65536, WORDS_SHOWN = 1024 };
static const char unit_main[] = "dari-balancer", unit_check[] = "dari-balancer-check",
		  unit_namespace[] = "dari-balancer-netns";
static const char program[] = "/usr/sbin/haproxy"; /* the units name it so */

bool units_run(const struct proxy_place *place)
{
	return proxies_units(place->proxies) != NULL;
}

static RESULT call(struct ctx *c, const struct proxy_place *place, const char *verb, const char *unit,
		   struct child_end *ret_end)
{
	char id[UUID_TEXT_SIZE];
	struct str name = str_print(c->arena, "%s@%s.service", unit, uuid_write(place->id, id));
	const char *const argv[] = {"systemctl", "--no-ask-password", verb, str_to_z(c->arena, name), NULL};
	const struct child child = {.argv = argv, .timeout_us = systemctl_timeout_us};
	return child_run(c, &child, ret_end);
}

/* Calls systemctl and expects success. */
static RESULT order(struct ctx *c, const struct proxy_place *place, const char *verb, const char *unit)
{
	struct child_end end = {0};
	TRY(call(c, place, verb, unit, &end));
	if (end.status != 0)
		return ctx_fail(c, ERR_IO, "systemctl %s %s: %" STR_FMT, verb, unit,
				STR_ARG(str_slice(str_trim(end.err), 0, WORDS_SHOWN)));
	return OK;
}

/* ---- files ---- */

static const char *link_path(struct ctx *c, const struct proxy_place *place)
{
	char id[UUID_TEXT_SIZE];
	struct str path =
		str_print(c->arena, "%s/%s", proxies_units(place->proxies), uuid_write(place->id, id));
	return str_to_z(c->arena, path);
}

/* The directory of links is below /run: it is gone after a restart of the machine or of dari. */
static RESULT make_link(struct ctx *c, const struct proxy_place *place)
{
	const char *path = link_path(c, place);
	TRY(file_make_directory(c, proxies_units(place->proxies), 0700));
	(void) unlink(path);
	if (symlink(place->directory, path) != 0)
		return ctx_fail(c, ERR_IO, "cannot make the link %s: %s", path, strerrordesc_np(errno));
	return OK;
}

static struct str read_words(struct ctx *c, const struct proxy_place *place)
{
	struct ctx quiet;
	struct str words = STR_NONE;
	ctx_init(&quiet, c->arena);
	IGNORE(file_read(&quiet, place_path(c, place, "check"), WORDS_CAP, &words)); /* absent: none */
	return str_slice(str_trim(words), 0, WORDS_SHOWN);
}

/* ---- the process ---- */

void units_find(struct ctx *c, struct proxy_place *place)
{
	static const char key[] = "MainPID=";
	struct ctx quiet;
	struct child_end end = {0};
	struct str line = STR_NONE;
	int64_t pid = 0;
	ctx_init(&quiet, c->arena);
	place->pid = 0;
	if (!result_is_ok(call(&quiet, place, "show", unit_main, &end)))
		return;
	while (str_split_next(&end.out, '\n', &line))
		if (str_starts_with(line, str_from(key)) &&
		    result_is_ok(str_parse_int(str_slice(line, sizeof key - 1, line.n), &pid)))
			place->pid = (pid_t) pid;
}

RESULT units_check(struct ctx *c, const struct proxy_place *place)
{
	if (access(program, X_OK) != 0)
		return ctx_fail(c, ERR_IO, "the package haproxy is not installed");
	TRY(make_link(c, place));
	TRY(file_delete(c, place_path(c, place, "check")));
	struct result checked = order(c, place, "start", unit_check);
	struct str words = read_words(c, place);
	if (result_is_ok(checked) || !words.n)
		return checked;
	ctx_clear_problem(c);
	return ctx_fail(c, ERR_INVALID, "haproxy: %" STR_FMT, STR_ARG(words));
}

RESULT units_start(struct ctx *c, const struct proxy_place *place)
{
	TRY(make_link(c, place));
	return order(c, place, "restart", unit_main);
}

RESULT units_stop(struct ctx *c, const struct proxy_place *place)
{
	return order(c, place, "stop", unit_main);
}

/* ---- the namespace ---- */

int units_open_namespace(struct ctx *c, const struct proxy_place *place)
{
	char id[UUID_TEXT_SIZE];
	struct str path = str_print(c->arena, "/run/netns/dari-%s", uuid_write(place->id, id));
	return open(str_to_z(c->arena, path), O_RDONLY | O_CLOEXEC);
}

RESULT units_make_namespace(struct ctx *c, const struct proxy_place *place, int *ret_fd)
{
	TRY(order(c, place, "restart", unit_namespace));
	*ret_fd = units_open_namespace(c, place);
	return *ret_fd >= 0 ? OK : ctx_fail(c, ERR_IO, "the namespace of the proxy cannot be opened");
}

RESULT units_remove_namespace(struct ctx *c, const struct proxy_place *place)
{
	TRY(order(c, place, "stop", unit_namespace));
	return file_delete(c, link_path(c, place));
}
