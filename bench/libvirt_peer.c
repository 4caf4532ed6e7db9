/* SPDX-License-Identifier: Apache-2.0
 * The peer of "request to running": a plain C program that creates the same volumes (the first over the same cached
 * image) and the same OVN ports, then defines and starts the same domain, on the same host, over one connection each to
 * libvirt and to OVN's northbound database.
 *
 *     libvirt_peer uri=… pool=DIRECTORY xml=FILE uuids=A,B,C volumes=NAME:BYTES:IMAGE,NAME:BYTES: nb=PATH
 *             plug=FILE unplug=FILE count=5
 *
 * xml is a definition by dari; each run replaces the UUIDs in it by new ones.
 * volumes are the disks as the definition names them, each with its backing file; plug and unplug are
 * transactions (RFC 7047, "params") that create and delete the domain's ports. Prints a line for each run:
 * clone_ms, plug_ms, define_ms, start_ms, all_ms. */
#include <errno.h>
#include <jansson.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/uuid.h"
#include "client.h"

enum { XML_CAP = 1024 * 1024, PEER_ARENA_CAP = 64 * 1024 * 1024, VOLUMES_MAX = 16 };

struct peer {
	struct ctx *c;
	virConnectPtr conn;
	virStoragePoolPtr pool;
	struct str xml, uuids, volumes;
	struct str plug, unplug;
	int nb;
};

/* Objects that one run creates, with the UUIDs of that run. */
struct wanted {
	struct str xml, volumes, plug, unplug;
};

struct made {
	virStorageVolPtr volumes[VOLUMES_MAX];
	size_t volume_count;
	virDomainPtr domain;
	bool is_plugged;
	int64_t at_us[5];
};

static RESULT fail(struct peer *p, const char *doing)
{
	const char *why = virGetLastErrorMessage();
	return ctx_fail(p->c, ERR_IO, "%s: %s", doing, why ? why : "?");
}

static struct str replace(struct ctx *c, struct str text, struct str old, struct str new)
{
	struct buf b;
	buf_init(&b, XML_CAP);
	for (const char *at; old.n && (at = memmem(text.p, text.n, old.p, old.n));) {
		size_t n = (size_t) (at - text.p);
		buf_add(&b, text.p, n);
		buf_add_str(&b, new);
		text = str_slice(text, n + old.n, text.n);
	}
	buf_add_str(&b, text);
	struct str made = str_copy(c->arena, buf_str(&b));
	buf_done(&b);
	return made;
}

/* wanted: NAME:BYTES:IMAGE; IMAGE is empty for a disk without a backing file. */
static struct str write_volume(struct peer *p, struct str wanted)
{
	struct str name, size, image;
	(void) str_split_next(&wanted, ':', &name);
	(void) str_split_next(&wanted, ':', &size);
	image = wanted;
	struct str backing = STR_NONE;
	if (image.n)
		backing = str_print(p->c->arena,
				    "<backingStore><path>%" STR_FMT
				    "</path><format type='qcow2'/></backingStore>",
				    STR_ARG(image));
	return str_print(
		p->c->arena,
		"<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>%" STR_FMT
		"</capacity><allocation>0</allocation><target><format type='qcow2'/><compat>1.1</compat>"
		"</target>%" STR_FMT "</volume>",
		STR_ARG(name), STR_ARG(size), STR_ARG(backing));
}

/* Replaces dari's UUIDs by new random ones in all texts. */
static struct wanted rename_all(struct peer *p)
{
	struct str rest = p->uuids, old;
	struct wanted w = {p->xml, p->volumes, p->plug, p->unplug};
	while (str_split_next(&rest, ',', &old)) {
		struct str new = uuid_to_str(p->c->arena, uuid_random());
		w.xml = replace(p->c, w.xml, old, new);
		w.volumes = replace(p->c, w.volumes, old, new);
		w.plug = replace(p->c, w.plug, old, new);
		w.unplug = replace(p->c, w.unplug, old, new);
	}
	return w;
}

/* ---- OVN ---- */

static RESULT connect_nb(struct peer *p, struct str path)
{
	struct sockaddr_un where = {.sun_family = AF_UNIX};
	if (path.n >= sizeof where.sun_path)
		return ctx_fail(p->c, ERR_INVALID, "nb= is too long");
	memcpy(where.sun_path, path.p, path.n);
	p->nb = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (p->nb < 0 || connect(p->nb, (struct sockaddr *) &where, sizeof where) != 0)
		return ctx_fail(p->c, ERR_GONE, "%" STR_FMT ": %s", STR_ARG(path), strerrordesc_np(errno));
	return OK;
}

static size_t read_some(void *to, size_t size, void *arg)
{
	ssize_t n = recv(((struct peer *) arg)->nb, to, size, 0);
	return n > 0 ? (size_t) n : (size_t) -1;
}

/* The answer is short, so it arrives whole, and nothing follows it. */
static RESULT transact(struct peer *p, struct str params)
{
	json_t *answer = NULL;
	if (dprintf(p->nb, "{\"method\":\"transact\",\"id\":0,\"params\":%" STR_FMT "}", STR_ARG(params)) < 0)
		return ctx_fail(p->c, ERR_GONE, "northbound database: %s", strerrordesc_np(errno));
	answer = json_load_callback(read_some, p, JSON_DISABLE_EOF_CHECK, NULL);
	/* The server reports no error if the row to change does not exist, so the count is checked here. */
	const json_t *results = json_object_get(answer, "result"), *result = NULL;
	bool is_fine = json_is_array(results);
	size_t n = 0;
	json_array_foreach (results, n, result)
		is_fine = is_fine && json_is_object(result) && !json_object_get(result, "error") &&
			  (!json_object_get(result, "count") ||
			   json_integer_value(json_object_get(result, "count")) == 1);
	char *words = is_fine ? NULL : json_dumps(answer, JSON_ENCODE_ANY);
	struct result done = is_fine ? OK : ctx_fail(p->c, ERR_INVALID, "northbound database: %s", words);
	free(words);
	json_decref(answer);
	return done;
}

/* ---- libvirt ---- */

static RESULT make_volumes(struct peer *p, struct str volumes, struct made *m)
{
	struct str wanted;
	while (m->volume_count < VOLUMES_MAX && str_split_next(&volumes, ',', &wanted)) {
		virStorageVolPtr volume =
			virStorageVolCreateXML(p->pool, str_to_z(p->c->arena, write_volume(p, wanted)), 0);
		if (!volume)
			return fail(p, "cloning");
		m->volumes[m->volume_count++] = volume;
	}
	return OK;
}

static RESULT make(struct peer *p, const struct wanted *w, struct made *m)
{
	m->at_us[0] = clock_monotonic_us();
	TRY(make_volumes(p, w->volumes, m));
	m->at_us[1] = clock_monotonic_us();
	TRY(transact(p, w->plug));
	m->is_plugged = true;
	m->at_us[2] = clock_monotonic_us();
	m->domain = virDomainDefineXML(p->conn, str_to_z(p->c->arena, w->xml));
	if (!m->domain)
		return fail(p, "defining");
	m->at_us[3] = clock_monotonic_us();
	if (virDomainCreate(m->domain) != 0)
		return fail(p, "starting");
	m->at_us[4] = clock_monotonic_us();
	return OK;
}

/* Deletes the objects that the run created. */
static RESULT unmake(struct peer *p, const struct wanted *w, struct made *m)
{
	if (m->domain) {
		(void) virDomainDestroy(m->domain);
		(void) virDomainUndefine(m->domain);
		virDomainFree(m->domain);
	}
	for (size_t k = 0; k < m->volume_count; k++) {
		(void) virStorageVolDelete(m->volumes[k], 0);
		virStorageVolFree(m->volumes[k]);
	}
	return m->is_plugged ? transact(p, w->unplug) : OK;
}

static RESULT run_all(struct peer *p, const char *uri, const char *pool, int64_t count)
{
	p->conn = virConnectOpen(uri);
	if (!p->conn)
		return fail(p, uri);
	p->pool = virStoragePoolLookupByTargetPath(p->conn, pool);
	if (!p->pool)
		return fail(p, pool);
	for (int64_t k = 0; k < count; k++) {
		struct made m = {0};
		const struct wanted w = rename_all(p);
		struct result made = make(p, &w, &m), unmade = unmake(p, &w, &m);
		TRY(made);
		TRY(unmade);
#define MS(from, to) ((double) (m.at_us[to] - m.at_us[from]) / (double) MILLISECOND)
		(void) printf("clone_ms=%.2f plug_ms=%.2f define_ms=%.2f start_ms=%.2f all_ms=%.2f\n",
			      MS(0, 1), MS(1, 2), MS(2, 3), MS(3, 4), MS(0, 4));
#undef MS
		(void) fflush(stdout);
	}
	return OK;
}

static RESULT read_all(struct peer *p, int argc, char **argv)
{
	const struct {
		const char *name;
		struct str *text;
	} files[] = {{"xml", &p->xml}, {"plug", &p->plug}, {"unplug", &p->unplug}};
	for (size_t k = 0; k < sizeof files / sizeof files[0]; k++)
		TRY(file_read(p->c, str_to_z(p->c->arena, arg_text(argc, argv, files[k].name, STR_NONE)),
			      XML_CAP, files[k].text));
	return OK;
}

int main(int argc, char **argv)
{
	struct ctx c;
	AUTO(arena) arena = arena_new(ARENA_FIRST_SIZE, PEER_ARENA_CAP);
	if (!arena)
		return 1;
	ctx_init(&c, arena);
	struct peer peer = {.c = &c,
			    .nb = -1,
			    .volumes = arg_text(argc, argv, "volumes", STR_NONE),
			    .uuids = arg_text(argc, argv, "uuids", STR_NONE)};
	struct result result = read_all(&peer, argc, argv);
	if (result_is_ok(result))
		result = connect_nb(&peer, arg_text(argc, argv, "nb", STR_NONE));
	if (result_is_ok(result))
		result = run_all(&peer, str_to_z(arena, arg_text(argc, argv, "uri", STR_NONE)),
				 str_to_z(arena, arg_text(argc, argv, "pool", STR_NONE)),
				 arg_int(argc, argv, "count", 5));
	if (peer.pool)
		virStoragePoolFree(peer.pool);
	fd_autoclose(&peer.nb);
	if (peer.conn)
		virConnectClose(peer.conn);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
