/* SPDX-License-Identifier: Apache-2.0
 * Fencing: a silent host may still run its guests, so none of them is started elsewhere until there is proof
 * that the host is off. Proofs are: its fence command turned it off and verified that; an operator has seen
 * it; or it came back with a new boot. Alternatively Ceph blocks the host (drivers/ceph.h), which releases
 * only instances with all their disks in such pools, even if the host was merely disconnected. A fence is
 * requested, then confirmed or failed. A confirmed fence lets instances be evacuated
 * (engine/instance/placement/instance_evacuate.h) until the host answers again, the remains of these instances are
 * removed there, and it is back in service. reconcile/host/fence.c turns hosts off. */
#pragma once

#include "engine/operation.h"
#include "model/fence_words.h"

struct fence;
struct host;

/* Setting: seconds of silence before the region fences a host by itself; a host's row can override it. */
#define SETTING_FENCE_AFTER_S STR("hosts.fence_after_s")
enum { FENCE_AFTER_S = 120, FENCE_AFTER_S_MIN = 15, FENCE_AFTER_S_MAX = 24 * 3600 };

/* The fence device of a host. */
struct fence_device_wish {
	struct ref host;
	struct str command;    /* absolute path of a program; empty: removes it */
	struct tags options;   /* names of letters, digits, '_' and '-'; values without line ends */
	struct str secret;     /* sealed; empty: none */
	struct strs addresses; /* addresses that Ceph blocks; none: the address at which other hosts reach
			        * it */
	int64_t after_s;       /* seconds of silence; 0: the region's setting; -1: never by itself */
};
OPERATION(engine_set_fence_device, fence_device_wish)

/* An operator's request to turn a host off, or to block it. ERR_STATE: it answers, or it is off already.
 * ERR_UNSUPPORTED: it has no fence command, and Ceph cannot block it. No change if a fence is already
 * requested. */
struct fence_asking {
	struct ref host;
	struct str reason; /* up to 255 characters */
};
OPERATION(engine_ask_fence, fence_asking)

/* An operator confirms that the host is off. ERR_STATE: it answers. */
struct fence_word {
	struct ref host;
	struct str who; /* who confirms it, for the history */
};
OPERATION(engine_vouch_fence, fence_word)

/* The host's fence that has not ended, or NULL. */
const struct fence *engine_find_fence(const struct tables *t, uuid host);
/* The host's latest fence, ended or not, or NULL. */
const struct fence *engine_last_fence(const struct tables *t, uuid host);
/* True if the host is proven off and has not answered since. */
bool engine_is_host_off(const struct tables *t, uuid host);
/* True if the host is proven off, or Ceph blocks it, so that some of its instances may leave it. */
bool engine_is_host_fenced(const struct tables *t, uuid host);
/* True if that host can no longer write anything of the instance. */
bool engine_is_let_go(const struct tables *t, uuid host, uuid instance);
/* True if any disk of the instance is in a Ceph pool; true if it has disks and all are. */
bool engine_has_disks_in_ceph(const struct tables *t, uuid instance);
bool engine_lies_in_ceph(const struct tables *t, uuid instance);
/* The silence before the host is fenced. 0: never by itself. */
int64_t engine_get_fence_after_us(const struct tables *t, const struct host *host);

/* ---- for the reconciler; OK without a change if absent or ended ---- */

/* A host is silent; is_chassis_stale: its OVN chassis, too. Requests a fence if the plan says so. */
struct fence_considering {
	uuid host;
	bool is_chassis_stale;
};
SYSTEM_OPERATION(engine_consider_fence, fence_considering)

/* The result of an attempt to turn the host off, or to block it. */
struct fence_report {
	uuid fence;
	bool is_off;        /* proven */
	struct str problem; /* why not */
};
SYSTEM_OPERATION(engine_see_fence, fence_report)
/* Ceph no longer blocks the host. */
SYSTEM_OPERATION(engine_see_fence_unblocked, fence_report)

/* A fenced host answers again; is_cleared: the remains of released instances are gone. */
struct fence_return {
	uuid fence;
	bool is_cleared;
};
SYSTEM_OPERATION(engine_see_fence_return, fence_return)
