/* SPDX-License-Identifier: Apache-2.0
 * The variables that an instance's UEFI keeps. */
#pragma once

#include "base/str.h"

enum {
	FIRMWARE_GUID_SIZE = 16,
	FIRMWARE_TIMESTAMP_SIZE = 16,
	FIRMWARE_DIGEST_SIZE = 32,
	/* Only what a key has signed, and later than the last time, changes the variable. */
	FIRMWARE_AUTHENTICATED = 0x20
};

/* What outlives a restart. */
struct firmware_variable {
	struct str name; /* UTF-8; with the GUID it is unique */
	struct str data;
	/* As UEFI lays it in memory: its first three numbers little-endian. */
	uint8_t guid[FIRMWARE_GUID_SIZE];
	uint32_t attributes; /* UEFI's EFI_VARIABLE_… */
	/* EFI_TIME of its last writing; zero: not authenticated. */
	uint8_t timestamp[FIRMWARE_TIMESTAMP_SIZE];
	struct str digest; /* SHA-256 of the certificates that may change it, where it is bound to some */
};

struct firmware_variables {
	const struct firmware_variable *at;
	size_t count;
};
