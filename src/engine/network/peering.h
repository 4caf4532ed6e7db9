/* SPDX-License-Identifier: Apache-2.0
 * Peerings of routers: one account asks, the other's accepts, and either may delete. An accepted
 * peering is part of both routers, which are applied again when it changes. Where a route says so,
 * it leads from each router to the other's own subnets, and no further.
 *
 * As in EC2, a request for something that does not exist, or for blocks that overlap, is made as
 * failed. A peering that is over stays visible for a while: deleted, to the side that deleted it
 * for 2 hours and to the other for 2 days; rejected, to the accepter for 2 hours and to the
 * requester for 2 days, or for 2 hours if both are one account; expired, to both for 2 days;
 * failed, to the requester for 2 hours. */
#pragma once

#include "engine/operation.h"

struct peering;

#define PEERING_EXPIRES_US (7 * 24 * HOUR)
enum { PEERINGS_PENDING_MAX = 25, PEERINGS_ACTIVE_MAX = 50 }; /* that a router asked for; that it has */

/* Whether the account, as one of the two, sees the peering now. For any other account, or none:
 * whether anybody does. */
bool engine_is_peering_shown(const struct peering *p, uuid account);
/* The router at the other end; none: the peering is not that router's. */
uuid engine_get_peer(const struct peering *p, uuid router);
/* Goes through a router's peerings: first those that it asked for, then those that it was asked
 * for, whatever became of them. p NULL: the first. */
const struct peering *engine_next_peering(const struct tables *t, uuid router, const struct peering *p);

/* Whether an accepted peering of the two lets guests of `asker` resolve the public names of
 * `owner`'s hosts to their private addresses, because `owner` allows it. */
bool engine_resolves_for_peer(const struct tables *t, uuid asker, uuid owner);

/* Asks for a peering. If one from that router to that router is live, it is the one that is made.
 * ERR_QUOTA with KIND_PEERING and the field "VpcId": too many are pending. ERR_INVALID with
 * KIND_ROUTER: a router without blocks cannot have peerings. */
struct peering_wish {
	struct ref router, peer_router;
	struct str peer_owner; /* an account's number; empty: the caller's */
	struct tags tags;
	/* made: */
	uuid peering;
};
OPERATION(engine_create_peering, peering_wish)

/* Accepts or rejects. ERR_PROTECTED: the router that was asked for is not the caller's. ERR_STATE:
 * it is not pending. ERR_EXISTS: the two have an accepted one. ERR_QUOTA with KIND_PEERING: one of
 * them has too many. */
struct peering_target {
	struct ref peering;
	/* made: */
	uuid made;
};
OPERATION(engine_accept_peering, peering_target)
OPERATION(engine_reject_peering, peering_target)
/* Either side may delete a peering, a pending one only who asked for it (ERR_PROTECTED). If it is
 * deleted already: OK. ERR_STATE: it is over for another reason. */
OPERATION(engine_delete_peering, peering_target)

/* Options of the requester's and the accepter's side. ERR_PROTECTED: the side is not the caller's,
 * or the peering is not accepted. ERR_STATE: names shall be resolved of hosts that have none. */
struct peering_options {
	struct ref peering;
	enum choice resolves, peer_resolves;
	/* made: */
	uuid made;
};
OPERATION(engine_set_peering_options, peering_options)

/* For the reconciler: a router is as the peering's gen wants it, with the peering or without.
 * Absent: OK. */
struct peering_report {
	uuid peering, router;
	uint64_t gen;
};
OPERATION(engine_see_peering, peering_report)
/* Nobody has accepted it for PEERING_EXPIRES_US. ERR_STATE: it is not that old. */
OPERATION(engine_expire_peering, peering_report)
/* Forgets it. ERR_STATE: somebody still sees it. */
OPERATION(engine_forget_peering, peering_report)
