/* SPDX-License-Identifier: Apache-2.0
 * Writes the libvirt XML of disks and NICs, for definitions and for hot plugging alike. Pure.
 *
 * A q35 machine accepts hot-plugged devices only behind root ports that existed at its start. Every slot has
 * its own port, so a slot is a PCI address: port n is function n % 8 of device FIRST_DEVICE + n / 8 on bus 0,
 * and the device plugged into it is device 0 of bus n + 1, because firmware numbers buses in that order. NICs
 * come first, then disks. EC2 guarantees 28 attachments of both kinds together. 34 ports cost 6 MB of QEMU
 * memory and 20 ms of start time; under emulation the guest's firmware and kernel take about 10 ms for each.
 *
 * NICs are identified by their alias, which libvirt lets us choose: "ua-" and the port's UUID. Disks are
 * identified by their file: a disk switched to another volume's file (block_copy.c) keeps the alias of the original
 * volume and slot, so that the original volume can be attached again in another slot. */
#include "drivers/libvirt/host.h"
#include "model/host.h"
#include "model/id.h"

enum { FIRST_DEVICE = 2, FUNCTIONS = 8, SLOTS = COMPUTE_NIC_SLOTS + COMPUTE_DISK_SLOTS };

void libvirt_write_slots(struct buf *b, bool with_drive)
{
	for (int n = 0; n < SLOTS + with_drive; n++) {
		buf_print(b, "<controller type='pci' index='%d' model='pcie-root-port'>", n + 1);
		buf_print(b, "<target chassis='%d' port='%d'/>", n + 1, n + 1);
		buf_print(b, "<address type='pci' bus='0' slot='%d' function='%d'%s/></controller>",
			  FIRST_DEVICE + n / FUNCTIONS, n % FUNCTIONS,
			  n % FUNCTIONS ? "" : " multifunction='on'");
	}
}

static void write_address(struct buf *b, int bus)
{
	buf_print(b, "<address type='pci' bus='%d' slot='0'/>", bus);
}

/* The machine's built-in controller has six units; libvirt adds controllers as units are referenced. */
enum { SATA_UNITS = 6 };

/* The volume's key is also used for its backing files: secret.c. */
static void write_encryption(struct buf *b, uuid volume)
{
	char id[UUID_TEXT_SIZE];
	buf_print(b, "<encryption format='luks'><secret type='passphrase' uuid='%s'/></encryption>",
		  uuid_write(volume, id));
}

static void write_file(struct buf *b, const struct domain_place *place, const struct compute_disk *d,
		       struct str file)
{
	struct str directory = d->directory.n ? d->directory : place->pool_path;
	buf_print(b, "<source file='%" STR_FMT "/%" STR_FMT "'", STR_ARG(directory), STR_ARG(file));
	if (!d->key) {
		buf_print(b, "/>");
		return;
	}
	buf_print(b, ">");
	write_encryption(b, d->volume);
	buf_print(b, "</source>");
}

/* Accepts "10.0.0.1:6789" and "[fd00::1]:3300": the port follows the last colon outside brackets. Without a
 * port, Ceph's default applies. */
static void write_monitor(struct buf *b, struct str monitor)
{
	size_t colon = monitor.n;
	while (colon > 0 && monitor.p[colon - 1] != ':' && monitor.p[colon - 1] != ']')
		colon--;
	bool has_port = colon > 0 && monitor.p[colon - 1] == ':';
	struct str name = str_slice(monitor, 0, has_port ? colon - 1 : monitor.n);
	if (name.n > 1 && name.p[0] == '[')
		name = str_slice(name, 1, name.n - 1);
	buf_print(b, "<host name='%" STR_FMT "'", STR_ARG(name));
	if (has_port)
		buf_print(b, " port='%" STR_FMT "'", STR_ARG(str_slice(monitor, colon, monitor.n)));
	buf_print(b, "/>");
}

/* The volume's key opens the LUKS container in the image; the pool's key authenticates to Ceph: secret.c. */
static RESULT write_image(struct ctx *c, struct buf *b, const struct domain_place *place,
			  const struct compute_disk *d)
{
	char id[UUID_TEXT_SIZE];
	const struct ceph_place *ceph = d->ceph;
	TRY(ceph_check_place(c, ceph));
	struct str image = ceph_volume_name(c->arena, place->region, d->volume);
	buf_print(b, "<source protocol='rbd' name='%" STR_FMT "/%" STR_FMT "'>", STR_ARG(ceph->pool),
		  STR_ARG(image));
	for (size_t k = 0; k < ceph->monitors.count; k++)
		write_monitor(b, ceph->monitors.at[k]);
	buf_print(b, "<auth username='%" STR_FMT "'><secret type='ceph' uuid='%s'/></auth>",
		  STR_ARG(ceph->user), uuid_write(ceph->id, id));
	if (d->key)
		write_encryption(b, d->volume);
	buf_print(b, "</source>");
	return image.p ? OK : ctx_no_memory(c);
}

const char *libvirt_source_type(const struct compute_disk *d)
{
	return d && d->ceph ? "network" : "file";
}

const char *libvirt_format(const struct compute_disk *d)
{
	return d->is_raw || d->ceph ? "raw" : "qcow2";
}

RESULT libvirt_write_source(struct ctx *c, struct buf *b, const struct domain_place *place,
			    const struct compute_disk *d)
{
	if (d->ceph)
		return write_image(c, b, place, d);
	struct disk_name base = {.kind = DISK_BASE, .sha256 = d->encrypted_base};
	struct str file = libvirt_volume_name(c->arena, place->region, d->volume, d->is_raw);
	struct str base_file = libvirt_disk_name(c->arena, place->region, &base);
	if (!file.p || !base_file.p)
		return ctx_no_memory(c);
	write_file(b, place, d, file);
	if (str_is_empty(d->encrypted_base))
		return OK; /* the file's own header names its backing file */
	buf_print(b, "<backingStore type='file'><format type='qcow2'/>");
	write_file(b, place, d, base_file);
	buf_print(b, "<backingStore/></backingStore>");
	return OK;
}

RESULT libvirt_write_disk(struct ctx *c, struct buf *b, const struct domain_place *place,
			  const struct compute_hardware *hw, const struct compute_disk *d)
{
	char ec2_id[EC2_ID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	/* Real hosts bypass their page cache. Under emulation the cache helps and works on every file system.
	 * Guests that share a disk are on the same host, so they see each other's writes in either mode. */
	const char *cache = place->virt == HOST_SEEN_VIRT_KVM ? "none" : "writeback";
	buf_print(b,
		  "<disk type='%s' device='disk'><driver name='qemu' type='%s' cache='%s' "
		  "discard='unmap'/>",
		  libvirt_source_type(d), libvirt_format(d), cache);
	TRY(libvirt_write_source(c, b, place, d));
	buf_print(b, "<target dev='%cd%c' bus='%s'/>", hw->sata ? 's' : 'v', (char) ('a' + d->slot),
		  hw->sata ? "sata" : "virtio");
	/* virtio-blk's serial has 20 bytes: "vol" and the 17 digits of the EC2 id without the dash, as on
	 * EC2. */
	id_write_ec2(KIND_VOLUME, d->volume, ec2_id);
	buf_print(b, "<serial>vol%s</serial>", ec2_id + strlen("vol-"));
	if (d->is_readonly)
		buf_print(b, "<readonly/>");
	if (d->is_shared)
		buf_print(b, "<shareable/>");
	libvirt_write_limits(b, &d->limits);
	if (d->slot == 0)
		buf_print(b, "<boot order='%d'/>", hw->cdrom ? 2 : 1);
	buf_print(b, "<alias name='" DEVICE_ALIAS "%s-%d'/>", uuid_write(d->volume, id), d->slot);
	if (hw->sata)
		buf_print(b, "<address type='drive' controller='%d' bus='0' target='0' unit='%d'/>",
			  d->slot / SATA_UNITS, d->slot % SATA_UNITS);
	else
		write_address(b, compute_disk_bus(d->slot));
	buf_print(b, "</disk>");
	return OK;
}

/* The config drive's bus. Windows includes a SATA driver; cloud kernels often include none. */
enum drive_bus { DRIVE_BUS_VIRTIO, DRIVE_BUS_SATA, DRIVE_BUS_SCSI };
static enum drive_bus drive_bus_of(const struct compute_domain *w)
{
	bool is_azure = w->personality == INSTANCE_PERSONALITY_AZURE;
	if (w->hardware.sata || (is_azure && w->hardware.windows))
		return DRIVE_BUS_SATA;
	return is_azure ? DRIVE_BUS_SCSI : DRIVE_BUS_VIRTIO;
}

static void write_drive_address(struct buf *b, const struct compute_domain *w)
{
	int unit = w->hardware.sata ? COMPUTE_DISK_SLOTS : 1; /* unit 0 is the CD-ROM drive */
	switch (drive_bus_of(w)) {
	case DRIVE_BUS_VIRTIO:
		write_address(b, SLOTS + 1);
		break;
	case DRIVE_BUS_SATA:
		buf_print(b, "<address type='drive' controller='%d' bus='0' target='0' unit='%d'/>",
			  unit / SATA_UNITS, unit % SATA_UNITS);
		break;
	case DRIVE_BUS_SCSI:
		buf_print(b, "<address type='drive' controller='0' bus='0' target='0' unit='0'/>");
		break;
	}
}

/* The guest finds the drive by its label. Its name comes after the last disk slot, so it takes no other
 * disk's name. Azure guests search CD-ROM drives only. */
RESULT libvirt_write_drive(struct ctx *c, struct buf *b, const struct domain_place *place,
			   const struct compute_domain *w)
{
	static const struct {
		const char *device, *name, *bus;
	} of[] = {[DRIVE_BUS_VIRTIO] = {"disk", "vdaa", "virtio"},
		  [DRIVE_BUS_SATA] = {"cdrom", "sdaa", "sata"},
		  [DRIVE_BUS_SCSI] = {"cdrom", "sdaa", "scsi"}};
	struct str file = libvirt_drive_name(c->arena, place->region, w->id);
	enum drive_bus bus = drive_bus_of(w);
	if (!file.p)
		return ctx_no_memory(c);
	if (bus == DRIVE_BUS_SCSI) {
		buf_print(b, "<controller type='scsi' index='0' model='virtio-scsi'>");
		write_address(b, SLOTS + 1);
		buf_print(b, "</controller>");
	}
	buf_print(b, "<disk type='file' device='%s'><driver name='qemu' type='raw'/>", of[bus].device);
	buf_print(b, "<source file='%" STR_FMT "/%" STR_FMT "'/>", STR_ARG(place->pool_path), STR_ARG(file));
	buf_print(b, "<target dev='%s' bus='%s'/><readonly/>", of[bus].name, of[bus].bus);
	write_drive_address(b, w);
	buf_print(b, "</disk>");
	return OK;
}

/* Uses a SATA unit that no disk has. It has no alias: libvirt changes a medium only if everything else is
 * unchanged. */
RESULT libvirt_write_cdrom(struct ctx *c, struct buf *b, const struct domain_place *place,
			   const struct compute_hardware *hw, const struct compute_disk *medium)
{
	int unit = hw->sata ? COMPUTE_DISK_SLOTS + 1 : 0;
	buf_print(b, "<disk type='%s' device='cdrom'><driver name='qemu' type='%s'/>",
		  libvirt_source_type(medium), medium ? libvirt_format(medium) : "raw");
	if (medium)
		TRY(libvirt_write_source(c, b, place, medium));
	buf_print(b, "<target dev='%s' bus='sata'/><readonly/><boot order='1'/>", hw->sata ? "sdab" : "sda");
	buf_print(b, "<address type='drive' controller='%d' bus='0' target='0' unit='%d'/></disk>",
		  unit / SATA_UNITS, unit % SATA_UNITS);
	return OK;
}

void libvirt_write_nic(struct buf *b, const struct domain_place *place, const struct compute_hardware *hw,
		       const struct compute_nic *n)
{
	char mac[MAC_TEXT_SIZE], port[UUID_TEXT_SIZE], digits[12];
	uuid_write(n->port, port);
	for (size_t k = 0, at = 0; k < sizeof digits - 1; at++)
		if (port[at] != '-')
			digits[k++] = port[at];
	digits[sizeof digits - 1] = '\0';
	buf_print(b, "<interface type='bridge'><mac address='%s'/><source bridge='br-int'/>",
		  mac_write(n->mac, mac));
	buf_print(b, "<virtualport type='openvswitch'><parameters interfaceid='%s'/></virtualport>", port);
	buf_print(b, "<target dev='dt%s'/><model type='%s'/>", digits, hw->e1000e ? "e1000e" : "virtio");
	/* A userspace datapath neither fills in checksums nor segments packets, so the guest must. Such a
	 * datapath is used on hosts without KVM only. */
	if (place->virt != HOST_SEEN_VIRT_KVM && !hw->e1000e)
		buf_print(b, "<driver><host csum='off' gso='off' tso4='off' tso6='off' ecn='off' ufo='off'/>"
			     "<guest csum='off' tso4='off' tso6='off' ecn='off' ufo='off'/></driver>");
	if (n->mtu > 0)
		buf_print(b, "<mtu size='%d'/>", n->mtu);
	buf_print(b, "<rom enabled='no'/>"); /* guests never boot from a NIC */
	buf_print(b, "<alias name='" DEVICE_ALIAS "%s'/>", port);
	write_address(b, compute_nic_bus(n->slot));
	buf_print(b, "</interface>");
}
