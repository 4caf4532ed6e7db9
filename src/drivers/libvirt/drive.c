/* SPDX-License-Identifier: Apache-2.0
 * An instance's config drive: a file in the pool, recreated before each start because its content comes from
 * database rows that change. A running domain keeps it open. */
#include "drivers/drive_file.h"
#include "drivers/libvirt/host.h"

static RESULT send(struct compute_host *h, struct ctx *c, virStreamPtr stream, struct str bytes)
{
	while (bytes.n) {
		int sent = virStreamSend(stream, bytes.p, bytes.n);
		if (sent < 0)
			return libvirt_fail(h, c, "sending a file to host %s", h->name);
		bytes = str_slice(bytes, (size_t) sent, bytes.n);
	}
	return OK;
}

RESULT libvirt_upload(struct compute_host *h, struct ctx *c, virStorageVolPtr v, struct str bytes)
{
	virStreamPtr stream = virStreamNew(h->conn, 0);
	if (!stream)
		return libvirt_fail(h, c, "opening a stream");
	struct result r = OK;
	if (virStorageVolUpload(v, stream, 0, bytes.n, 0) != 0)
		r = libvirt_fail(h, c, "sending a file to host %s", h->name);
	else
		r = send(h, c, stream, bytes);
	if (!result_is_ok(r))
		virStreamAbort(stream);
	else if (virStreamFinish(stream) != 0)
		r = libvirt_fail(h, c, "sending a file to host %s", h->name);
	virStreamFree(stream);
	return libvirt_blame_room(h, c, r);
}

RESULT libvirt_make_drive(struct compute_host *h, struct ctx *c, uuid id, const struct compute_files *files)
{
	struct str bytes = STR_NONE;
	TRY(drive_file_write(c, files, &bytes));
	return libvirt_make_drive_of(h, c, id, bytes);
}

RESULT libvirt_make_drive_of(struct compute_host *h, struct ctx *c, uuid id, struct str bytes)
{
	struct str name = libvirt_drive_name(c->arena, h->region, id);
	AUTO_VOLUME v = NULL;
	TRY(libvirt_delete_drive(h, c, id));
	struct str xml = str_print(
		c->arena,
		"<volume type='file'><name>%" STR_FMT "</name><capacity unit='bytes'>%zu</capacity>"
		"<target><format type='raw'/><permissions><mode>0600</mode></permissions></target></volume>",
		STR_ARG(name), bytes.n);
	TRY(libvirt_create_volume(h, c, xml, name, &v));
	return libvirt_upload(h, c, v, bytes);
}

RESULT libvirt_delete_drive(struct compute_host *h, struct ctx *c, uuid id)
{
	TRY(libvirt_need_pools(h, c));
	return libvirt_delete_volume(h, c, h->pool, libvirt_drive_name(c->arena, h->region, id));
}
