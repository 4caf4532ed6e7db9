/* SPDX-License-Identifier: Apache-2.0
 * Fences: a host that does not answer may run its guests on. Nothing of it is started elsewhere before it is
 * proven that the host is off: its fence command turned it off and found it so, an operator has seen it, or it
 * came back with another boot. Or Ceph keeps the host out (drivers/ceph.h): that lets go of those instances alone
 * whose disks all lie in such pools; what they had open there is theirs no more, also when the host was only cut off.
 * Silence proves nothing. A fence is asked for, and then confirmed or failed; a
 * confirmed one lets go of instances (engine/instance/instance_evacuate.h) until the host answers again, whatever
 * it has of those is gone, and it is in service again. reconcile/fence.c turns hosts off. */
#pragma once

#include "engine/operation.h"
#include "model/fence.h"

struct host;

/* Seconds of silence after which a host is turned off by itself, where its row says none. */
#define SETTING_FENCE_AFTER_S STR("hosts.fence_after_s")
enum { FENCE_AFTER_S = 120, FENCE_AFTER_S_MIN = 15, FENCE_AFTER_S_MAX = 24 * 3600 };

/* How a host is turned off. */
struct fence_device_wish {
	struct ref host;
	struct str command;    /* whole path of a program; empty: it has none any more */
	struct tags options;   /* by names of letters, digits, '_' and '-'; values without line ends */
	struct str secret;     /* sealed; empty: nothing */
	struct strs addresses; /* that Ceph keeps out; none: where other hosts reach it */
	int64_t after_s;       /* 0: as the region says; -1: never by itself */
};
OPERATION(engine_set_fence_device, fence_device_wish)

/* An operator asks that a host be turned off, or kept out. ERR_STATE: it answers, or it is off already.
 * ERR_UNSUPPORTED: it has no fence command, and Ceph cannot keep it out. One that is asked for already stays as it is. */
struct fence_asking {
	struct ref host;
	struct str reason; /* up to 255 characters */
};
OPERATION(engine_ask_fence, fence_asking)

/* An operator has seen that it is off. ERR_STATE: it answers. */
struct fence_word {
	struct ref host;
	struct str who; /* whose word it is, for the history */
};
OPERATION(engine_vouch_fence, fence_word)

/* The fence of a host that is not over; NULL: none. */
const struct fence *engine_find_fence(const struct tables *t, uuid host);
/* The one asked for last, over or not; NULL: none is known. */
const struct fence *engine_last_fence(const struct tables *t, uuid host);
/* The host is proven to be off, and has not answered since. */
bool engine_is_host_off(const struct tables *t, uuid host);
/* Likewise, or Ceph keeps it out: some of its instances may leave it. */
bool engine_is_host_fenced(const struct tables *t, uuid host);
/* Nothing that the instance has is written from that host any more. */
bool engine_is_let_go(const struct tables *t, uuid host, uuid instance);
/* Some disk of the instance lies in a pool of Ceph; or all do, and there is one. */
bool engine_has_disks_in_ceph(const struct tables *t, uuid instance);
bool engine_lies_in_ceph(const struct tables *t, uuid instance);
/* How long it has to be silent. 0: it is not turned off by itself. */
int64_t engine_get_fence_after_us(const struct tables *t, const struct host *host);

/* ---- for the reconciler. Absent, or over: OK, and nothing happens. */

/* A host has been silent; is_chassis_stale: on OVN's side, too. It is asked to be off, if that is to be. */
struct fence_considering {
	uuid host;
	bool is_chassis_stale;
};
OPERATION(engine_consider_fence, fence_considering)

/* What came of a try to turn it off, or to keep it out. */
struct fence_report {
	uuid fence;
	bool is_off;        /* with a proof */
	struct str problem; /* else */
};
OPERATION(engine_see_fence, fence_report)
/* Ceph lets the host in again. */
OPERATION(engine_see_fence_unblocked, fence_report)

/* A host that was off answers again; is_cleared: and has nothing any more of what was let go of. */
struct fence_return {
	uuid fence;
	bool is_cleared;
};
OPERATION(engine_see_fence_return, fence_return)
