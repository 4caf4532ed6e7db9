/* SPDX-License-Identifier: Apache-2.0
 * The driver of strongSwan (vpn.h). Everything about a tunnel is found by its directory, so the driver remembers nothing. */
#include <fcntl.h>
#include <pthread.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/file.h"
#include "base/heap.h"
#include "drivers/ovsdb/ovsdb.h"
#include "drivers/strongswan/strongswan.h"
#include "drivers/switch_port.h"
#include "model/vpn_tunnel.h"

struct vpns {
	char *directory, *ovsdb; /* owned */
	char *units;             /* owned; NULL: there is no systemd */
	uuid region;
	pthread_mutex_t lock;  /* guards the next two; the database has a lock of its own */
	struct ovsdb *vswitch; /* NULL: not opened yet */
	unsigned
		made; /* counter for link names, starting at a value that an earlier process has probably not used */
};

RESULT vpns_switch(struct vpns *v, struct ctx *c, struct ovsdb **ret_switch)
{
	(void) pthread_mutex_lock(&v->lock);
	struct result opened = v->vswitch ? OK : switch_open(c, str_from(v->ovsdb), &v->vswitch);
	*ret_switch = v->vswitch;
	(void) pthread_mutex_unlock(&v->lock);
	return opened;
}

uuid vpns_region(const struct vpns *v)
{
	return v->region;
}

unsigned vpns_next(struct vpns *v)
{
	(void) pthread_mutex_lock(&v->lock);
	unsigned next = v->made++;
	(void) pthread_mutex_unlock(&v->lock);
	return next;
}

const char *vpns_units(const struct vpns *v)
{
	return v->units;
}

const char *vpns_path(struct ctx *c, const struct vpn_place *place, const char *name)
{
	return str_to_z(c->arena, str_print(c->arena, "%s/%s", place->directory, name));
}

static RESULT find_place(struct vpns *v, struct ctx *c, uuid id, struct vpn_place *ret_place)
{
	char text[UUID_TEXT_SIZE];
	struct str path = str_print(c->arena, "%s/%s%c", v->directory, uuid_write(id, text), 0);
	if (!path.p)
		return ctx_no_memory(c);
	*ret_place = (struct vpn_place){.vpns = v, .id = id, .directory = path.p};
	daemon_find(c, ret_place);
	return OK;
}

/* ---- files ---- */

static struct str read_file(struct ctx *c, const struct vpn_place *place, const char *name)
{
	struct ctx quiet;
	struct str text = STR_NONE;
	ctx_init(&quiet, c->arena);
	IGNORE(file_read(&quiet, vpns_path(c, place, name), CONFIG_CAP_SIZE, &text)); /* absent: empty */
	return text;
}

static RESULT write_file(struct ctx *c, const struct vpn_place *place, const char *name, struct str text)
{
	return file_write_synced(c, vpns_path(c, place, name), text, 0600);
}

/* Files of a tunnel as text. */
struct texts {
	struct str daemon, connections, link;
};

static RESULT write_texts(struct ctx *c, const struct vpn_place *place, const struct vpn_wish *wish,
			  bool in_kernel, struct texts *ret_texts)
{
	TRY(config_write_daemon(c, wish, place->directory, in_kernel, &ret_texts->daemon));
	TRY(config_write_connections(c, wish, in_kernel, &ret_texts->connections));
	ret_texts->link = namespace_describe(c, wish);
	return ret_texts->link.p ? OK : ctx_no_memory(c);
}

/* ---- apply ---- */

static RESULT remove_place(struct ctx *c, struct vpn_place *place)
{
	if (!file_exists(place->directory))
		return OK;
	daemon_end(c, place);
	if (place->pid)
		return ctx_fail(c, ERR_AGAIN, "the tunnel's daemon does not end");
	TRY(namespace_unplug(c, place));
	if (units_are_used(place))
		TRY(units_drop_namespace(c, place));
	file_remove_tree(place->directory);
	return OK;
}

/* A namespace ends with its daemon, so a start begins anew. */
static RESULT start(struct ctx *c, struct vpn_place *place, const struct vpn_wish *wish)
{
	AUTO_FD netns = -1;
	bool in_kernel = false;
	struct texts texts = {0};
	TRY(file_make_directory(c, place->directory, 0700));
	TRY(namespace_build(c, place, wish, &netns, &in_kernel));
	TRY(write_texts(c, place, wish, in_kernel, &texts));
	TRY(write_file(c, place, "reload", STR("")));
	TRY(write_file(c, place, "esp", in_kernel ? STR("kernel") : STR("user")));
	TRY(write_file(c, place, "strongswan.conf", texts.daemon));
	TRY(write_file(c, place, "swanctl.conf", texts.connections));
	TRY(write_file(c, place, "link", texts.link));
	TRY(daemon_start(c, place, netns));
	TRY(namespace_route(c, place, wish, netns));
	TRY(daemon_load(c, place));
	return file_delete(c, vpns_path(c, place, "reload"));
}

static bool is_alone(const struct vpn_wish *wish)
{
	return uuid_equal(wish->peers[0].tunnel->row.id, wish->id);
}

static bool begins(const struct vpn_peer *peer)
{
	return peer->tunnel->startup == VPN_TUNNEL_STARTUP_START;
}

/* True if a new daemon has to read the files. charon runs a start action only for a connection that is new to it, so a reload would
 * leave a tunnel that begins itself down after a new key or a reset. */
static bool needs_start(struct ctx *c, const struct vpn_place *place, const struct vpn_wish *wish,
			const struct texts *texts)
{
	return !str_equal(read_file(c, place, "link"), texts->link) ||
	       !str_equal(read_file(c, place, "strongswan.conf"), texts->daemon) ||
	       (is_alone(wish) && begins(&wish->peers[0]) &&
		!str_equal(read_file(c, place, "swanctl.conf"), texts->connections));
}

/* Ends the tunnels that have left the file: charon keeps their security associations. */
static void end_gone(struct ctx *c, const struct vpn_place *place, struct str before, struct str now)
{
	struct str line = STR_NONE;
	while (str_split_next(&before, '\n', &line))
		if (str_starts_with(line, STR(TUNNEL_MARK)) && !str_contains(now, line))
			daemon_terminate(c, place,
					 str_to_z(c->arena, str_slice(line, sizeof TUNNEL_MARK - 1, line.n)));
}

/* Ends and begins the tunnels whose part of the file has changed. Other tunnels of the daemon go on. */
static RESULT reload(struct ctx *c, const struct vpn_place *place, const struct vpn_wish *wish,
		     struct str before, bool in_kernel)
{
	char name[UUID_TEXT_SIZE];
	struct str part = STR_NONE;
	for (size_t k = 0; k < wish->peer_count; k++) {
		TRY(config_write_peer(c, wish, &wish->peers[k], in_kernel, &part));
		config_name_peer(wish->id, wish->peers[k].tunnel->row.id, name);
		if (!str_contains(before, part))
			daemon_terminate(c, place, name);
	}
	TRY(daemon_load(c, place));
	for (size_t k = 0; k < wish->peer_count; k++) {
		TRY(config_write_peer(c, wish, &wish->peers[k], in_kernel, &part));
		config_name_peer(wish->id, wish->peers[k].tunnel->row.id, name);
		if (!str_contains(before, part) && begins(&wish->peers[k]))
			daemon_initiate(c, place, name);
	}
	return OK;
}

/* The file "reload" is there while the daemon may not have been told of a connection yet. It holds what the daemon was told last. */
static RESULT change(struct ctx *c, struct vpn_place *place, const struct vpn_wish *wish)
{
	const char *untold = vpns_path(c, place, "reload");
	bool in_kernel = str_is(read_file(c, place, "esp"), "kernel");
	struct texts texts = {0};
	TRY(write_texts(c, place, wish, in_kernel, &texts));
	if (needs_start(c, place, wish, &texts)) {
		TRY(remove_place(c, place));
		return start(c, place, wish);
	}
	struct str before = read_file(c, place, "swanctl.conf");
	if (str_equal(before, texts.connections) && !file_exists(untold))
		return OK;
	if (file_exists(untold))
		before = read_file(c, place, "reload");
	else
		TRY(write_file(c, place, "reload", before));
	TRY(write_file(c, place, "swanctl.conf", texts.connections));
	end_gone(c, place, before, texts.connections);
	TRY(reload(c, place, wish, before, in_kernel));
	return file_delete(c, untold);
}

static RESULT apply(struct vpns *v, struct ctx *c, const struct vpn_wish *wish)
{
	struct vpn_place place;
	TRY(file_make_directory(c, v->directory, 0700));
	TRY(find_place(v, c, wish->id, &place));
	return place.pid ? change(c, &place, wish) : start(c, &place, wish);
}

/* ---- the other calls ---- */

static RESULT remove_daemon(struct vpns *v, struct ctx *c, uuid daemon)
{
	struct vpn_place place;
	TRY(find_place(v, c, daemon, &place));
	return remove_place(c, &place);
}

static RESULT see(struct vpns *v, struct ctx *c, uuid daemon, uuid tunnel, bool *ret_is_up)
{
	char name[UUID_TEXT_SIZE];
	config_name_peer(daemon, tunnel, name);
	const char *const command[] = {"--list-sas", "--ike", name, "--raw", NULL};
	struct vpn_place place;
	struct str answer = STR_NONE;
	*ret_is_up = false;
	TRY(find_place(v, c, daemon, &place));
	if (!place.pid)
		return OK;
	TRY(daemon_ask(c, &place, command, &answer));
	*ret_is_up = str_contains(answer, STR("state=INSTALLED"));
	return OK;
}

static void close_vpns(struct vpns *v)
{
	if (!v)
		return;
	if (v->vswitch)
		ovsdb_close(v->vswitch);
	(void) pthread_mutex_destroy(&v->lock);
	heap_free(v->directory);
	heap_free(v->ovsdb);
	heap_free(v->units);
	heap_free(v);
}

static const struct vpn_driver driver = {
	.apply = apply, .remove = remove_daemon, .see = see, .close = close_vpns};

RESULT strongswan_open(struct ctx *c, const struct strongswan_config *config, struct vpn_handle *ret_vpns)
{
	struct vpns *v = heap_new(struct vpns);
	if (!v)
		return ctx_no_memory(c);
	(void) pthread_mutex_init(&v->lock, NULL);
	v->region = config->region;
	v->made = (unsigned) (clock_system_us() / SECOND);
	v->directory = heap_copy_z(str_to_z(c->arena, config->directory));
	v->ovsdb = heap_copy_z(str_to_z(c->arena, config->ovsdb));
	v->units = config->units.n ? heap_copy_z(str_to_z(c->arena, config->units)) : NULL;
	if (!v->directory || !v->ovsdb || (config->units.n && !v->units)) {
		close_vpns(v);
		return ctx_no_memory(c);
	}
	*ret_vpns = (struct vpn_handle){&driver, v};
	return OK;
}
