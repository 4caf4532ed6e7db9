/* SPDX-License-Identifier: Apache-2.0
 * Migrates a volume to another storage pool; the job ends when it has arrived. Source: API reference,
 * "Volume"; messages of VolumeApiServiceImpl of 4.18, which show more of the volume than its id.
 */
#include "api/cloudstack/core/cloudstack.h"
#include "api/cloudstack/storage/storage.h"
#include "engine/resolve.h"
#include "engine/storage/volume/volume.h"
#include "engine/storage/volume/volume_attachment.h"
#include "engine/storage/volume/volume_move.h"
#include "model/states.h"
#include "store/host.h"
#include "store/instance.h"
#include "store/storage_pool.h"

struct migrate_args {
	struct volume_moving wish;
	struct ref storage;
	bool is_live;
};
#define P(wire, member, ...) PARAM(struct migrate_args, wire, member, __VA_ARGS__)
static const struct param migrate_params[] = {
	P("volumeid", wish.volume, .kind = KIND_VOLUME, .flags = REQUIRED, .doc = "The volume."),
	P("storageid", storage, .kind = KIND_STORAGE_POOL, .flags = REQUIRED,
	  .doc = "Target storage pool, as in listStoragePools."),
	P("livemigrate", is_live,
	  .doc = "Allows the migration of a volume that a running virtual machine uses."),
	NOT_BUILT("newdiskofferingid"),
};
#undef P

/* Finds the pool. A host's own directory has the host's id. */
static RESULT find_storage(struct cs_call *e, struct migrate_args *a)
{
	const struct host *host = host_find(cs_tables(e), a->storage.prefix);
	if (host && row_is_live(&host->row))
		a->wish.host = (struct ref){.kind = KIND_HOST, .text = host->name, .field = STR("storageid")};
	else if (storage_pool_find(cs_tables(e), a->storage.prefix))
		a->wish.pool = cs_ref_of(e->c, KIND_STORAGE_POOL, a->storage.prefix, "storageid");
	else
		return cs_fail_id(e, KIND_STORAGE_POOL, "storageid", a->storage.text);
	return OK;
}

static RESULT prepare_migrate(struct cs_call *e, void *args)
{
	struct migrate_args *a = args;
	const struct volume *v = NULL;
	TRY(find_storage(e, a));
	TRY(engine_find_own_volume(e->c, cs_tables(e), &a->wish.volume, &v));
	const struct instance *i = instance_find(cs_tables(e), engine_volume_holder(v));
	if (i && model_derive_instance_state(i) == INSTANCE_RUNNING && !a->is_live)
		return cs_fail(e, "livemigrate",
			       "The volume %" STR_FMT "is attached to a vm and for migrating it the "
			       "parameter livemigrate should be specified",
			       STR_ARG(a->wish.volume.text));
	return OK;
}

static const struct cs_action actions[] = {
	{CS_ACTION("migrateVolume", "ec2:MoveVolume"), .flags = API_WRITES | CS_ADMIN,
	 .args = PARAMS(struct migrate_args, migrate_params), .prepare = prepare_migrate,
	 .operation = engine_move_volume_run, CS_SUBJECT(struct migrate_args, wish.volume.prefix),
	 .shows = &cs_volumes, CS_JOB(MOVED), .doc = "Migrates a volume to another storage pool."},
};
const struct api_actions cs_volume_migration_actions = API_ACTIONS(actions);
