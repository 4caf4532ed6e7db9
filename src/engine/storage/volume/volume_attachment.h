/* SPDX-License-Identifier: Apache-2.0
 * The attachments of volumes. A volume usually has one attachment, stored in its own row. A shared volume
 * (volume.is_shared) may have further ones, each in a row of its own, which end or move up when the first one
 * ends. So a volume whose own row says free is free. Readers need not distinguish: in the lists of this file
 * each volume looks as if the attachment in question were its own. */
#pragma once

#include "base/arena.h"
#include "base/result.h"
#include "base/uuid.h"

struct tables;
struct volume; /* model/volume.h */

/* Limit of instances per volume: EC2's limit. */
enum { VOLUME_ATTACHMENTS_MAX = 16 };

struct volume_list {
	const struct volume *const *at;
	size_t count;
};

/* The live volumes that an instance is to have, each with its attachment to this instance; with_leaving:
 * followed by those being detached. Excludes local disks (local_disk.h). In the arena, or rows. */
RESULT engine_list_disks(struct arena *a, const struct tables *t, uuid instance, bool with_leaving,
			 struct volume_list *ret_list);

/* Like engine_list_disks(), without detaching volumes and with local disks: all that the instance's host
 * plugs in. */
RESULT engine_list_all_disks(struct arena *a, const struct tables *t, uuid instance,
			     struct volume_list *ret_list);

/* The volume once for each of its attachments; empty: none. In the arena, or the row itself. */
RESULT engine_list_attachments(struct arena *a, const struct tables *t, const struct volume *volume,
			       struct volume_list *ret_list);

/* The volume with its attachment to that instance; NULL: not attached. ERR_NO_MEMORY. */
RESULT engine_find_attachment(struct arena *a, const struct tables *t, const struct volume *volume,
			      uuid instance, const struct volume **ret_volume);

/* The instance it is to be attached to, else the one it is being detached from; none: neither. */
uuid engine_volume_holder(const struct volume *volume);

/* Cinder's id of the attachment that the volume, or its copy in a list, shows. */
uuid engine_attachment_id(const struct volume *volume);

/* True if more than one instance has the volume, or is to have it. */
bool engine_has_several_attachments(const struct tables *t, uuid volume);

/* The host that the instance cannot leave because other instances there share one of its volumes; none: no
 * host. */
uuid engine_find_host_of_shared(const struct tables *t, uuid instance);

/* True if a snapshot of one of its volumes is about to be cut; every guest with the volume is paused for
 * it. */
bool engine_stands_still(const struct tables *t, uuid instance);
