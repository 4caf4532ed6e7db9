/* SPDX-License-Identifier: Apache-2.0
 * Reads which of our disks and NICs a domain has, and brings a running domain to the wished set. A successful
 * unplug call means only that the guest was asked; the result counts when a later look sees it. */
#include "drivers/disk_name.h"
#include "drivers/libvirt/host.h"

/* ---- looking */

/* Parses the UUIDs in our aliases; other aliases are skipped. */
static RESULT read_aliases(struct ctx *c, struct xml_tree *t, const char *xpath, struct uuids *ret_ids)
{
	struct strs names = {0};
	TRY(xml_tree_list(c, t, xpath, &names));
	uuid *ids = arena_new_array(c->arena, uuid, names.count + 1);
	size_t count = 0;
	if (!ids)
		return ctx_no_memory(c);
	for (size_t k = 0; k < names.count; k++) {
		struct str name = names.at[k];
		if (str_starts_with(name, STR(DEVICE_ALIAS)) &&
		    result_is_ok(uuid_parse(str_slice(name, strlen(DEVICE_ALIAS), name.n), &ids[count])))
			count++;
	}
	*ret_ids = (struct uuids){ids, count};
	return OK;
}

/* Lists the volumes of the files or images that the XPath expression finds. */
static RESULT read_files(struct compute_host *h, struct ctx *c, struct xml_tree *t, const char *xpath,
			 struct uuids *ret_ids)
{
	struct strs files = {0};
	TRY(xml_tree_list(c, t, xpath, &files));
	uuid *ids = arena_new_array(c->arena, uuid, files.count + 1);
	size_t count = 0;
	if (!ids)
		return ctx_no_memory(c);
	for (size_t k = 0; k < files.count; k++) {
		struct disk_name name = {0};
		struct str file = libvirt_name_in(files.at[k]);
		if ((libvirt_parse_disk_name(h->region_text, file, &name) ||
		     disk_name_parse(h->region_text, file, &name)) &&
		    name.kind == DISK_VOLUME)
			ids[count++] = name.id;
	}
	*ret_ids = (struct uuids){ids, count};
	return OK;
}

static RESULT read_disks(struct compute_host *h, struct ctx *c, struct xml_tree *t,
			 struct domain_devices *devices)
{
	struct uuids media = {0};
	TRY(read_files(h, c, t, "/domain/devices/disk/source/@*[name()='file' or name()='name']",
		       &devices->volumes));
	TRY(read_files(h, c, t,
		       "/domain/devices/disk[@device='cdrom']/source/@*[name()='file' or name()='name']",
		       &media));
	devices->medium = media.count ? media.at[0] : UUID_NONE;
	return OK;
}

/* Reads the NICs' current buses ("0x02"). They differ from the wished ones if NICs changed slots since the
 * guest's start. */
static RESULT read_nic_slots(struct ctx *c, struct xml_tree *t, unsigned *ret_slots)
{
	struct strs buses = {0};
	TRY(xml_tree_list(c, t, "/domain/devices/interface/address[@type='pci']/@bus", &buses));
	for (size_t k = 0; k < buses.count; k++)
		for (int slot = 0; slot < COMPUTE_NIC_SLOTS; slot++)
			if (str_equal(buses.at[k], str_print(c->arena, "0x%02x", compute_nic_bus(slot))))
				*ret_slots |= 1u << slot;
	return OK;
}

static RESULT compare_limits(struct ctx *c, struct xml_tree *t, const struct compute_domain *wish,
			     struct domain_devices *devices)
{
	size_t count = 0;
	uuid *ids = arena_new_array(c->arena, uuid, wish->disk_count + 1);
	if (!ids)
		return ctx_no_memory(c);
	for (size_t k = 0; k < wish->disk_count; k++)
		if (uuids_have(&devices->volumes, wish->disks[k].volume) && !wish->disks[k].is_medium &&
		    !libvirt_has_limits(c, t, &wish->disks[k]))
			ids[count++] = wish->disks[k].volume;
	devices->unlike = (struct uuids){ids, count};
	return OK;
}

RESULT libvirt_read_devices(struct compute_host *h, struct ctx *c, virDomainPtr domain, bool is_running,
			    const struct compute_domain *wish, struct domain_devices *ret_devices)
{
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virDomainGetXMLDesc(domain, is_running ? 0 : VIR_DOMAIN_XML_INACTIVE);
	if (!xml)
		return libvirt_fail(h, c, "looking at the devices of %s", virDomainGetName(domain));
	TRY(xml_tree_parse(c, str_from(xml), &t));
	TRY(read_disks(h, c, t, ret_devices));
	TRY(read_aliases(c, t, "/domain/devices/interface/alias/@name", &ret_devices->ports));
	TRY(read_nic_slots(c, t, &ret_devices->nic_slots));
	return compare_limits(c, t, wish, ret_devices);
}

/* ---- plugging */

struct plugging {
	struct compute_host *h;
	struct ctx *c;
	virDomainPtr domain;
	const struct domain_place *place;
	const struct compute_domain *wish;
	const struct domain_devices *until_now; /* the domain's devices in the definition before this wish */
	struct domain_devices has;
};

/* Finds a value below the disk with the volume's file or image, or below a NIC. Empty: not found. */
static RESULT find_below(struct plugging *p, uuid id, const char *below, struct str *ret_text)
{
	char text[UUID_TEXT_SIZE];
	AUTO(xml_tree) t = NULL;
	AUTO_TEXT xml = virDomainGetXMLDesc(p->domain, 0);
	struct str xpath =
		str_print(p->c->arena,
			  "/domain/devices/*[contains(source/@file, '%s') or contains(source/@name, '%s') or "
			  "alias/@name='" DEVICE_ALIAS "%s']/%s",
			  uuid_write(id, text), text, text, below);
	if (!xpath.p)
		return ctx_no_memory(p->c);
	if (!xml)
		return libvirt_fail(p->h, p->c, "looking at the devices of %s", virDomainGetName(p->domain));
	TRY(xml_tree_parse(p->c, str_from(xml), &t));
	*ret_text = xml_tree_find(p->c, t, xpath.p);
	return OK;
}

/* Unplugs a device. The guest may have ended, or removed the device, between the look and this call. */
static RESULT unplug(struct plugging *p, uuid id)
{
	struct str alias = STR_NONE;
	struct domain_devices now = {0};
	TRY(find_below(p, id, "alias/@name", &alias));
	if (!alias.n || virDomainDetachDeviceAlias(p->domain, alias.p, VIR_DOMAIN_AFFECT_LIVE) == 0)
		return OK;
	struct result r = libvirt_fail(p->h, p->c, "unplugging %s from domain %s", alias.p,
				       virDomainGetName(p->domain));
	if (r.code == ERR_GONE)
		return r;
	if (virDomainIsActive(p->domain) == 1) {
		TRY(libvirt_read_devices(p->h, p->c, p->domain, true, p->wish, &now));
		if (uuids_have(&now.volumes, id) || uuids_have(&now.ports, id))
			return r;
	}
	ctx_clear_problem(p->c);
	return OK;
}

static RESULT plug(struct plugging *p, struct buf *xml, const char *what, uuid id)
{
	char text[UUID_TEXT_SIZE];
	TRY(buf_finish(xml));
	struct str z = str_copy(p->c->arena, buf_str(xml));
	if (!z.p)
		return ctx_no_memory(p->c);
	if (virDomainAttachDeviceFlags(p->domain, z.p, VIR_DOMAIN_AFFECT_LIVE) == 0)
		return OK;
	/* Save the error first: the next libvirt call clears it. */
	struct result r = libvirt_fail(p->h, p->c, "plugging %s %s into domain %s", what,
				       uuid_write(id, text), virDomainGetName(p->domain));
	if (r.code == ERR_GONE || virDomainIsActive(p->domain) != 0)
		return r;
	ctx_clear_problem(p->c);
	return OK;
}

/* Inserts the medium in place of the current one; NULL ejects. The drive opens even if the guest has locked
 * it. */
static RESULT change_medium(struct plugging *p, const struct compute_disk *medium)
{
	struct buf xml;
	buf_init(&xml, DEVICE_XML_CAP);
	struct result r = libvirt_write_cdrom(p->c, &xml, p->place, &p->wish->hardware, medium);
	if (result_is_ok(r))
		r = buf_finish(&xml);
	struct str z = result_is_ok(r) ? str_copy(p->c->arena, buf_str(&xml)) : STR_NONE;
	buf_done(&xml);
	TRY(r);
	if (!z.p)
		return ctx_no_memory(p->c);
	if (virDomainUpdateDeviceFlags(p->domain, z.p,
				       VIR_DOMAIN_DEVICE_MODIFY_LIVE | VIR_DOMAIN_DEVICE_MODIFY_FORCE) == 0)
		return OK;
	r = libvirt_fail(p->h, p->c, "changing the medium of domain %s", virDomainGetName(p->domain));
	if (r.code == ERR_GONE || virDomainIsActive(p->domain) != 0)
		return r;
	ctx_clear_problem(p->c);
	return OK;
}

static RESULT plug_disk(struct plugging *p, const struct compute_disk *d)
{
	struct buf xml;
	if (d->is_medium)
		return change_medium(p, d);
	buf_init(&xml, DEVICE_XML_CAP);
	struct result r = libvirt_write_disk(p->c, &xml, p->place, &p->wish->hardware, d);
	if (result_is_ok(r))
		r = plug(p, &xml, "disk", d->volume);
	buf_done(&xml);
	return r;
}

/* Plugs a NIC; if another NIC still occupies its place, it gets a free slot until the guest's next start. */
static RESULT plug_nic(struct plugging *p, const struct compute_nic *n)
{
	struct buf xml;
	struct compute_nic nic = *n;
	for (int k = 0; k < COMPUTE_NIC_SLOTS && p->has.nic_slots >> nic.slot & 1; k++)
		nic.slot = k;
	p->has.nic_slots |= 1u << nic.slot;
	buf_init(&xml, DEVICE_XML_CAP);
	libvirt_write_nic(&xml, p->place, &p->wish->hardware, &nic);
	struct result r = plug(p, &xml, "NIC", n->port);
	buf_done(&xml);
	return r;
}

/* Sets the disk's limits. If the guest has ended or removed the disk in between, the next look shows it. */
static RESULT limit(struct plugging *p, const struct compute_disk *d)
{
	struct domain_devices now = {0};
	struct str target = STR_NONE;
	TRY(find_below(p, d->volume, "target/@dev", &target));
	if (!target.n)
		return OK;
	struct result r = libvirt_set_limits(p->h, p->c, p->domain, target, &d->limits);
	if (result_is_ok(r) || r.code == ERR_GONE)
		return r;
	if (virDomainIsActive(p->domain) == 1) {
		TRY(libvirt_read_devices(p->h, p->c, p->domain, true, p->wish, &now));
		if (uuids_have(&now.unlike, d->volume))
			return r;
	}
	ctx_clear_problem(p->c);
	return OK;
}

/* Announces an image's new size to the guest; the image itself was grown by the pool's owner. Repeating a
 * known size is harmless. QEMU would shrink an image to a smaller size, so a wish older than the growth is
 * ignored. */
static RESULT tell_size(struct plugging *p, const struct compute_disk *d)
{
	unsigned long long size = (unsigned long long) d->size;
	virDomainBlockInfo info = {0};
	struct str target = STR_NONE;
	TRY(find_below(p, d->volume, "target/@dev", &target));
	if (!target.n)
		return OK;
	int failed = virDomainGetBlockInfo(p->domain, target.p, &info, 0);
	if (!failed && info.capacity > size)
		return OK;
	if (!failed)
		failed = virDomainBlockResize(p->domain, target.p, size, VIR_DOMAIN_BLOCK_RESIZE_BYTES);
	if (!failed)
		return OK;
	struct result r = libvirt_fail(p->h, p->c, "telling domain %s the size of disk %s",
				       virDomainGetName(p->domain), target.p);
	if (r.code == ERR_GONE || virDomainIsActive(p->domain) != 0)
		return r;
	ctx_clear_problem(p->c);
	return OK;
}

/* Asks the guest to release unwished devices. If asked for a device that QEMU removed a moment ago, before
 * the removal event was processed, libvirt 9.0 uses freed memory and may crash (qemuDomainDetachDeviceLive),
 * or it forgets a disk whose file QEMU keeps open, so that it can't be plugged in anywhere again. A device
 * that had already left the definition was asked for then, so it isn't asked again unless the wish says
 * so. */
static RESULT unplug_unwished(struct plugging *p)
{
	for (size_t k = 0; k < p->has.volumes.count; k++) {
		uuid id = p->has.volumes.at[k];
		bool asks = p->wish->asks_again || uuids_have(&p->until_now->volumes, id);
		bool is_medium = uuid_equal(id, p->has.medium);
		if (is_medium && !compute_find_medium(p->wish))
			TRY(change_medium(p, NULL));
		if (!is_medium && asks && !compute_wants_disk(p->wish, id))
			TRY(unplug(p, id));
	}
	for (size_t k = 0; k < p->has.ports.count; k++) {
		uuid id = p->has.ports.at[k];
		bool asks = p->wish->asks_again || uuids_have(&p->until_now->ports, id);
		if (asks && !compute_wants_nic(p->wish, id))
			TRY(unplug(p, id));
	}
	return OK;
}

/* Unplugs before plugging, so that a device that can't be plugged doesn't prevent the removal of others. */
RESULT libvirt_plug_devices(struct compute_host *h, struct ctx *c, virDomainPtr domain,
			    const struct domain_place *place, const struct compute_domain *wish,
			    const struct domain_devices *until_now)
{
	struct plugging p = {
		.h = h, .c = c, .domain = domain, .place = place, .wish = wish, .until_now = until_now};
	TRY(libvirt_read_devices(h, c, domain, true, wish, &p.has));
	TRY(unplug_unwished(&p));
	for (size_t k = 0; k < wish->disk_count; k++)
		if (!uuids_have(&p.has.volumes, wish->disks[k].volume))
			TRY(plug_disk(&p, &wish->disks[k]));
	for (size_t k = 0; k < wish->disk_count; k++)
		if (uuids_have(&p.has.unlike, wish->disks[k].volume))
			TRY(limit(&p, &wish->disks[k]));
	for (size_t k = 0; k < wish->disk_count; k++) {
		const struct compute_disk *d = &wish->disks[k];
		if (d->ceph && !d->is_medium && !d->is_readonly && uuids_have(&p.has.volumes, d->volume))
			TRY(tell_size(&p, d));
	}
	for (size_t k = 0; k < wish->nic_count; k++)
		if (!uuids_have(&p.has.ports, wish->nics[k].port))
			TRY(plug_nic(&p, &wish->nics[k]));
	return OK;
}
