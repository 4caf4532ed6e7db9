/* SPDX-License-Identifier: Apache-2.0
 * Ticket attachments, encrypted with the master key: one file each in the ticket directory, named by its
 * row's id. Content is never unpacked or executed; the type is detected by the first bytes. Calls block, so
 * use threads that may wait. */
#pragma once

#include "base/disk_room.h"
#include "base/uuid.h"

struct ticket_place {
	struct str directory;           /* empty: attachments can't be stored; ERR_UNSUPPORTED */
	const uint8_t *master_key;      /* MASTER_KEY_SIZE bytes */
	const struct disk_payer *payer; /* payer of written files; NULL: the region */
};

/* Stores and syncs it. ret_sha256: 64 hex digits, in c's arena. */
RESULT ticket_file_write(struct ctx *c, const struct ticket_place *place, uuid id, struct str content,
			 struct str *ret_sha256);
/* ERR_NOT_FOUND; ERR_INVALID: decryption failed; ERR_TOO_LARGE: more than cap_size bytes. */
RESULT ticket_file_read(struct ctx *c, const struct ticket_place *place, uuid id, size_t cap_size,
			struct str *ret_content);
void ticket_file_delete(struct ctx *c, const struct ticket_place *place, uuid id); /* ignores absent ones */
/* Deletes files that is_kept() rejects and that are older than an hour. */
void ticket_file_sweep(const struct ticket_place *place, bool (*is_kept)(void *arg, uuid id), void *arg);
/* "text/plain", "image/png", …, "application/octet-stream": by content, ignoring the name. */
struct str ticket_file_type(struct str content);
