/* SPDX-License-Identifier: Apache-2.0
 * The variables that an instance's UEFI stores; and the form in which rows keep them. Pure. */
#pragma once

#include "base/ctx.h"

enum {
	/* What the variables of a row may take in a firmware's store, bytes. The smallest store of
	 * OVMF's has 56 KiB, and the firmware adds variables of its own. */
	FIRMWARE_GIVEN_MAX = 48 * 1024,
	FIRMWARE_NON_VOLATILE = 1,
	FIRMWARE_GUID_SIZE = 16,
	FIRMWARE_TIMESTAMP_SIZE = 16,
	FIRMWARE_DIGEST_SIZE = 32,
	/* The variable changes only by what a key has signed, and later than the last time. */
	FIRMWARE_AUTHENTICATED = 0x20
};

/* A variable that outlives a restart. */
struct firmware_variable {
	struct str name; /* UTF-8; with the GUID it is unique */
	struct str data;
	/* As UEFI has it in memory: its first three numbers are little-endian. */
	uint8_t guid[FIRMWARE_GUID_SIZE];
	uint32_t attributes; /* UEFI's EFI_VARIABLE_… */
	/* When it was last written, as EFI_TIME. Zeros: it is not authenticated. */
	uint8_t timestamp[FIRMWARE_TIMESTAMP_SIZE];
	/* SHA-256 of the certificates that may change the variable, if it is bound to some. */
	struct str digest;
};

struct firmware_variables {
	const struct firmware_variable *at;
	size_t count;
};

/* One block of bytes, in c's arena: the number of variables, then each with its lengths, little-endian.
 * ERR_TOO_LARGE: more than 1 MiB. */
RESULT firmware_write(struct ctx *c, const struct firmware_variables *variables, struct str *ret_bytes);
/* The variables point into bytes. ERR_INVALID, with the reason: it is not such a block, a name is
 * empty or no UTF-8, or a variable is there twice or would not outlive a restart. */
RESULT firmware_read(struct ctx *c, struct str bytes, struct firmware_variables *ret_variables);
/* How many bytes of a firmware's store the variables take. */
size_t firmware_stored_size(const struct firmware_variables *variables);
/* Whether there is a platform key: then the firmware starts only what is signed with its owner's keys. */
bool firmware_has_platform_key(const struct firmware_variables *variables);
