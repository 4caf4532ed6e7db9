/* SPDX-License-Identifier: Apache-2.0
 * Converts between image properties and the fields of an image's row. Other properties have no effect and
 * are stored as they are. */
#include "api/openstack/image/images.h"
#include "model/boot_mode.h"
#include "model/firmware.h"
#include "model/image.h"
#include "model/licence.h"

static struct str find_property(const struct image_form *form, const char *key)
{
	const struct tag *found = NULL;
	for (size_t k = 0; k < form->properties.count && !found; k++)
		if (str_is(form->properties.at[k].key, key))
			found = &form->properties.at[k];
	return found ? found->value : STR_NONE;
}

static bool is_one_of(struct str value, const char *a, const char *b)
{
	return str_is(value, a) || str_is(value, b);
}

/* Reads the licences; "byos" applies to the system that os_distro names. Without the property they stay
 * unchanged. */
static void apply_licence(struct arena *a, struct image_form *form)
{
	struct str word = find_property(form, OS_LICENCE_PROPERTY);
	if (word.n)
		(void) licence_read_word(a, word, product_info_of_distro(find_property(form, "os_distro")),
					 &form->licences);
}

void os_image_apply_properties(struct arena *a, struct image_form *form)
{
	struct str arch = find_property(form, "architecture"), bus = find_property(form, "hw_disk_bus");
	struct str nic = find_property(form, "hw_vif_model");
	struct str firmware = find_property(form, "hw_firmware_type");
	bool is_windows = str_is(find_property(form, "os_type"), "windows");
	form->arch = is_one_of(arch, "aarch64", "arm64") ? IMAGE_ARCH_ARM64 : IMAGE_ARCH_X86_64;
	form->platform = is_windows ? IMAGE_PLATFORM_WINDOWS : IMAGE_PLATFORM_LINUX;
	form->disk_bus = is_one_of(bus, "sata", "ide") ? IMAGE_DISK_BUS_SATA : IMAGE_DISK_BUS_VIRTIO;
	form->nic_model = is_one_of(nic, "e1000e", "e1000") ? IMAGE_NIC_MODEL_E1000E : IMAGE_NIC_MODEL_VIRTIO;
	form->boot_mode = str_is(firmware, "uefi")   ? IMAGE_BOOT_MODE_UEFI
			  : str_is(firmware, "bios") ? IMAGE_BOOT_MODE_LEGACY_BIOS
						     : IMAGE_BOOT_MODE_UNSAID;
	form->secure_boot = str_is(find_property(form, "os_secure_boot"), "required");
	form->tpm = str_is(find_property(form, "hw_tpm_version"), "2.0");
	apply_licence(a, form);
}

bool os_image_is_machine_word(struct str key)
{
	static const char *const words[] = {"architecture",  "os_type",          "hw_disk_bus",
					    "hw_vif_model",  "hw_firmware_type", "os_secure_boot",
					    "hw_tpm_version"};
	for (size_t k = 0; k < sizeof words / sizeof words[0]; k++)
		if (str_is(key, words[k]))
			return true;
	return false;
}

bool os_image_shows_machine_word(const struct image_form *form, struct str key)
{
	return (str_is(key, "architecture") && form->arch == IMAGE_ARCH_ARM64) ||
	       (str_is(key, "os_type") && form->platform == IMAGE_PLATFORM_WINDOWS) ||
	       (str_is(key, "hw_disk_bus") && form->disk_bus == IMAGE_DISK_BUS_SATA) ||
	       (str_is(key, "hw_vif_model") && form->nic_model == IMAGE_NIC_MODEL_E1000E) ||
	       (str_is(key, "hw_firmware_type") && model_image_is_uefi(form->boot_mode)) ||
	       (str_is(key, "os_secure_boot") && form->secure_boot) ||
	       (str_is(key, "hw_tpm_version") && form->tpm);
}

static void write_unless_said(struct json_writer *w, const struct image *image, bool holds, const char *key,
			      const char *value)
{
	if (holds && !tags_find(image->properties, str_from(key)))
		json_write_z(w, key, value);
}

/* Shows a property that nobody set only where it differs from the default: Terraform would remove any
 * other. */
void os_image_write_machine(struct json_writer *w, const struct image *image)
{
	write_unless_said(w, image, image->arch == IMAGE_ARCH_ARM64, "architecture", "aarch64");
	write_unless_said(w, image, image->platform == IMAGE_PLATFORM_WINDOWS, "os_type", "windows");
	write_unless_said(w, image, image->disk_bus == IMAGE_DISK_BUS_SATA, "hw_disk_bus", "sata");
	write_unless_said(w, image, image->nic_model == IMAGE_NIC_MODEL_E1000E, "hw_vif_model", "e1000e");
	write_unless_said(w, image, model_image_is_uefi(image->boot_mode), "hw_firmware_type", "uefi");
	write_unless_said(w, image, image->secure_boot, "os_secure_boot", "required");
	write_unless_said(w, image, image->tpm, "hw_tpm_version", "2.0");
}
