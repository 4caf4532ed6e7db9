/* SPDX-License-Identifier: Apache-2.0
 * The driver of HAProxy (proxy.h). Everything about a proxy is found by its directory, so the driver remembers nothing. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/heap.h"
#include "drivers/haproxy/haproxy.h"
#include "drivers/ovsdb/ovsdb.h"
#include "drivers/switch_port.h"

struct proxies {
	char *directory, *ovsdb; /* owned */
	char *units;             /* owned; NULL: processes are children */
	uuid region;
	pthread_mutex_t lock;  /* guards the next two; the database has a lock of its own */
	struct ovsdb *vswitch; /* NULL: not opened yet */
	unsigned made;         /* counter for link names, starting at a value that an earlier process has
				* probably not used */
};

RESULT proxies_switch(struct proxies *p, struct ctx *c, struct ovsdb **ret_switch)
{
	(void) pthread_mutex_lock(&p->lock);
	struct result opened = p->vswitch ? OK : switch_open(c, str_from(p->ovsdb), &p->vswitch);
	*ret_switch = p->vswitch;
	(void) pthread_mutex_unlock(&p->lock);
	return opened;
}

uuid proxies_region(const struct proxies *p)
{
	return p->region;
}

unsigned proxies_next(struct proxies *p)
{
	(void) pthread_mutex_lock(&p->lock);
	unsigned next = p->made++;
	(void) pthread_mutex_unlock(&p->lock);
	return next;
}

const char *proxies_units(const struct proxies *p)
{
	return p ? p->units : NULL;
}

static RESULT find_place(struct proxies *p, struct ctx *c, uuid id, struct proxy_place *ret_place)
{
	char text[UUID_TEXT_SIZE];
	struct str path = str_print(c->arena, "%s/%s%c", p->directory, uuid_write(id, text), 0);
	if (!path.p)
		return ctx_no_memory(c);
	*ret_place = (struct proxy_place){.proxies = p, .id = id, .directory = path.p};
	return OK;
}

/* ---- apply ---- */

static struct str read_config(struct ctx *c, const struct proxy_place *place)
{
	struct ctx quiet;
	struct str text = STR_NONE;
	ctx_init(&quiet, c->arena);
	/* absent: the proxy is new */
	IGNORE(file_read(&quiet, place_path(c, place, "haproxy.cfg"), CONFIG_CAP, &text));
	return text;
}

/* The next line that is not a server's. */
static bool next_line(struct str *rest, struct str *ret_line)
{
	while (str_split_next(rest, '\n', ret_line))
		if (!str_starts_with(*ret_line, STR("  server ")))
			return true;
	return false;
}

/* True if both have the same lines but for servers'. HAProxy then accepts one as it accepts the other: a server's line is made of
 * numbers and of words that its group decides. */
static bool differ_in_servers_alone(struct str former, struct str next)
{
	struct str a = STR_NONE, b = STR_NONE;
	while (next_line(&former, &a))
		if (!next_line(&next, &b) || !str_equal(a, b))
			return false;
	return !next_line(&next, &b);
}

/* Puts the configuration into its place once HAProxy accepts it. The check costs as much processor time as a reload. former: a configuration
 * that HAProxy has accepted; empty: none. */
static RESULT write_config(struct ctx *c, const struct proxy_place *place, struct str text, struct str former)
{
	TRY(file_write_synced(c, place_path(c, place, "next.cfg"), text, 0600));
	if (!former.n || !differ_in_servers_alone(former, text))
		TRY(process_check(c, place));
	TRY(file_write_synced(c, place_path(c, place, "reload"), STR(""), 0600));
	return file_rename_synced(c, place_path(c, place, "next.cfg"), place_path(c, place, "haproxy.cfg"));
}

static RESULT start(struct ctx *c, struct proxy_place *place, const struct proxy_wish *wish, struct str text)
{
	AUTO_FD netns = -1;
	TRY(file_write_synced(c, place_path(c, place, "servers"), STR("1\n"), 0600)); /* nothing is known */
	TRY(write_config(c, place, text, STR_NONE));
	TRY(namespace_make(c, place, wish, &netns));
	TRY(process_start(c, place, netns));
	return file_delete(c, place_path(c, place, "reload"));
}

/* The file "reload" is there while a configuration may be in its place that the process has not been told of. */
static RESULT change(struct ctx *c, struct proxy_place *place, const struct proxy_wish *wish, struct str text)
{
	const char *untold = place_path(c, place, "reload");
	TRY(namespace_change(c, place, wish));
	struct str former = read_config(c, place);
	if (str_equal(former, text) && !file_exists(untold))
		return OK;
	TRY(write_config(c, place, text, former));
	TRY(process_reload(c, place, wish));
	return file_delete(c, untold);
}

/* Closes the directory of a proxy without access logs to everybody but root. */
static RESULT close_log(struct ctx *c, const struct proxy_place *place)
{
	const char *socket = place_path(c, place, ACCESS_SOCKET);
	if (!file_exists(socket))
		return OK;
	if (chmod(place->directory, 0700) != 0)
		return ctx_fail(c, ERR_IO, "cannot close %s: %s", place->directory, strerrordesc_np(errno));
	return file_delete(c, socket);
}

static RESULT apply_text(struct ctx *c, struct proxy_place *place, const struct proxy_wish *wish,
			 struct str text)
{
	struct config_files files = {0};
	TRY(config_gather_files(c, wish, &files));
	TRY(file_make_directory(c, place->directory, 0700));
	TRY(files_write(c, place, &files));
	TRY(place->pid ? change(c, place, wish, text) : start(c, place, wish, text));
	files_sweep(c, place, &files);
	return config_logs(wish) ? OK : close_log(c, place);
}

static RESULT apply(struct proxies *p, struct ctx *c, const struct proxy_wish *wish)
{
	struct proxy_place place;
	struct buf text;
	TRY(find_place(p, c, wish->id, &place));
	process_find(c, &place);
	buf_init(&text, CONFIG_CAP);
	struct result applied = config_write(c, wish, &text);
	if (result_is_ok(applied))
		applied = apply_text(c, &place, wish, buf_str(&text));
	buf_done(&text);
	return applied;
}

/* ---- the other calls ---- */

static RESULT remove_proxy(struct proxies *p, struct ctx *c, uuid proxy)
{
	struct proxy_place place;
	TRY(find_place(p, c, proxy, &place));
	if (!file_exists(place.directory))
		return OK;
	process_end(c, &place);
	if (place.pid)
		return ctx_fail(c, ERR_AGAIN, "the proxy's process does not end");
	TRY(namespace_remove(c, &place));
	if (units_run(&place))
		TRY(units_remove_namespace(c, &place));
	file_remove_tree(place.directory);
	return OK;
}

static RESULT see(struct proxies *p, struct ctx *c, uuid proxy, struct proxy_server_state **ret_states,
		  size_t *ret_count)
{
	struct proxy_place place;
	struct str csv = STR_NONE;
	TRY(find_place(p, c, proxy, &place));
	TRY(state_ask(c, &place, "show stat -1 4 -1", &csv));
	return state_read(c, csv, ret_states, ret_count);
}

static RESULT admit(struct proxies *p, struct ctx *c, uuid proxy, uuid group, uuid target)
{
	struct proxy_place place;
	struct str answer = STR_NONE;
	char name[CONFIG_GROUP_NAME_SIZE], id[2 * sizeof target.b + 1];
	config_write_hex(target.b, sizeof target.b, id);
	struct str command =
		str_print(c->arena, "set server %s/t%s health up", config_group_name(group, name), id);
	TRY(find_place(p, c, proxy, &place));
	return state_ask(c, &place, str_to_z(c->arena, command), &answer);
}

static RESULT count_listeners(struct proxies *p, struct ctx *c, uuid proxy,
			      struct proxy_listener_state **ret_states, size_t *ret_count)
{
	struct proxy_place place;
	struct str answer = STR_NONE;
	TRY(find_place(p, c, proxy, &place));
	TRY(state_ask(c, &place, "show info;show stat -1 1 -1", &answer));
	return state_read_listeners(c, answer, ret_states, ret_count);
}

/* ---- access logs ---- */

/* HAProxy's workers, which run as another user, find the socket by their working directory and need to search that one alone. The
 * directory above keeps everybody else out, whoever made it. */
static RESULT open_log(struct proxies *p, struct ctx *c, uuid proxy, int *ret_fd)
{
	struct proxy_place place;
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	TRY(find_place(p, c, proxy, &place));
	AUTO_FD directory = open(place.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO_FD fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (directory < 0)
		return ctx_fail(c, ERR_GONE, "the proxy has no directory");
	if (chmod(p->directory, 0700) != 0)
		return ctx_fail(c, ERR_IO, "cannot close %s to others: %s", p->directory,
				strerrordesc_np(errno));
	TRY(file_delete(c, place_path(c, &place, ACCESS_SOCKET)));
	snprintf(at.sun_path, sizeof at.sun_path, "/proc/self/fd/%d/" ACCESS_SOCKET, directory);
	if (fd < 0 || bind(fd, (const struct sockaddr *) &at, sizeof at) != 0 ||
	    chmod(place_path(c, &place, ACCESS_SOCKET), 0666) != 0 || fchmod(directory, 0711) != 0)
		return ctx_fail(c, ERR_IO, "cannot receive access logs: %s", strerrordesc_np(errno));
	*ret_fd = fd;
	fd = -1;
	return OK;
}

static RESULT see_log(struct proxies *p, struct ctx *c, uuid proxy, struct proxy_log_state *ret_state)
{
	struct proxy_place place;
	struct str answer = STR_NONE;
	TRY(find_place(p, c, proxy, &place));
	TRY(state_ask(c, &place, "show info", &answer));
	TRY(state_read_log(c, answer, ret_state));
	ret_state->has_socket = file_exists(place_path(c, &place, ACCESS_SOCKET));
	return OK;
}

static void close_proxies(struct proxies *p)
{
	if (!p)
		return;
	if (p->vswitch)
		ovsdb_close(p->vswitch);
	(void) pthread_mutex_destroy(&p->lock);
	heap_free(p->directory);
	heap_free(p->ovsdb);
	heap_free(p->units);
	heap_free(p);
}

static const struct proxy_driver driver = {.apply = apply,
					   .remove = remove_proxy,
					   .see = see,
					   .admit = admit,
					   .count = count_listeners,
					   .open_log = open_log,
					   .see_log = see_log,
					   .close = close_proxies};

RESULT haproxy_open(struct ctx *c, const struct haproxy_config *config, struct proxy_handle *ret_proxies)
{
	struct proxies *p = heap_new(struct proxies);
	if (!p)
		return ctx_no_memory(c);
	(void) pthread_mutex_init(&p->lock, NULL);
	p->region = config->region;
	p->made = (unsigned) (clock_system_us() / SECOND);
	p->directory = heap_copy_z(str_to_z(c->arena, config->directory));
	p->ovsdb = heap_copy_z(str_to_z(c->arena, config->ovsdb));
	p->units = config->units.n ? heap_copy_z(str_to_z(c->arena, config->units)) : NULL;
	if (!p->directory || !p->ovsdb || (config->units.n && !p->units)) {
		close_proxies(p);
		return ctx_no_memory(c);
	}
	*ret_proxies = (struct proxy_handle){&driver, p};
	return OK;
}
