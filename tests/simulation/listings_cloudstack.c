/* SPDX-License-Identifier: Apache-2.0
 * Compares the accounts' view through CloudStack with the model. EC2's lists are compared first, and have
 * resolved what the model had to guess. */
#include "simulation.h"

static bool is_number(struct str text, int64_t number)
{
	int64_t shown = -1;
	return result_is_ok(str_parse_int(text, &shown)) && shown == number;
}

static bool is_one_of(struct str text, const char *const *words)
{
	for (; *words; words++)
		if (str_is(text, *words))
			return true;
	return false;
}

/* ---- machines ---- */

static const char *differ_machine(const struct look *l, struct thing *t, struct str item)
{
	static const char *const moving[] = {"Starting", "Running", "Stopping", "Stopped", "Error", NULL};
	struct str state = answer_at(item, "state");
	if (t->life == ENDING || model_may_be_off(t))
		return NULL;
	if (!l->is_settled)
		return is_one_of(state, moving) ? NULL : "its state";
	return str_is(state, t->wanted_on ? "Running" : "Stopped") ? NULL : "its state";
}

/* A destroyed machine stays visible for a while. */
static bool is_expunged(const struct look *l, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "state"), "Expunging");
}

/* ---- disks ---- */

static const char *differ_volume(const struct look *l, struct thing *t, struct str item)
{
	const struct thing *holder = t->of ? t->of : t->to;
	if (t->life == ENDING)
		return NULL;
	if (t->gibibytes && !is_number(answer_at(item, "size"), t->gibibytes * CLOUD_GIB))
		return "its size";
	if (!l->is_settled)
		return NULL;
	if (!str_is(answer_at(item, "state"), "Ready"))
		return "its state";
	return model_is_id(answer_at(item, "virtualmachineid"), holder) ? NULL : "its machine";
}

static const char *differ_snapshot(const struct look *l, struct thing *t, struct str item)
{
	static const char *const states[] = {"Creating", "CreatedOnPrimary", "BackingUp", "BackedUp", NULL};
	struct str state = answer_at(item, "state");
	if (t->to && t->to->id[0] && !model_is_id(answer_at(item, "volumeid"), t->to))
		return "its volume";
	if (t->is_complete || l->is_settled)
		return str_is(state, "BackedUp") ? NULL : "its state";
	return is_one_of(state, states) ? NULL : "its state";
}

static bool is_own_snapshot(const struct model *m, const struct thing *t)
{
	(void) m;
	return !t->is_bound;
}

/* ---- addresses ---- */

static const char *differ_address(const struct look *l, struct thing *t, struct str item)
{
	const struct thing *holder = t->to ? (t->to->of ? t->to->of : t->to->to) : NULL;
	bool is_machines = holder && holder->kind == KIND_INSTANCE;
	if (!l->is_settled || (holder && holder->life != LIVE))
		return NULL;
	return model_is_id(answer_at(item, "virtualmachineid"), is_machines ? holder : NULL) ? NULL
											     : "its machine";
}

/* A router's own address, or that of a machine while it runs. */
static bool is_systems(const struct look *l, struct str item)
{
	(void) l;
	return str_is(answer_at(item, "issourcenat"), "true") || str_is(answer_at(item, "issystem"), "true");
}

#define LIST(kind, command, response, item, differ, ...)                                                     \
	{                                                                                                    \
		kind, "GET /client/api?command=" command, response "/" item, "id", NULL, NULL, differ,       \
			__VA_ARGS__                                                                          \
	}
static const struct listing rows[] = {
	LIST(KIND_INSTANCE, "listVirtualMachines", "listvirtualmachinesresponse", "virtualmachine",
	     differ_machine, NULL, is_expunged),
	LIST(KIND_VOLUME, "listVolumes", "listvolumesresponse", "volume", differ_volume, NULL, NULL),
	LIST(KIND_SNAPSHOT, "listSnapshots", "listsnapshotsresponse", "snapshot", differ_snapshot,
	     is_own_snapshot, NULL),
	LIST(KIND_ADDRESS, "listPublicIpAddresses", "listpublicipaddressesresponse", "publicipaddress",
	     differ_address, NULL, is_systems),
};
const struct listings cloudstack_listings = {rows, sizeof rows / sizeof *rows};
