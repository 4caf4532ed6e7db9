/* SPDX-License-Identifier: Apache-2.0
 * Who has which volume. A volume has one attachment as a rule, which is in its row. One that is shared
 * (volume.is_shared) may have more, which are rows of their own; they end, or take the place of the first one
 * when that ends. So a volume whose own row says that it is free is free.
 *
 * Readers need not tell the two apart: in the lists of this file each volume looks as if the attachment asked
 * about were its own. */
#pragma once

#include "base/arena.h"
#include "base/result.h"
#include "base/uuid.h"

struct tables;
struct volume; /* model/volume.h */

/* How many instances may have a volume at a time: as many as EC2 allows. */
enum { VOLUME_ATTACHMENTS_MAX = 16 };

struct volume_list {
	const struct volume *const *at;
	size_t count;
};

/* The live volumes that an instance is to have, each as it is attached to this one; with_leaving: then those
 * that are being detached from it. Local disks (local_disk.h) are none. In the arena, or rows. */
RESULT engine_list_disks(struct arena *a, const struct tables *t, uuid instance, bool with_leaving,
			 struct volume_list *ret_list);

/* The same without those that leave, and with local disks: all that its host plugs. */
RESULT engine_list_all_disks(struct arena *a, const struct tables *t, uuid instance,
			     struct volume_list *ret_list);

/* A volume once for each of its attachments; empty: it has none. In the arena, or the row itself. */
RESULT engine_list_attachments(struct arena *a, const struct tables *t, const struct volume *volume,
			       struct volume_list *ret_list);

/* The volume as it is attached to that instance; NULL: it is not. ERR_NO_MEMORY. */
RESULT engine_find_attachment(struct arena *a, const struct tables *t, const struct volume *volume,
			      uuid instance, const struct volume **ret_volume);

/* The instance that it is to be attached to, else the one that it is being detached from; none: neither. */
uuid engine_volume_holder(const struct volume *volume);

/* Cinder's id of the attachment that the volume, or its copy in a list, is shown with. */
uuid engine_attachment_id(const struct volume *volume);

/* More than one instance has it, or is to have it. */
bool engine_has_several_attachments(const struct tables *t, uuid volume);

/* The host that the instance cannot leave, because others there have one of its volumes; none: no host. */
uuid engine_find_host_of_shared(const struct tables *t, uuid instance);

/* A snapshot of one of its volumes is about to be cut, for which every guest that has the volume stands
 * still. */
bool engine_stands_still(const struct tables *t, uuid instance);
