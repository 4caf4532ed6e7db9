/* SPDX-License-Identifier: Apache-2.0
 * Holds disks that no guest uses, for operations only QEMU can do: libvirt's storage pools can only grow and
 * copy plain files and don't support bitmaps, and no program of ours runs on hosts. A paused QEMU opens the
 * disk, and its jobs work as for a running guest. QEMU's file lock prevents guests from starting on it
 * meanwhile. The holder ends when released or with the connection. */
#include "drivers/libvirt/host.h"

static uuid holder_of(uuid what)
{
	return uuid_v5(what, STR("holder"));
}

static RESULT write_holder(struct disk_host *h, struct ctx *c, uuid id, const struct compute_disk *disk,
			   struct buf *b)
{
	char text[UUID_TEXT_SIZE];
	struct domain_place place = {.region = h->on->region, .pool_path = str_from(h->on->pool_path)};
	uuid_write(id, text);
	buf_print(b, "<domain type='qemu'><name>dari-%s-hold-%s</name><uuid>%s</uuid>", h->on->region_text,
		  text, text);
	buf_print(b,
		  "<memory unit='MiB'>32</memory><vcpu>1</vcpu><os><type arch='x86_64' machine='q35'>hvm"
		  "</type></os><devices><controller type='usb' model='none'/><memballoon model='none'/>"
		  "<disk type='file' device='disk'><driver name='qemu' type='%s' cache='writeback' "
		  "discard='unmap'/>",
		  disk->is_raw ? "raw" : "qcow2");
	TRY(libvirt_write_source(c, b, &place, disk));
	buf_print(b, "<target dev='vda' bus='virtio'/>%s</disk></devices></domain>",
		  disk->is_shared ? "<shareable/>" : "");
	return buf_finish(b);
}

static RESULT start_holder(struct disk_host *h, struct ctx *c, uuid id, struct buf *xml,
			   virDomainPtr *ret_domain)
{
	struct str z = str_copy(c->arena, buf_str(xml));
	if (!z.p)
		return ctx_no_memory(c);
	ASKING(h, id);
	*ret_domain =
		virDomainCreateXML(h->on->conn, z.p, VIR_DOMAIN_START_PAUSED | VIR_DOMAIN_START_AUTODESTROY);
	return *ret_domain ? OK : libvirt_fail(h->on, c, "opening a disk on host %s", h->on->name);
}

RESULT libvirt_hold_disk(struct disk_host *h, struct ctx *c, uuid what, const struct compute_disk *disk,
			 virDomainPtr *ret_domain)
{
	struct buf xml;
	if (disk->key)
		TRY(libvirt_set_secret(h->on, c, disk->volume, disk->key));
	buf_init(&xml, DEVICE_XML_CAP);
	struct result r = write_holder(h, c, holder_of(what), disk, &xml);
	if (result_is_ok(r))
		r = start_holder(h, c, holder_of(what), &xml, ret_domain);
	buf_done(&xml);
	return r;
}

RESULT libvirt_release_disk(struct disk_host *h, struct ctx *c, uuid what)
{
	uuid id = holder_of(what);
	AUTO_DOMAIN d = virDomainLookupByUUID(h->on->conn, id.b);
	if (!d && libvirt_error_is(VIR_ERR_NO_DOMAIN))
		return OK;
	if (!d || (virDomainDestroy(d) != 0 && !libvirt_error_is(VIR_ERR_NO_DOMAIN)))
		return libvirt_fail(h->on, c, "closing a disk on host %s", h->on->name);
	return OK;
}
