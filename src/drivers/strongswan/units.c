/* SPDX-License-Identifier: Apache-2.0
 * Daemons of tunnels as units of systemd: dari-tunnel@ID.service, each with a unit for its namespace. charon then has the rights
 * that it needs, and dari none of these. The units find a tunnel's files by a link, UNITS/ID -> DIRECTORY, because the data
 * directory may be anywhere. Commands go through systemctl, which root may call without capabilities. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/child.h"
#include "base/clock.h"
#include "base/file.h"
#include "drivers/strongswan/strongswan.h"

/* Longer than the units' own limits. */
static const int64_t systemctl_timeout_us = 30 * SECOND;
enum { WORDS_SHOWN = 1024 };
static const char unit_main[] = "dari-tunnel", unit_namespace[] = "dari-tunnel-netns";

bool units_are_used(const struct vpn_place *place)
{
	return vpns_units(place->vpns) != NULL;
}

static RESULT call(struct ctx *c, const struct vpn_place *place, const char *verb, const char *unit,
		   struct child_end *ret_end)
{
	char id[UUID_TEXT_SIZE];
	struct str name = str_print(c->arena, "%s@%s.service", unit, uuid_write(place->id, id));
	const char *const argv[] = {"systemctl", "--no-ask-password", verb, str_to_z(c->arena, name), NULL};
	const struct child child = {.argv = argv, .timeout_us = systemctl_timeout_us};
	return child_run(c, &child, ret_end);
}

/* Calls systemctl and expects success. */
static RESULT order(struct ctx *c, const struct vpn_place *place, const char *verb, const char *unit)
{
	struct child_end end = {0};
	TRY(call(c, place, verb, unit, &end));
	if (end.status != 0)
		return ctx_fail(c, ERR_IO, "systemctl %s %s: %" STR_FMT, verb, unit,
				STR_ARG(str_slice(str_trim(end.err), 0, WORDS_SHOWN)));
	return OK;
}

/* ---- files ---- */

static const char *link_path(struct ctx *c, const struct vpn_place *place)
{
	char id[UUID_TEXT_SIZE];
	struct str path = str_print(c->arena, "%s/%s", vpns_units(place->vpns), uuid_write(place->id, id));
	return str_to_z(c->arena, path);
}

/* The directory of links is below /run: it is gone after a restart of the machine or of dari. */
static RESULT make_link(struct ctx *c, const struct vpn_place *place)
{
	const char *path = link_path(c, place);
	TRY(file_make_directory(c, vpns_units(place->vpns), 0700));
	(void) unlink(path);
	if (symlink(place->directory, path) != 0)
		return ctx_fail(c, ERR_IO, "cannot make the link %s: %s", path, strerrordesc_np(errno));
	return OK;
}

/* ---- the process ---- */

void units_find_daemon(struct ctx *c, struct vpn_place *place)
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

RESULT units_start_daemon(struct ctx *c, const struct vpn_place *place)
{
	TRY(make_link(c, place));
	return order(c, place, "restart", unit_main);
}

RESULT units_stop_daemon(struct ctx *c, const struct vpn_place *place)
{
	return order(c, place, "stop", unit_main);
}

/* ---- the namespace ---- */

static int open_namespace(struct ctx *c, const struct vpn_place *place)
{
	char id[UUID_TEXT_SIZE];
	struct str path = str_print(c->arena, "/run/netns/dari-%s", uuid_write(place->id, id));
	return open(str_to_z(c->arena, path), O_RDONLY | O_CLOEXEC);
}

RESULT units_build_namespace(struct ctx *c, const struct vpn_place *place, int *ret_fd)
{
	TRY(order(c, place, "restart", unit_namespace));
	*ret_fd = open_namespace(c, place);
	return *ret_fd >= 0 ? OK : ctx_fail(c, ERR_IO, "the namespace of the tunnel cannot be opened");
}

RESULT units_drop_namespace(struct ctx *c, const struct vpn_place *place)
{
	TRY(order(c, place, "stop", unit_namespace));
	return file_delete(c, link_path(c, place));
}
