/* SPDX-License-Identifier: Apache-2.0
 * Peerings between VPCs of one account: requested, accepted, rejected, deleted; ended ones stay visible for a
 * while. `to` is the requester's VPC, `peer` the other one. */
#include <stdio.h>

#include "simulation.h"

/* The VPC's first block and the further ones, by number. */
static struct cidr block_of(const struct thing *vpc, size_t number)
{
	return number ? vpc->more[number - 1].block : vpc->block;
}

static bool do_overlap(const struct thing *a, const struct thing *b)
{
	for (size_t k = 0; k <= a->more_count; k++)
		for (size_t n = 0; n <= b->more_count; n++)
			if (cidr_overlaps(block_of(a, k), block_of(b, n)))
				return true;
	return false;
}

/* ---- request ---- */

/* The peer is not judged like other references: a request for any VPC id creates a peering, which may have
 * failed. A virtual network automatically has routes to its peers, which the model does not follow. */
static bool draw_peer(struct request *x)
{
	uint64_t count = 0;
	EACH (&x->s->model, t, KIND_ROUTER)
		if (t->account == x->account && t->id[0] && !t->is_virtual && random_below(++count) == 0)
			x->refs[1] = t;
	if (count)
		request_add(x, "PeerVpcId", "%s", x->refs[1]->id);
	return count > 0 && !x->refs[0]->is_virtual;
}

static void judge_create(const struct request *x, struct verdict *v)
{
	if (!x->refs[0]->block.bits)
		refuse(v, "InvalidParameterValue");
}

static struct thing *find_same(const struct request *x)
{
	EACH (&x->s->model, t, KIND_PEERING)
		if (t->life == LIVE && t->to == x->refs[0] && t->peer == x->refs[1])
			return t;
	return NULL;
}

static void apply_create(struct request *x, struct str answer)
{
	struct str id = answer_at(answer, "vpcPeeringConnection/vpcPeeringConnectionId");
	const struct thing *vpc = x->refs[0], *peer = x->refs[1], *same = find_same(x);
	if (same && !model_is_id(id, same))
		blame(x->s, "#%d: there is a peering from one to the other already", (int) x->serial);
	if (same)
		return;
	struct thing *t = model_add(&x->s->model, KIND_PEERING, x->account, NULL, id);
	t->to = x->refs[0];
	t->peer = x->refs[1];
	request_apply_tag(x, t);
	t->has_failed = peer->life != LIVE || !peer->block.bits || do_overlap(vpc, peer);
	if (t->has_failed)
		t->life = ENDING;
}

/* ---- acceptance, rejection, deletion ---- */

static bool is_pending(const struct thing *t)
{
	return t->life == LIVE && !t->is_accepted;
}

static void judge_pending(const struct request *x, struct verdict *v)
{
	if (!is_pending(x->refs[0]))
		refuse(v, "InvalidStateTransition");
}

static bool is_between(const struct thing *t, const struct thing *a, const struct thing *b)
{
	return (t->to == a && t->peer == b) || (t->to == b && t->peer == a);
}

static void judge_accept(const struct request *x, struct verdict *v)
{
	const struct thing *t = x->refs[0];
	judge_pending(x, v);
	EACH (&x->s->model, other, KIND_PEERING)
		if (other != t && other->life == LIVE && other->is_accepted &&
		    is_between(other, t->to, t->peer))
			refuse(v, "VpcPeeringConnectionAlreadyExists");
}

static void apply_accept(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->is_accepted = true;
}

static void apply_reject(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->has_failed = true;
	x->refs[0]->life = ENDING;
}

static void judge_delete(const struct request *x, struct verdict *v)
{
	if (x->refs[0]->life != LIVE && x->refs[0]->has_failed)
		refuse(v, "InvalidStateTransition");
}

static void apply_delete(struct request *x, struct str answer)
{
	(void) answer;
	x->refs[0]->life = ENDING;
}

#define PEERING                                                                                              \
	{                                                                                                    \
		{                                                                                            \
			"VpcPeeringConnectionId", KIND_PEERING                                               \
		}                                                                                            \
	}
static const struct operation rows[] = {
	{"CreateVpcPeeringConnection",
	 4,
	 {{"VpcId", KIND_ROUTER}},
	 "vpc-peering-connection",
	 draw_peer,
	 judge_create,
	 apply_create},
	{"AcceptVpcPeeringConnection", 4, PEERING, NULL, NULL, judge_accept, apply_accept},
	{"RejectVpcPeeringConnection", 1, PEERING, NULL, NULL, judge_pending, apply_reject},
	{"DeleteVpcPeeringConnection", 2, PEERING, NULL, NULL, judge_delete, apply_delete},
};
const struct operations peering_operations = {rows, sizeof rows / sizeof *rows};
