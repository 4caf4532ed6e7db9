/* SPDX-License-Identifier: Apache-2.0
 * Encrypted disks' files: qcow2 whose bytes are LUKS. Only QEMU makes one, and libvirt's storage pools do not
 * have it make any: they are made here, empty, and sent. A file of a disk without data has its size, which
 * is not much. And what the image store has, or takes in, is encrypted here. */
#pragma once

#include "base/ctx.h"
#include "model/disk_key.h"

/* What qemu-img makes one with; and a LUKS container. The key is as random as what is derived from it: rounds that make
 * guessing dear are few. */
#define CRYPT_FILE_OPTIONS "compat=1.1,encrypt.format=luks,encrypt.key-secret=key,encrypt.iter-time=10"
#define CRYPT_CONTAINER_OPTIONS "key-secret=key,iter-time=10"

/* No such file without data is larger. */
enum { CRYPT_FILE_EMPTY_SIZE = 4 << 20 };

/* In memory; ret_fd is the caller's to close. size: as the guest sees it; backing: the name of the file
 * beside it that it stands on; empty: none. The key passes over a pipe. Takes a second. ERR_AGAIN: qemu-img
 * could not measure its derivation of keys; nothing was made. */
RESULT crypt_file_create(struct ctx *c, const struct disk_key *key, int64_t size, struct str backing,
			 int *ret_fd);
struct image_tool_limits;
/* What the file from (in qemu-img's word for its format) holds, as a new one at to, which stands by itself.
 * Takes as long as copying does: an hour at most. ERR_TOO_LARGE: it would pass the limits' size. ERR_AGAIN: as above; ERR_INVALID: from is not that, or to
 * cannot be written. After any failure to may be half of one. */
RESULT crypt_file_convert(struct ctx *c, const struct disk_key *key, const char *from, const char *format,
			  const char *to, const struct image_tool_limits *limits);
/* The head of a LUKS container that holds a disk of any size, in memory: what a pool of Ceph has before the disk's
 * bytes. In c's arena. ERR_AGAIN: as above. */
RESULT crypt_file_make_head(struct ctx *c, const struct disk_key *key, struct str *ret_head);
/* Where the disk begins in a container, by its first CRYPT_HEAD_LOOK bytes. ERR_CONFLICT: it is none. Pure. Source: LUKS1
 * on-disk format 1.2.3, "payload-offset". */
enum { CRYPT_HEAD_LOOK = 512, CRYPT_HEAD_MAX = 4 << 20 };
RESULT crypt_file_find_payload(struct ctx *c, struct str head, int64_t *ret_offset);
