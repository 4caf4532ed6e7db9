/* SPDX-License-Identifier: Apache-2.0
 * Peerings of routers: one account asks, the other's accepts, either deletes. An accepted one takes part in
 * both routers, which are brought about anew when it changes; it leads from each to the other's own subnets
 * and no further, where a route says so.
 *
 * As in EC2, a request for what there is not, or for blocks that overlap, is made as one that has failed. One
 * that is over stays visible to each side for a while: deleted, to who deleted it for 2 hours, to the other
 * for 2 days; rejected, to the accepter for 2 hours, to the requester for 2 days, where both are one account
 * for 2 hours; expired, to both for 2 days; failed, to the requester for 2 hours. */
#pragma once

#include "engine/operation.h"

struct peering;

#define PEERING_EXPIRES_US (7 * 24 * HOUR)
enum { PEERINGS_PENDING_MAX = 25, PEERINGS_ACTIVE_MAX = 50 }; /* that a router asked for; that it has */

/* Whether the account, one of its two, sees it now. An account of neither, or none: as long as anybody does.
 */
bool engine_is_peering_shown(const struct peering *p, uuid account);
/* The routers' other end; none: it is of neither. */
uuid engine_get_peer(const struct peering *p, uuid router);
/* Those that the router asked for, then those that it was asked for, whatever has become of them. p NULL: the
 * first. */
const struct peering *engine_next_peering(const struct tables *t, uuid router, const struct peering *p);

/* A peering of the two, which is accepted, has the owner of the second let guests of the first one resolve
 * the public names of its hosts to their private addresses. */
bool engine_resolves_for_peer(const struct tables *t, uuid asker, uuid owner);

/* One that lives already from that router to that router is the one made. ERR_QUOTA with KIND_PEERING about
 * "VpcId": too many are pending. ERR_INVALID with KIND_ROUTER: a router without blocks has no peerings. */
struct peering_wish {
	struct ref router, peer_router;
	struct str peer_owner; /* an account's number; empty: the caller's */
	struct tags tags;
	/* made: */
	uuid peering;
};
OPERATION(engine_create_peering, peering_wish)

/* ERR_PROTECTED: the router asked for is not the caller's. ERR_STATE: it is not pending. ERR_EXISTS: the two
 * have one that was accepted. ERR_QUOTA with KIND_PEERING: one of them has too many. */
struct peering_target {
	struct ref peering;
	/* made: */
	uuid made;
};
OPERATION(engine_accept_peering, peering_target)
OPERATION(engine_reject_peering, peering_target)
/* By either side; a pending one by who asked for it (ERR_PROTECTED). Deleted already: OK; over otherwise:
 * ERR_STATE. */
OPERATION(engine_delete_peering, peering_target)

/* Options of the requester's and the accepter's side. ERR_PROTECTED: of a side that is not the caller's, or
 * it is not accepted. ERR_STATE: names are to be resolved of hosts that have none. */
struct peering_options {
	struct ref peering;
	enum choice resolves, peer_resolves;
	/* made: */
	uuid made;
};
OPERATION(engine_set_peering_options, peering_options)

/* The reconciler's: that router is as the gen wishes, with it or without it. Absent: OK. */
struct peering_sight {
	uuid peering, router;
	uint64_t gen;
};
OPERATION(engine_see_peering, peering_sight)
/* Nobody accepted it in PEERING_EXPIRES_US. ERR_STATE: it is not that far. */
OPERATION(engine_expire_peering, peering_sight)
/* ERR_STATE: somebody sees it. */
OPERATION(engine_forget_peering, peering_sight)
