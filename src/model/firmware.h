/* SPDX-License-Identifier: Apache-2.0
 * An instance's stored UEFI variables, and their form in rows. Pure. */
#pragma once

#include "base/ctx.h"

enum {
	/* Maximum bytes that a row's variables may take in a firmware's store. OVMF's smallest store has 56
	 * KiB, and the firmware adds variables of its own. */
	FIRMWARE_GIVEN_MAX = 48 * 1024,
	FIRMWARE_NON_VOLATILE = 1,
	FIRMWARE_GUID_SIZE = 16,
	FIRMWARE_TIMESTAMP_SIZE = 16,
	FIRMWARE_DIGEST_SIZE = 32,
	/* The variable can be changed only with a signature, and a later timestamp. */
	FIRMWARE_AUTHENTICATED = 0x20
};

/* A variable that persists across restarts. */
struct firmware_variable {
	struct str name; /* UTF-8; unique together with the GUID */
	struct str data;
	/* In UEFI's memory layout: the first three numbers are little-endian. */
	uint8_t guid[FIRMWARE_GUID_SIZE];
	uint32_t attributes; /* EFI_VARIABLE_… */
	/* Time of the last write, as EFI_TIME. Zeros: not authenticated. */
	uint8_t timestamp[FIRMWARE_TIMESTAMP_SIZE];
	/* SHA-256 of the certificates that the variable is bound to, if any. */
	struct str digest;
};

struct firmware_variables {
	const struct firmware_variable *at;
	size_t count;
};

/* Serialises to one block of bytes, in c's arena: the number of variables, then each with its lengths,
 * little-endian. ERR_TOO_LARGE: more than 1 MiB. */
RESULT firmware_write(struct ctx *c, const struct firmware_variables *variables, struct str *ret_bytes);
/* The variables point into bytes. ERR_INVALID, with the reason: malformed, a name is empty or not UTF-8, or a
 * variable is duplicate or not persistent. */
RESULT firmware_read(struct ctx *c, struct str bytes, struct firmware_variables *ret_variables);
/* Size of the variables in a firmware's store, in bytes. */
size_t firmware_stored_size(const struct firmware_variables *variables);
/* True if a platform key is present: then the firmware starts only code signed with its owner's keys. */
bool firmware_has_platform_key(const struct firmware_variables *variables);
