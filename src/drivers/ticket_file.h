/* SPDX-License-Identifier: Apache-2.0
 * Files of tickets: what was attached, sealed under the master key, one file each in the ticket directory, named by its
 * row's id. What is in them is never unpacked or run; its type is what its first bytes say. They block: only for
 * threads that may wait. */
#pragma once

#include "base/disk_room.h"
#include "base/uuid.h"

struct ticket_place {
	struct str directory;           /* empty: nothing can be kept; ERR_UNSUPPORTED */
	const uint8_t *master_key;      /* MASTER_KEY_SIZE bytes */
	const struct disk_payer *payer; /* of what is written; NULL: the region */
};

/* Keeps it, synced. ret_sha256: 64 hex digits, in c's arena. */
RESULT ticket_file_write(struct ctx *c, const struct ticket_place *place, uuid id, struct str content,
			 struct str *ret_sha256);
/* ERR_NOT_FOUND; ERR_INVALID: it does not open; ERR_TOO_LARGE: it has more than cap_size bytes. */
RESULT ticket_file_read(struct ctx *c, const struct ticket_place *place, uuid id, size_t cap_size,
			struct str *ret_content);
void ticket_file_delete(struct ctx *c, const struct ticket_place *place, uuid id); /* absent: nothing */
/* Deletes files that is_kept() does not know, and that are older than an hour. */
void ticket_file_sweep(const struct ticket_place *place, bool (*is_kept)(void *arg, uuid id), void *arg);
/* "text/plain", "image/png", …, "application/octet-stream": by its content, whatever its name says. */
struct str ticket_file_type(struct str content);
