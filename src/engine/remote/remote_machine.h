/* SPDX-License-Identifier: Apache-2.0
 * Machines of providers: requested acts, and reports of listings. reconcile/remote/ carries out the acts. */
#pragma once

#include "engine/operation.h"
#include "model/remote_machine_words.h"

struct remote_machine;

enum { REMOTE_MACHINES_MAX = 50000, REMOTE_CREATIONS_MAX = 100, REMOTE_ACT_EXPIRES_S = 900 };

/* Requests one act. ERR_STATE: an earlier one is not over yet, or the machine is terminated. */
struct remote_act_wish {
	struct ref machine;
	enum remote_machine_act act; /* neither NONE nor CREATE */
	struct tags tags;            /* of tag: added, or replaced by key */
	struct str type;             /* of resize */
};
OPERATION(engine_act_remote_machine, remote_act_wish)

/* Requests a new machine. Its row's id is the token that keeps the cloud from making it twice. */
struct remote_create_wish {
	uuid id; /* id for the new row */
	struct ref provider;
	struct str name, image, type, zone, subnet,
		key_name; /* by the cloud's ids, or names where it has them */
	struct strs groups;
	struct tags tags;
};
OPERATION(engine_create_remote_machine, remote_create_wish)

/* Permission that an act needs, when it is requested and again before a request of it is sent. */
const char *engine_remote_permission(enum remote_machine_act act);

/* True until the cloud's id of the machine is known. */
bool engine_remote_machine_is_new(const struct remote_machine *m);

/* True if the seen fields differ, so that a report would change the row. */
bool engine_remote_machine_differs(const struct remote_machine *row, const struct remote_machine *seen);

/* Machines of one provider, as a listing has them: creates rows or changes them. */
struct remote_machines_report {
	uuid provider;
	const struct remote_machine *at; /* the seen fields and ref; row.id: id for a new row */
	size_t count;
	bool is_first; /* the provider's first listing, which writes no event for each machine */
};
SYSTEM_OPERATION(engine_see_remote_machines, remote_machines_report)

/* Machines that a complete listing lacked. The second miss in a row forgets them. */
struct remote_machines_loss {
	uuid provider;
	const uuid *at;
	size_t count;
	bool is_final; /* forgets at once */
};
SYSTEM_OPERATION(engine_miss_remote_machines, remote_machines_loss)

/* Progress of an act. Void if the row's gen has changed. */
struct remote_act_report {
	uuid machine;
	uint64_t gen;
	bool is_sent;       /* the request is about to be sent; the act goes on */
	struct str problem; /* why it failed; empty: it did not */
	struct str note;    /* for the history; empty: none */
};
SYSTEM_OPERATION(engine_end_remote_act, remote_act_report)
