/* SPDX-License-Identifier: Apache-2.0
 * Reads the serial console's log: a file on the host that QEMU or virtlogd appends to, accessed as a volume
 * of the console pool. */
#include <inttypes.h>

#include "drivers/libvirt/host.h"

/* Finds the log's volume, refreshing the pool if needed: libvirt discovers new files only then. */
static RESULT find_log(struct compute_host *h, struct ctx *c, uuid id, virStorageVolPtr *ret_volume)
{
	struct str name = libvirt_console_name(c->arena, h->region, id);
	TRY(libvirt_need_pools(h, c));
	TRY(libvirt_find_volume(h, c, h->consoles, name, ret_volume));
	if (*ret_volume)
		return OK;
	if (virStoragePoolRefresh(h->consoles, 0) != 0)
		return libvirt_fail(h, c, "reading the directory of console logs on host %s", h->name);
	return libvirt_find_volume(h, c, h->consoles, name, ret_volume);
}

/* The form is "1795161301.975891545". */
static int64_t parse_mtime(struct str text)
{
	struct str seconds = STR_NONE;
	int64_t s = 0, ns = 0;
	str_split_next(&text, '.', &seconds);
	if (!result_is_ok(str_parse_int(seconds, &s)))
		return 0;
	if (!result_is_ok(str_parse_int(str_slice(text, 0, 9), &ns)))
		ns = 0;
	return s * 1000000 + ns / 1000;
}

static RESULT receive(struct compute_host *h, struct ctx *c, virStreamPtr stream, char *p, size_t size,
		      size_t *ret_size)
{
	size_t have = 0;
	while (have < size) {
		int n = virStreamRecv(stream, p + have, size - have);
		if (n < 0)
			return libvirt_fail(h, c, "reading a file of host %s", h->name);
		if (n == 0)
			break;
		have += (size_t) n;
	}
	*ret_size = have;
	return OK;
}

RESULT libvirt_download(struct compute_host *h, struct ctx *c, virStorageVolPtr v, int64_t from, size_t size,
			struct str *ret_bytes)
{
	char *p = arena_alloc(c->arena, size);
	virStreamPtr stream = p ? virStreamNew(h->conn, 0) : NULL;
	if (!stream)
		return p ? libvirt_fail(h, c, "opening a stream") : ctx_no_memory(c);
	size_t have = 0;
	struct result r = OK;
	if (virStorageVolDownload(v, stream, (unsigned long long) from, size, 0) != 0)
		r = libvirt_fail(h, c, "reading %s of host %s", virStorageVolGetName(v), h->name);
	else
		r = receive(h, c, stream, p, size, &have);
	if (!result_is_ok(r) || virStreamFinish(stream) != 0)
		virStreamAbort(stream); /* by then all requested bytes have arrived */
	virStreamFree(stream);
	*ret_bytes = (struct str){p, have};
	return r;
}

RESULT libvirt_read_console(struct compute_host *h, struct ctx *c, uuid id, size_t max, struct str *ret_text,
			    int64_t *ret_at_us)
{
	int64_t size = 0;
	AUTO(xml_tree) t = NULL;
	AUTO_VOLUME v = NULL;
	TRY(libvirt_check_alive(h, c));
	TRY(find_log(h, c, id, &v));
	*ret_text = STR_NONE;
	*ret_at_us = 0;
	if (!v) /* the guest never ran */
		return OK;
	AUTO_TEXT xml = virStorageVolGetXMLDesc(v, 0);
	if (!xml)
		return libvirt_fail(h, c, "looking at a console's log");
	TRY(xml_tree_parse(c, str_from(xml), &t));
	TRY(libvirt_read_length(c, t, &size));
	*ret_at_us = parse_mtime(xml_tree_find(c, t, "/volume/target/timestamps/mtime"));
	int64_t from = (size_t) size > max ? size - (int64_t) max : 0;
	if (size == from)
		return OK;
	return libvirt_download(h, c, v, from, (size_t) (size - from), ret_text);
}

RESULT libvirt_delete_console(struct compute_host *h, struct ctx *c, uuid id)
{
	AUTO_VOLUME v = NULL;
	TRY(find_log(h, c, id, &v));
	if (v && virStorageVolDelete(v, 0) != 0 && !libvirt_error_is(VIR_ERR_NO_STORAGE_VOL))
		return libvirt_fail(h, c, "deleting a console's log");
	return OK;
}
