/* SPDX-License-Identifier: Apache-2.0
 * Peerings of routers: one account requests, the other accepts, and either may delete. The reconciler deploys
 * both routers again when an accepted peering changes. Routes decide what uses a peering; they reach the
 * peer's own subnets only. As in EC2, a request for a missing VPC or overlapping blocks is created as failed.
 * A peering that has ended stays visible: deleted, for 2 hours to who deleted it and 2 days to the other;
 * rejected, for 2 hours to the accepter and 2 days to the requester, or 2 hours if both are one account;
 * expired, for 2 days to both; failed, for 2 hours to the requester. */
#pragma once

#include "engine/operation.h"

struct peering;

#define PEERING_EXPIRES_US (7 * 24 * HOUR)
enum {
	PEERINGS_PENDING_MAX = 25,
	PEERINGS_ACTIVE_MAX = 50
}; /* per router: pending ones that it requested, active ones on either side */

/* True if the account is one of the two and still sees the peering. For any other account, or none: true if
 * either of the two sees it. */
bool engine_is_peering_shown(const struct peering *p, uuid account);
/* Router at the other end; none if the peering is not that router's. */
uuid engine_get_peer(const struct peering *p, uuid router);
/* Iterates over a router's peerings in any state: those it requested, then those requested of it. p NULL:
 * starts. */
const struct peering *engine_next_peering(const struct tables *t, uuid router, const struct peering *p);

/* True if guests of `asker` resolve public host names of `owner` to private addresses: the two have an
 * accepted peering, and `owner` allows it. */
bool engine_resolves_for_peer(const struct tables *t, uuid asker, uuid owner);

/* Requests a peering. Returns the existing one if the two routers have a live one in that direction.
 * ERR_QUOTA with KIND_PEERING and the field "VpcId": too many are pending. ERR_INVALID with KIND_ROUTER: a
 * router without blocks cannot have peerings. */
struct peering_wish {
	struct ref router, peer_router;
	struct str peer_owner; /* account number; empty: the caller's */
	struct tags tags;
	/* outputs: */
	uuid peering;
};
OPERATION(engine_create_peering, peering_wish)

/* Accept or reject a request. ERR_PROTECTED: the requested router is not the caller's. ERR_STATE: the peering
 * is not pending. ERR_EXISTS: the two have an accepted one. ERR_QUOTA with KIND_PEERING: a router has too
 * many. */
struct peering_target {
	struct ref peering;
	/* outputs: */
	uuid made;
};
OPERATION(engine_accept_peering, peering_target)
OPERATION(engine_reject_peering, peering_target)
/* Deletes a peering, for either side; a pending one only for the requester (ERR_PROTECTED). OK if it is
 * deleted. ERR_STATE: it has ended otherwise. */
OPERATION(engine_delete_peering, peering_target)

/* Sets DNS options of the requester's or accepter's side. ERR_PROTECTED: the side is not the caller's, or the
 * peering is not accepted. ERR_STATE: the VPC's DNS host names are off. */
struct peering_options {
	struct ref peering;
	enum choice resolves, peer_resolves;
	/* outputs: */
	uuid made;
};
OPERATION(engine_set_peering_options, peering_options)

/* Report of the reconciler: the router is deployed at the peering's gen. OK if the peering is gone. */
struct peering_report {
	uuid peering, router;
	uint64_t gen;
};
SYSTEM_OPERATION(engine_see_peering, peering_report)
/* Ends a request that nobody accepted within PEERING_EXPIRES_US. ERR_STATE: it is not that old. */
SYSTEM_OPERATION(engine_expire_peering, peering_report)
/* Forgets a peering. ERR_STATE: somebody still sees it. */
SYSTEM_OPERATION(engine_forget_peering, peering_report)
