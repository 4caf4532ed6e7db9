/* SPDX-License-Identifier: Apache-2.0
 * Files of encrypted disks: qcow2 with LUKS encryption. Only QEMU can create them, and libvirt's storage
 * pools have no way to request it. So they are created empty on this machine and uploaded; an empty one is
 * small. Files of the image store are encrypted here as well. */
#pragma once

#include "base/ctx.h"
#include "model/disk_key.h"

/* qemu-img's options for encrypted qcow2 and for LUKS containers. The key is as random as the derived one, so
 * few iterations are enough. */
#define CRYPT_FILE_OPTIONS "compat=1.1,encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10"
#define CRYPT_CONTAINER_OPTIONS "key-secret=key,iter-time=10"

/* Maximum size of such a file without data. */
enum { CRYPT_FILE_EMPTY_SIZE = 4 << 20 };

/* Creates it as a memory file; the caller closes ret_fd. size: as seen by the guest; backing: name of the
 * backing file in the same directory; empty: none. The key is passed by a pipe. Takes a second. ERR_AGAIN:
 * qemu-img could not time its key derivation; nothing was created. */
RESULT crypt_file_create(struct ctx *c, const struct disk_key *key, int64_t size, struct str backing,
			 int *ret_fd);
struct image_tool_limits;
/* Encrypts the disk in file `from` (format: qemu-img's name) into a new file `to` without a backing file.
 * Takes as long as copying, at most an hour. ERR_TOO_LARGE: it would exceed the limits' size. ERR_AGAIN: as
 * above; ERR_INVALID: `from` has another format, or `to` can't be written. After a failure `to` may be
 * incomplete. */
RESULT crypt_file_convert(struct ctx *c, const struct disk_key *key, const char *from, const char *format,
			  const char *to, const struct image_tool_limits *limits);
/* Creates a LUKS header for a disk of any size, in memory: in a Ceph image it precedes the disk's bytes. In
 * c's arena. ERR_AGAIN: as above. */
RESULT crypt_file_make_head(struct ctx *c, const struct disk_key *key, struct str *ret_head);
/* Finds the disk's offset in a container from its first CRYPT_HEAD_LOOK bytes. ERR_CONFLICT: not a LUKS
 * container. Pure. Source: LUKS1 on-disk format 1.2.3, "payload-offset". */
enum { CRYPT_HEAD_LOOK = 512, CRYPT_HEAD_MAX = 4 << 20 };
RESULT crypt_file_find_payload(struct ctx *c, struct str head, int64_t *ret_offset);
