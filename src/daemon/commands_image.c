/* SPDX-License-Identifier: Apache-2.0
 * dari image …: images for root disks. */

#include "base/file.h"
#include "daemon/command.h"
#include "drivers/image/image_file.h"
#include "engine/storage/image/image.h"
#include "model/states.h"
#include "store/image.h"
#include "store/image_device.h"

static bool is_url(struct str source)
{
	return str_starts_with(source, STR("http://")) || str_starts_with(source, STR("https://")) ||
	       str_starts_with(source, STR("file://"));
}

/* The last path segment without its suffix. */
static struct str name_of(struct str source)
{
	struct str name = source, piece = STR_NONE;
	while (str_split_next(&source, '/', &piece))
		name = piece.n ? piece : name;
	for (size_t k = name.n; k-- > 1;)
		if (name.p[k] == '.')
			return str_slice(name, 0, k);
	return name;
}

static RESULT import_file(struct command_call *call, struct str source, struct image_file *ret_file)
{
	struct ctx *c = &call->ctx;
	struct str format = command_arg(call, "format");
	const char *directory = settings_path(c->arena, &call->daemon->settings, "images");
	if (!is_url(source))
		return image_file_import(c, str_to_z(c->arena, source), format, NULL, NULL, directory,
					 ret_file);
	AUTO(image_upload) upload = NULL;
	TRY(image_upload_new(c, directory, &upload));
	const struct image_fetch wish = {
		.url = str_to_z(c->arena, source), .cap_size = IMAGE_DATA_MAX, .from_anywhere = true};
	TRY(image_upload_fetch(upload, c, &wish));
	return image_upload_import(upload, c, format, NULL, ret_file);
}

/* Parses the virtual hardware for the image's guests. */
static RESULT parse_machine(struct command_call *call, struct image_import *wish)
{
	int arch = 0, personality = 0, platform = 0, boot_mode = 0, disk_bus = 0, nic_model = 0;
	TRY(command_word_arg(call, "arch", image_arch_words, IMAGE_ARCH_X86_64, &arch));
	TRY(command_word_arg(call, "personality", image_personality_words, IMAGE_PERSONALITY_EC2,
			     &personality));
	TRY(command_word_arg(call, "platform", image_platform_words, IMAGE_PLATFORM_LINUX, &platform));
	TRY(command_word_arg(call, "boot-mode", image_boot_mode_words, IMAGE_BOOT_MODE_UNSAID, &boot_mode));
	TRY(command_word_arg(call, "disk-bus", image_disk_bus_words, IMAGE_DISK_BUS_VIRTIO, &disk_bus));
	TRY(command_word_arg(call, "nic-model", image_nic_model_words, IMAGE_NIC_MODEL_VIRTIO, &nic_model));
	wish->arch = (enum image_arch) arch;
	wish->personality = (enum image_personality) personality;
	wish->platform = (enum image_platform) platform;
	wish->boot_mode = (enum image_boot_mode) boot_mode;
	wish->secure_boot = json_object_get(call->args, "secure-boot") != NULL;
	wish->tpm = json_object_get(call->args, "tpm") != NULL;
	wish->disk_bus = (enum image_disk_bus) disk_bus;
	wish->nic_model = (enum image_nic_model) nic_model;
	return OK;
}

static RESULT image_import(struct command_call *call)
{
	struct str source = command_arg(call, "source"), name = command_arg(call, "name");
	struct image_import wish = {0};
	struct image_file file = {0};
	TRY(parse_machine(call, &wish));
	TRY(import_file(call, source, &file));
	wish.name = name.n ? name : name_of(source);
	wish.description = command_arg(call, "description");
	wish.is_public = true;
	wish.virtual_size = file.virtual_size;
	wish.file_size = file.file_size;
	wish.sha256 = file.sha256;
	TRY(command_commit(call, "dari:image import", engine_import_image_run, &wish));
	struct str id = id_to_ec2(call->ctx.arena, KIND_IMAGE, wish.image);
	buf_print(&call->text, "%" STR_FMT "  %" STR_FMT "\n", STR_ARG(id), STR_ARG(wish.name));
	call->value = json_pack("{s:s%, s:s%}", "image_id", id.p, id.n, "name", wish.name.p, wish.name.n);
	return OK;
}

const struct command image_commands[] = {
	{"image import",
	 "Imports a disk image (qcow2, raw, vmdk, vhd or vhdx) as a public image.",
	 {{"source", PARAM_POSITIONAL, true, "A file on the server's machine, or a URL.", .is_path = true},
	  {"name", PARAM_OPTION, false, "Name of the image (default: the file's name)."},
	  {"format", PARAM_OPTION, false, "qcow2, raw, vmdk, vhd or vhdx (default: detected)."},
	  {"description", PARAM_OPTION, false, "Description: free text."},
	  {"arch", PARAM_OPTION, false, "x86_64 or arm64."},
	  {"personality", PARAM_OPTION, false,
	   "Metadata service that its guests expect: ec2, openstack, cloudstack, azure or nocloud."},
	  {"platform", PARAM_OPTION, false,
	   "windows: Hyper-V's interface and a clock in local time (default: linux)."},
	  {"boot-mode", PARAM_OPTION, false, "legacy-bios, uefi or uefi-preferred (default: BIOS)."},
	  {"secure-boot", PARAM_FLAG, false, "Enables Secure Boot with Microsoft's keys."},
	  {"tpm", PARAM_FLAG, false, "Gives each guest a TPM 2.0."},
	  {"disk-bus", PARAM_OPTION, false, "sata for guests without virtio's driver (default: virtio)."},
	  {"nic-model", PARAM_OPTION, false, "e1000e for guests without virtio's driver (default: virtio)."}},
	 .run = image_import,
	 .is_anywhere = true},
	{0},
};
