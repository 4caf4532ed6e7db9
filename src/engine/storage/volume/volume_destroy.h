/* SPDX-License-Identifier: Apache-2.0
 * Volumes that are destroyed and can be recovered for a while (CloudStack's destroyVolume and recoverVolume). A
 * destroyed volume is shown as being deleted, and can only be recovered or deleted. It counts against quotas until
 * its deletion. */
#pragma once

#include "engine/operation.h"

struct volume;

struct volume_destruction {
	struct ref volume;
	bool expunges; /* deletes it at once */
};
/* Errors as for a deletion; besides, ERR_STATE: it is destroyed already, and is not to be expunged. If the region keeps nothing that is
 * destroyed (SETTING_EXPUNGE_DELAY 0), the volume is deleted at once. */
OPERATION(engine_destroy_volume, volume_destruction)
/* ERR_STATE: it is not destroyed. */
OPERATION(engine_recover_volume, volume_destruction)

/* When a destroyed volume is deleted; 0: it is not destroyed, or is deleted already. */
int64_t engine_get_volume_expunge_us(const struct tables *t, const struct volume *volume);
/* For the reconciler: deletes the volume, if its time has come. */
struct volume_expunging {
	uuid volume;
};
SYSTEM_OPERATION(engine_expunge_volume, volume_expunging)
