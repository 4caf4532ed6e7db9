/* SPDX-License-Identifier: Apache-2.0
 * The region's small files in a backup: the configuration, the master key, certificates, keys and secrets that the
 * configuration and the URL of its database name, and libvirt's authority. They leave this machine only encrypted to the recovery
 * certificate: CMS EnvelopedData (RFC 5652) in DER around JSON, so that `openssl cms -decrypt -inform DER` reads
 * it without Dari. Blocks. */
#pragma once

#include "daemon/daemon.h"

enum { SEALED_FILE_MAX = 1 << 20, SEALED_FILES_MAX = 32 << 20 }; /* bytes: one file, and all together */

/* Reads them, and encrypts them to a certificate in PEM. ERR_INVALID: not the certificate of an RSA key. ERR_TOO_LARGE.
 * ERR_IO. */
RESULT sealed_files_make(struct ctx *c, const struct daemon *d, struct str recovery_pem,
			 struct str *ret_sealed);

struct sealed_file {
	struct str path; /* absolute */
	struct str user, group;
	struct str content;
	int64_t mode;
};
struct sealed_files {
	const struct sealed_file *at;
	size_t count;
};
/* True if the path from a backup is absolute and cannot climb out of the directory that a restore is bound to. */
bool sealed_files_is_path(struct str path);
/* Decrypts them with the recovery key in PEM. ERR_INVALID, with a message: another key, or no files of ours. */
RESULT sealed_files_open(struct ctx *c, struct str key_pem, struct str sealed,
			 struct sealed_files *ret_files);
