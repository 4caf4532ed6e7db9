/* SPDX-License-Identifier: Apache-2.0
 * Disks hang on an AHCI controller, for which each guest system has a driver: guests of this region know virtio, which
 * VMware does not have. The network interface is an E1000E for the same reason. */
#include "drivers/image/ova.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/crypto.h"
#include "base/file.h"
#include "drivers/image/image_tool.h"

enum { DESCRIPTOR_CAP = 256 << 10, DISKS_MAX = 26 };
/* Largest member of a ustar archive: eleven octal digits. */
#define USTAR_MEMBER_MAX ((INT64_C(1) << 33) - 1)

struct str ova_disk_path(struct arena *a, const struct ova *ova, size_t number)
{
	return str_print(a, "%s/%s-disk%zu.vmdk", ova->directory, ova->name, number);
}

/* ---- descriptor ---- */

static RESULT write_references(struct ctx *c, const struct ova *ova, struct buf *b)
{
	buf_print(b, "<References>");
	for (size_t k = 1; k <= ova->disk_count; k++) {
		struct str path = ova_disk_path(c->arena, ova, k);
		int64_t size = 0;
		if (!path.p)
			return ctx_no_memory(c);
		TRY(file_size(c, path.p, &size));
		buf_print(b, "<File ovf:id=\"file%zu\" ovf:href=\"%s-disk%zu.vmdk\" ovf:size=\"%lld\"/>", k,
			  ova->name, k, (long long) size);
	}
	buf_print(b, "</References><DiskSection><Info>Virtual disks</Info>");
	for (size_t k = 1; k <= ova->disk_count; k++)
		buf_print(b,
			  "<Disk ovf:diskId=\"vmdisk%zu\" ovf:fileRef=\"file%zu\" ovf:capacity=\"%lld\" "
			  "ovf:capacityAllocationUnits=\"byte\" "
			  "ovf:format=\"http://www.vmware.com/interfaces/specifications/"
			  "vmdk.html#streamOptimized\"/>",
			  k, k, (long long) ova->disk_sizes[k - 1]);
	buf_print(b,
		  "</DiskSection>"
		  "<NetworkSection><Info>Networks</Info><Network ovf:name=\"VM Network\"/></NetworkSection>");
	return OK;
}

/* CIM resource types: 3 processor, 4 memory, 10 Ethernet adapter, 17 disk, 20 other storage device. The schema wants
 * the elements of an item in the order of their names. */
static void write_hardware(const struct ova *ova, struct buf *b)
{
	buf_print(b,
		  "<Item><rasd:AllocationUnits>hertz * 10^6</rasd:AllocationUnits>"
		  "<rasd:ElementName>Processors</rasd:ElementName><rasd:InstanceID>1</rasd:InstanceID>"
		  "<rasd:ResourceType>3</rasd:ResourceType>"
		  "<rasd:VirtualQuantity>%lld</rasd:VirtualQuantity></Item>"
		  "<Item><rasd:AllocationUnits>byte * 2^20</rasd:AllocationUnits>"
		  "<rasd:ElementName>Memory</rasd:ElementName><rasd:InstanceID>2</rasd:InstanceID>"
		  "<rasd:ResourceType>4</rasd:ResourceType>"
		  "<rasd:VirtualQuantity>%lld</rasd:VirtualQuantity></Item>"
		  "<Item><rasd:Address>0</rasd:Address><rasd:ElementName>SATA controller</rasd:ElementName>"
		  "<rasd:InstanceID>3</rasd:InstanceID>"
		  "<rasd:ResourceSubType>vmware.sata.ahci</rasd:ResourceSubType>"
		  "<rasd:ResourceType>20</rasd:ResourceType></Item>"
		  "<Item><rasd:AutomaticAllocation>true</rasd:AutomaticAllocation>"
		  "<rasd:Connection>VM Network</rasd:Connection>"
		  "<rasd:ElementName>Network adapter</rasd:ElementName><rasd:InstanceID>4</rasd:InstanceID>"
		  "<rasd:ResourceSubType>E1000e</rasd:ResourceSubType>"
		  "<rasd:ResourceType>10</rasd:ResourceType></Item>",
		  (long long) ova->vcpus, (long long) (ova->memory >> 20));
	for (size_t k = 1; k <= ova->disk_count; k++)
		buf_print(b,
			  "<Item><rasd:AddressOnParent>%zu</rasd:AddressOnParent>"
			  "<rasd:ElementName>Disk %zu</rasd:ElementName>"
			  "<rasd:HostResource>ovf:/disk/vmdisk%zu</rasd:HostResource>"
			  "<rasd:InstanceID>%zu</rasd:InstanceID><rasd:Parent>3</rasd:Parent>"
			  "<rasd:ResourceType>17</rasd:ResourceType></Item>",
			  k - 1, k, k, 10 + k);
	if (ova->is_uefi)
		buf_print(b, "<vmw:Config ovf:required=\"false\" vmw:key=\"firmware\" vmw:value=\"efi\"/>");
}

/* CIM operating systems: 101 Linux of 64 bits, 74 Windows Server of 64 bits. */
static void write_system(const struct ova *ova, struct buf *b)
{
	const char *os = ova->is_windows ? "windows2019srvNext_64Guest"
			 : ova->is_arm   ? "arm-other5xLinux64Guest"
					 : "other5xLinux64Guest";
	buf_print(b,
		  "<VirtualSystem ovf:id=\"%s\"><Info>A virtual machine</Info><Name>%s</Name>"
		  "<OperatingSystemSection ovf:id=\"%d\" vmw:osType=\"%s\"><Info>Guest system</Info>"
		  "</OperatingSystemSection>"
		  "<VirtualHardwareSection><Info>Virtual hardware</Info><System>"
		  "<vssd:ElementName>Virtual hardware family</vssd:ElementName>"
		  "<vssd:InstanceID>0</vssd:InstanceID>"
		  "<vssd:VirtualSystemIdentifier>%s</vssd:VirtualSystemIdentifier>"
		  "<vssd:VirtualSystemType>vmx-13</vssd:VirtualSystemType></System>",
		  ova->name, ova->name, ova->is_windows ? 74 : 101, os, ova->name);
	write_hardware(ova, b);
	buf_print(b, "</VirtualHardwareSection></VirtualSystem></Envelope>\n");
}

static RESULT write_descriptor(struct ctx *c, const struct ova *ova, const char *path)
{
	struct buf b;
	buf_init(&b, DESCRIPTOR_CAP);
	buf_print(&b, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		      "<Envelope xmlns=\"http://schemas.dmtf.org/ovf/envelope/1\" "
		      "xmlns:ovf=\"http://schemas.dmtf.org/ovf/envelope/1\" "
		      "xmlns:rasd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
		      "CIM_ResourceAllocationSettingData\" "
		      "xmlns:vssd=\"http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/"
		      "CIM_VirtualSystemSettingData\" "
		      "xmlns:vmw=\"http://www.vmware.com/schema/ovf\">");
	struct result result = write_references(c, ova, &b);
	write_system(ova, &b);
	if (result_is_ok(result))
		result = buf_finish(&b);
	if (result_is_ok(result))
		result = file_write_synced(c, path, buf_str(&b), 0600);
	buf_done(&b);
	return result;
}

/* ---- manifest and archive ---- */

static RESULT add_digest(struct ctx *c, const struct ova *ova, const char *file, struct buf *b)
{
	uint8_t digest[SHA256_SIZE];
	struct str path = str_print(c->arena, "%s/%s", ova->directory, file);
	AUTO_FD fd = path.p ? open(path.p, O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0)
		return ctx_fail(c, ERR_IO, "%s cannot be read", file);
	TRY(crypto_sha256_file(c, fd, digest));
	struct str hex = str_encode_hex(c->arena, digest, sizeof digest);
	buf_print(b, "SHA256(%s)= %" STR_FMT "\n", file, STR_ARG(hex));
	return hex.p ? OK : ctx_no_memory(c);
}

static RESULT write_manifest(struct ctx *c, const struct ova *ova, const char *const *files, const char *path)
{
	struct buf b;
	struct result result = OK;
	buf_init(&b, DESCRIPTOR_CAP);
	for (size_t k = 0; files[k] && result_is_ok(result); k++)
		result = add_digest(c, ova, files[k], &b);
	if (result_is_ok(result))
		result = buf_finish(&b);
	if (result_is_ok(result))
		result = file_write_synced(c, path, buf_str(&b), 0600);
	buf_done(&b);
	return result;
}

/* The standard asks for ustar, whose members have up to 8 GiB; larger ones need GNU's form, as VMware's own tool writes. */
static RESULT has_large_member(struct ctx *c, const struct ova *ova, bool *ret_is_large)
{
	*ret_is_large = false;
	for (size_t k = 1; k <= ova->disk_count; k++) {
		struct str path = ova_disk_path(c->arena, ova, k);
		int64_t size = 0;
		if (!path.p)
			return ctx_no_memory(c);
		TRY(file_size(c, path.p, &size));
		*ret_is_large = *ret_is_large || size > USTAR_MEMBER_MAX;
	}
	return OK;
}

static RESULT archive(struct ctx *c, const struct ova *ova, const char *const *files)
{
	enum { OPTIONS = 11 };
	bool is_large = false;
	const char *argv[OPTIONS + DISKS_MAX + 3] = {
		"tar",         "--create",    NULL,           "--owner=root:0", "--group=root:0",
		"--mode=0644", "--directory", ova->directory, "--file"};
	struct str to = str_print(c->arena, "%s/%s.ova", ova->directory, ova->name);
	TRY(has_large_member(c, ova, &is_large));
	if (!to.p)
		return ctx_no_memory(c);
	argv[2] = is_large ? "--format=gnu" : "--format=ustar";
	argv[9] = to.p;
	for (size_t k = 0; files[k]; k++)
		argv[10 + k] = files[k];
	const struct image_tool tool = {argv, NULL, IMAGE_TOOL_LONG, ERR_IO, "tar writes no archive"};
	return image_tool_write(c, &tool, to.p);
}

static const char *name_file(struct ctx *c, const struct ova *ova, const char *ending)
{
	return str_print(c->arena, "%s%s", ova->name, ending).p;
}

RESULT ova_write(struct ctx *c, const struct ova *ova)
{
	const char *files[DISKS_MAX + 3] = {name_file(c, ova, ".ovf")}; /* the descriptor comes first */
	const char *digested[DISKS_MAX + 2] = {files[0]};
	struct str descriptor = str_print(c->arena, "%s/%s.ovf", ova->directory, ova->name),
		   manifest = str_print(c->arena, "%s/%s.mf", ova->directory, ova->name);
	files[1] = name_file(c, ova, ".mf");
	if (!descriptor.p || !manifest.p || !files[0] || !files[1])
		return ctx_no_memory(c);
	for (size_t k = 1; k <= ova->disk_count && k <= DISKS_MAX; k++) {
		struct str ending = str_print(c->arena, "-disk%zu.vmdk", k);
		files[1 + k] = digested[k] = ending.p ? name_file(c, ova, ending.p) : NULL;
		if (!files[1 + k])
			return ctx_no_memory(c);
	}
	TRY(write_descriptor(c, ova, descriptor.p));
	TRY(write_manifest(c, ova, digested, manifest.p));
	TRY(archive(c, ova, files));
	for (size_t k = 0; files[k]; k++) {
		struct str path = str_print(c->arena, "%s/%s", ova->directory, files[k]);
		if (path.p)
			TRY(file_delete(c, path.p));
	}
	return OK;
}
