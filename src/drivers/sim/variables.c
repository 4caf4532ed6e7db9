/* SPDX-License-Identifier: Apache-2.0
 * UEFI variables of a simulated guest: a boot entry and, with secure boot, a platform key. */
#include "drivers/sim/compute_state.h"

enum { BOOT = 7, SIGNED_BOOT = BOOT | FIRMWARE_AUTHENTICATED }; /* non-volatile, boot and runtime access */

#define GLOBAL_GUID                                                                                          \
	{                                                                                                    \
		0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b,    \
			0x8c                                                                                 \
	}
#define BYTES(text)                                                                                          \
	{                                                                                                    \
		(text), sizeof(text) - 1                                                                     \
	}

/* EFI_LOAD_OPTION: active, a device path with only the end node, description "disk". */
static const struct firmware_variable variables[] = {
	{.name = BYTES("Boot0000"),
	 .data = BYTES("\1\0\0\0\4\0d\0i\0s\0k\0\0\0\x7f\xff\4\0"),
	 .guid = GLOBAL_GUID,
	 .attributes = BOOT},
	{.name = BYTES("BootOrder"), .data = BYTES("\0\0"), .guid = GLOBAL_GUID, .attributes = BOOT},
	{.name = BYTES("PK"),
	 .data = BYTES("simulated"),
	 .guid = GLOBAL_GUID,
	 .attributes = SIGNED_BOOT,
	 .timestamp = {0xe9, 0x07, 1, 1}}, /* 2025-01-01 */
};

struct firmware_variables sim_list_variables(const struct sim_domain *d)
{
	size_t all = sizeof variables / sizeof variables[0];
	return (struct firmware_variables){variables, d->is_secure ? all : all - 1};
}
