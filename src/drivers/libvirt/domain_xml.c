/* SPDX-License-Identifier: Apache-2.0
 * Writes a wish as libvirt XML. Pure: the same wish gives the same text, byte for byte. Its digest is stored
 * in the definition's metadata, and a different digest shows a changed wish.
 *
 * The metadata, with the manifest, comes first and is not covered by the digest. All attribute values are
 * numbers, UUIDs, MACs, digests and the checked pool path, none of which needs escaping. */
#include <inttypes.h>
#include <stdio.h>

#include "base/crypto.h"
#include "base/xml.h"
#include "drivers/disk_name.h"
#include "drivers/libvirt/host.h"
#include "model/host.h"
#include "model/id.h"

static const size_t DOMAIN_XML_CAP = 256 << 10, MANIFEST_CAP_SIZE = 128 << 10;

/* ---- names */

void libvirt_write_region(uuid region, char out[static REGION_TEXT_SIZE])
{
	char text[UUID_TEXT_SIZE];
	memcpy(out, uuid_write(region, text), REGION_TEXT_SIZE - 1);
	out[REGION_TEXT_SIZE - 1] = '\0';
}

static struct str write_name(struct arena *a, uuid region, const char *what, struct str id, const char *end)
{
	char prefix[REGION_TEXT_SIZE];
	libvirt_write_region(region, prefix);
	return str_print(a, "dari-%s%s-%" STR_FMT "%s", prefix, what, STR_ARG(id), end);
}

static const char *ending_of(bool is_raw)
{
	return is_raw ? ".raw" : ".qcow2";
}

struct str libvirt_volume_name(struct arena *a, uuid region, uuid volume, bool is_raw)
{
	return disk_name_write(a, region, &(struct disk_name){.kind = DISK_VOLUME, .id = volume},
			       ending_of(is_raw));
}

struct str libvirt_disk_name(struct arena *a, uuid region, const struct disk_name *name)
{
	return disk_name_write(a, region, name, ending_of(name->kind != DISK_BASE && name->is_raw));
}

struct str libvirt_drive_name(struct arena *a, uuid region, uuid instance)
{
	char id[UUID_TEXT_SIZE];
	return write_name(a, region, "-cfg", str_from(uuid_write(instance, id)), ".iso");
}

struct str libvirt_console_name(struct arena *a, uuid region, uuid instance)
{
	char id[UUID_TEXT_SIZE];
	return write_name(a, region, "", str_from(uuid_write(instance, id)), ".log");
}

/* ---- what a guest recognises its cloud by */

static const struct {
	const char *manufacturer, *product;
	const char *version;   /* NULL: none */
	const char *serial;    /* NULL: the UUID's digits */
	const char *asset_tag; /* NULL: none */
} personalities[] = {
	/* EC2 is detected by a UUID and a serial that are equal and begin with "ec2". All our UUIDs begin so,
	 * and cloud-init checks for EC2 before the other clouds, so the other personalities need a serial
	 * different from the UUID. */
	[INSTANCE_PERSONALITY_EC2] = {"Dari", "Dari Instance", NULL, NULL, NULL},
	[INSTANCE_PERSONALITY_OPENSTACK] = {"OpenStack Foundation", "OpenStack Nova", NULL, NULL, NULL},
	[INSTANCE_PERSONALITY_CLOUDSTACK] = {"Apache Software Foundation", "CloudStack KVM Hypervisor", NULL,
					     NULL, NULL},
	[INSTANCE_PERSONALITY_AZURE] = {"Dari", "Virtual Machine", "Hyper-V UEFI Release v4.1", NULL,
					"7783-7084-3265-9085-8269-3286-77"},
	[INSTANCE_PERSONALITY_NOCLOUD] = {"Dari", "Dari Instance", NULL, "ds=nocloud", NULL},
};

static void write_smbios(struct buf *b, const struct compute_domain *w, const char *id)
{
	typeof(personalities[0]) *p = &personalities[w->personality];
	char digits[2 * sizeof w->id.b + 1];
	for (size_t k = 0; k < sizeof w->id.b; k++)
		(void) snprintf(digits + 2 * k, 3, "%02x", w->id.b[k]);
	const char *serial = w->personality == INSTANCE_PERSONALITY_EC2 ? id : p->serial ? p->serial : digits;
	buf_print(b, "<sysinfo type='smbios'><system><entry name='manufacturer'>%s</entry>", p->manufacturer);
	buf_print(b, "<entry name='product'>%s</entry>", p->product);
	if (p->version)
		buf_print(b, "<entry name='version'>%s</entry>", p->version);
	buf_print(b, "<entry name='serial'>%s</entry><entry name='uuid'>%s</entry></system>", serial, id);
	if (p->asset_tag)
		buf_print(b, "<chassis><entry name='asset'>%s</entry></chassis>", p->asset_tag);
	buf_print(b, "</sysinfo>");
}

/* ---- what a person sits at */

/* VNC doesn't listen anywhere: QEMU receives each connection as a descriptor (virDomainOpenGraphicsFD). The
 * tablet reports absolute positions; until its driver is loaded, the guest uses the PS/2 mouse that every
 * machine has. */
static void write_display(struct buf *b)
{
	buf_print(b, "<graphics type='vnc'><listen type='none'/></graphics>"
		     "<video><model type='vga' vram='16384'/><address type='pci' bus='0' slot='1'/></video>"
		     "<input type='tablet' bus='virtio'><address type='pci' bus='0' slot='9'/></input>");
}

/* ---- the whole */

static RESULT write_devices(struct ctx *c, struct buf *b, const struct domain_place *place,
			    const struct compute_domain *w)
{
	struct str log = libvirt_console_name(c->arena, place->region, w->id);
	buf_print(b, "<devices><controller type='usb' model='none'/>");
	libvirt_write_slots(b, w->has_drive);
	for (size_t k = 0; k < w->disk_count; k++)
		if (!w->disks[k].is_medium)
			TRY(libvirt_write_disk(c, b, place, &w->hardware, &w->disks[k]));
	if (w->hardware.cdrom)
		TRY(libvirt_write_cdrom(c, b, place, &w->hardware, compute_find_medium(w)));
	if (w->has_drive)
		TRY(libvirt_write_drive(c, b, place, w));
	for (size_t k = 0; k < w->nic_count; k++)
		libvirt_write_nic(b, place, &w->hardware, &w->nics[k]);
	buf_print(b,
		  "<serial type='pty'><log file='%" STR_FMT "/console/%" STR_FMT
		  "' append='on'/><target port='0'/></serial>",
		  STR_ARG(place->pool_path), STR_ARG(log));
	buf_print(b, "<console type='pty'><target type='serial' port='0'/></console>");
	write_display(b);
	buf_print(b, "<rng model='virtio'><backend model='random'>/dev/urandom</backend>"
		     "<address type='pci' bus='0' slot='7'/></rng>");
	if (w->hardware.tpm)
		buf_print(b, "<tpm model='tpm-crb'><backend type='emulator' version='2.0'/></tpm>");
	buf_print(b, "<memballoon model='virtio'><address type='pci' bus='0' slot='8'/></memballoon>"
		     "</devices>");
	return OK;
}

/* ---- the machine */

/* The host chooses the firmware file (described by its packages in /usr/share/qemu/firmware). libvirt keeps
 * the UEFI variables and the TPM's state with the domain. */
static void write_firmware(struct buf *b, const struct compute_hardware *hw, struct str machine,
			   const char *end)
{
	machine = machine.n ? machine : STR("q35"); /* libvirt expands this to its newest version */
	buf_print(b, "<os%s><type arch='x86_64' machine='%" STR_FMT "'>hvm</type>",
		  hw->uefi ? " firmware='efi'" : "", STR_ARG(machine));
	if (hw->uefi)
		buf_print(b, "<firmware><feature enabled='%s' name='secure-boot'/>%s</firmware>",
			  hw->secure_boot ? "yes" : "no",
			  hw->secure_boot ? "<feature enabled='yes' name='enrolled-keys'/>" : "");
	buf_print(b, "%s</os>", end);
}

/* Enables the Hyper-V features that save Windows its most expensive exits; emulation supports none of them.
 * Azure's agent starts if systemd detects Hyper-V: by the CPUID signature, which KVM sets with these
 * features, else by SMBIOS if CPUID names no other hypervisor. */
static void write_platform(struct buf *b, const struct domain_place *place, const struct compute_domain *w)
{
	const struct compute_hardware *hw = &w->hardware;
	bool is_azure = w->personality == INSTANCE_PERSONALITY_AZURE,
	     is_kvm = place->virt == HOST_SEEN_VIRT_KVM;
	bool has_hyperv = is_kvm && (hw->windows || is_azure);
	buf_print(b, "<features><acpi/><apic/>");
	if (has_hyperv)
		buf_print(b,
			  "<hyperv mode='custom'><relaxed state='on'/><vapic state='on'/>"
			  "<spinlocks state='on' retries='8191'/><vpindex state='on'/><runtime state='on'/>"
			  "<synic state='on'/><stimer state='on'/><frequencies state='on'/></hyperv>");
	if (hw->secure_boot)
		buf_print(b, "<smm state='on'/>"); /* otherwise the guest could overwrite the variables */
	buf_print(b, "</features>");
	libvirt_write_processor(b, place->virt, w->cpu, is_azure && !is_kvm);
	if (!hw->windows) {
		buf_print(b, "<clock offset='utc'/>");
		return;
	}
	buf_print(b, "<clock offset='localtime'><timer name='rtc' tickpolicy='catchup'/>"
		     "<timer name='pit' tickpolicy='delay'/><timer name='hpet' present='no'/>");
	if (has_hyperv)
		buf_print(b, "<timer name='hypervclock' present='yes'/>");
	buf_print(b, "</clock>");
}

/* Writes everything behind the metadata. */
static RESULT write_body(struct ctx *c, struct buf *b, const struct domain_place *place,
			 const struct compute_domain *w)
{
	char id[UUID_TEXT_SIZE];
	struct xml x = {.out = b};
	uuid_write(w->id, id);
	buf_print(b, "<uuid>%s</uuid>", id);
	xml_text(&x, "name", w->name);
	buf_print(b, "<memory unit='KiB'>%" PRId64 "</memory><vcpu placement='static'>%" PRId64 "</vcpu>",
		  w->memory / 1024, w->vcpus);
	write_smbios(b, w, id);
	write_firmware(b, &w->hardware, w->machine, "<smbios mode='sysinfo'/>");
	write_platform(b, place, w);
	buf_print(b, "<on_poweroff>destroy</on_poweroff><on_reboot>restart</on_reboot><on_crash>destroy</"
		     "on_crash>");
	buf_print(b, "<pm><suspend-to-mem enabled='no'/><suspend-to-disk enabled='no'/></pm>");
	TRY(write_devices(c, b, place, w));
	buf_print(b, "</domain>");
	return buf_finish(b);
}

static RESULT check_wish(struct ctx *c, const struct compute_domain *w)
{
	if (w->vcpus < 1 || w->memory < 1024 * 1024 || uuid_is_none(w->id) || str_is_empty(w->name))
		return ctx_fail(c, ERR_INVALID, "a domain needs an id, a name, a CPU and 1 MiB of memory");
	if (w->manifest.n > MANIFEST_CAP_SIZE || !str_is_xml_text(w->manifest))
		return ctx_fail(c, ERR_INVALID, "a manifest of %zu bytes, or not of legal text",
				w->manifest.n);
	if ((size_t) w->personality >= sizeof personalities / sizeof personalities[0])
		return ctx_fail(c, ERR_INTERNAL, "no personality %d", (int) w->personality);
	return compute_check_slots(c, w);
}

/* The manifest's element has no namespace, because libvirt strips our namespace declaration from the element
 * it returns. */
void libvirt_write_mark(struct buf *b, const struct domain_mark *mark, bool declares)
{
	char region[UUID_TEXT_SIZE], id[UUID_TEXT_SIZE];
	struct xml x = {.out = b};
	buf_print(b, "<%s region='%s' id='%s' wish='%" STR_FMT "'",
		  declares ? "dari:instance xmlns:dari='" DOMAIN_XMLNS "'" : "instance",
		  uuid_write(mark->region, region), uuid_write(mark->id, id), STR_ARG(mark->wish));
	if (mark->epoch)
		buf_print(b, " epoch='%" PRId64 "'", mark->epoch);
	if (mark->variables.n)
		buf_print(b, " variables='%" STR_FMT "'", STR_ARG(mark->variables));
	buf_print(b, ">");
	xml_text_opt(&x, "manifest", mark->manifest);
	buf_print(b, declares ? "</dari:instance>" : "</instance>");
}

static void write_head(struct buf *b, const struct domain_place *place, const struct compute_domain *w,
		       const char *digest)
{
	const struct domain_mark mark = {.region = place->region,
					 .id = w->id,
					 .epoch = place->epoch,
					 .wish = str_from(digest),
					 .variables = place->variables,
					 .manifest = w->manifest};
	buf_print(b, "<domain type='%s'><metadata>", place->virt == HOST_SEEN_VIRT_KVM ? "kvm" : "qemu");
	libvirt_write_mark(b, &mark, true);
	buf_print(b, "</metadata>");
}

RESULT libvirt_write_firmware_domain(struct ctx *c, const struct domain_place *place,
				     const struct compute_hardware *hw, struct str *ret_xml)
{
	char region[REGION_TEXT_SIZE];
	struct buf b;
	libvirt_write_region(place->region, region);
	buf_init(&b, DEVICE_XML_CAP);
	buf_print(&b, "<domain type='%s'><name>dari-%s-firmware%s</name>",
		  place->virt == HOST_SEEN_VIRT_KVM ? "kvm" : "qemu", region,
		  hw->secure_boot ? "-secure" : "");
	buf_print(&b, "<memory unit='MiB'>64</memory><vcpu>1</vcpu>");
	write_firmware(&b, hw, STR_NONE, "");
	buf_print(&b,
		  "<features><acpi/>%s</features><devices><controller type='usb' model='none'/>"
		  "<memballoon model='none'/></devices></domain>",
		  hw->secure_boot ? "<smm state='on'/>" : "");
	struct result r = buf_finish(&b);
	*ret_xml = str_copy(c->arena, buf_str(&b));
	buf_done(&b);
	return result_is_ok(r) && ret_xml->p ? OK : ctx_no_memory(c);
}

/* Includes disk sizes in the digest: they aren't part of the definition, but the guest must learn of them. */
static void write_sizes(struct buf *b, const struct compute_domain *wish)
{
	for (size_t k = 0; k < wish->disk_count; k++)
		if (wish->disks[k].ceph)
			buf_print(b, " %" PRId64, wish->disks[k].size);
}

RESULT libvirt_write_domain(struct ctx *c, const struct domain_place *place,
			    const struct compute_domain *wish, struct str *ret_xml,
			    char ret_digest[static DOMAIN_DIGEST_SIZE])
{
	uint8_t digest[SHA256_SIZE];
	struct buf body, whole;
	TRY(check_wish(c, wish));
	buf_init(&body, DOMAIN_XML_CAP);
	/* an escaped quote takes six characters */
	buf_init(&whole, 6 * MANIFEST_CAP_SIZE + 2 * DOMAIN_XML_CAP);
	struct result r = write_body(c, &body, place, wish);
	if (result_is_ok(r)) {
		size_t size = body.size;
		write_sizes(&body, wish);
		crypto_sha256(buf_str(&body), digest);
		body.size = size;
		struct str hex = str_encode_hex(c->arena, digest, sizeof digest);
		memcpy(ret_digest, hex.p ? hex.p : "", hex.p ? DOMAIN_DIGEST_SIZE : 1);
		write_head(&whole, place, wish, ret_digest);
		buf_add_str(&whole, buf_str(&body));
		r = buf_finish(&whole);
		*ret_xml = str_copy(c->arena, buf_str(&whole));
	}
	buf_done(&body);
	buf_done(&whole);
	if (!result_is_ok(r))
		return ctx_fail(c, r.code, "the domain's definition is too large");
	return ret_xml->p ? OK : ctx_no_memory(c);
}
