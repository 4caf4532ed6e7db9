/* SPDX-License-Identifier: Apache-2.0
 * The variables that an instance's UEFI stores. */
#pragma once

#include "base/str.h"

enum {
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
