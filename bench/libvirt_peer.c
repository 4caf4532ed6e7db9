/* SPDX-License-Identifier: Apache-2.0
 * The other side of "request to running": what a plain C program needs to make the same volumes, the first
 * over the same cached image, define the same domain and start it, on the same host, over one connection.
 *
 *     libvirt_peer uri=… pool=DIRECTORY xml=FILE uuids=A,B,C volumes=NAME:BYTES:IMAGE,NAME:BYTES: count=5
 *
 * xml is a definition of dari's; each run draws new values for the UUIDs in it, wherever they stand.
 * volumes are the disks as the definition names them, with the file that each lies over. A line for each run:
 * clone_ms, define_ms, start_ms, all_ms. */
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>

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
};

struct made {
	virStorageVolPtr volumes[VOLUMES_MAX];
	size_t volume_count;
	virDomainPtr domain;
	int64_t at_us[4];
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

/* wanted: NAME:BYTES:IMAGE, the image empty for a disk that lies over none. */
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

/* New UUIDs for the old: a domain's begins as dari's do. */
static void rename_all(struct peer *p, struct str *ret_xml, struct str *ret_volumes)
{
	struct str rest = p->uuids, old;
	struct str xml = p->xml, volumes = p->volumes;
	while (str_split_next(&rest, ',', &old)) {
		struct str new = uuid_to_str(p->c->arena, uuid_random());
		xml = replace(p->c, xml, old, new);
		volumes = replace(p->c, volumes, old, new);
	}
	*ret_xml = xml;
	*ret_volumes = volumes;
}

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

static RESULT make(struct peer *p, struct made *m)
{
	struct str xml = STR_NONE, volumes = STR_NONE;
	rename_all(p, &xml, &volumes);
	m->at_us[0] = clock_monotonic_us();
	TRY(make_volumes(p, volumes, m));
	m->at_us[1] = clock_monotonic_us();
	m->domain = virDomainDefineXML(p->conn, str_to_z(p->c->arena, xml));
	if (!m->domain)
		return fail(p, "defining");
	m->at_us[2] = clock_monotonic_us();
	if (virDomainCreate(m->domain) != 0)
		return fail(p, "starting");
	m->at_us[3] = clock_monotonic_us();
	return OK;
}

/* Whatever of it was made. */
static void unmake(struct made *m)
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
		struct result result = make(p, &m);
		unmake(&m);
		TRY(result);
#define MS(from, to) ((double) (m.at_us[to] - m.at_us[from]) / (double) MILLISECOND)
		(void) printf("clone_ms=%.2f define_ms=%.2f start_ms=%.2f all_ms=%.2f\n", MS(0, 1), MS(1, 2),
			      MS(2, 3), MS(0, 3));
#undef MS
		(void) fflush(stdout);
	}
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
			    .volumes = arg_text(argc, argv, "volumes", STR_NONE),
			    .uuids = arg_text(argc, argv, "uuids", STR_NONE)};
	struct result result =
		file_read(&c, str_to_z(arena, arg_text(argc, argv, "xml", STR_NONE)), XML_CAP, &peer.xml);
	if (result_is_ok(result))
		result = run_all(&peer, str_to_z(arena, arg_text(argc, argv, "uri", STR_NONE)),
				 str_to_z(arena, arg_text(argc, argv, "pool", STR_NONE)),
				 arg_int(argc, argv, "count", 5));
	if (peer.pool)
		virStoragePoolFree(peer.pool);
	if (peer.conn)
		virConnectClose(peer.conn);
	return result_is_ok(result) ? 0 : client_fail(&c, result);
}
