/* SPDX-License-Identifier: Apache-2.0
 * Turns of clusters. A cluster that stays takes over the states of its machines; the keys leave the user data of its control
 * plane when the API answers everywhere. A cluster that is being deleted loses its parts in the order of their dependencies;
 * a turn deletes whatever can go now. Called by: reconcile/cluster.c. */
#include "base/clock.h"
#include "engine/balancing/balancing.h"
#include "engine/cluster/cluster_internal.h"
#include "engine/emptying_internal.h"
#include "engine/instance/instance.h"
#include "engine/network/routing/gateway.h"
#include "engine/scaling/scaling.h"
#include "model/states.h"
#include "store/elastic_load_balancer.h"
#include "store/gateway.h"
#include "store/instance.h"
#include "store/port.h"
#include "store/target.h"
#include "store/target_group.h"

enum { PROBLEM_MAX = 1024 };
/* A machine that installs packages and pulls images from a slow mirror may take this long. */
#define CREATION_MAX_US (60 * MINUTE)

/* ---- look-ups ---- */

/* A machine that was given to another account is no part of the cluster any more. */
static const struct instance *find_living(const struct tables *t, const struct cluster *c, uuid id)
{
	const struct instance *i = instance_find(t, id);
	bool is_own = i && row_is_live(&i->row) && uuid_equal(i->account, c->account);
	return is_own && model_derive_instance_state(i) != INSTANCE_TERMINATED ? i : NULL;
}

const struct instance *engine_get_cluster_machine(const struct tables *t, const struct cluster *c, size_t n,
						  bool *ret_is_worker)
{
	for (size_t k = 0; k < c->machines.count; k++) {
		const struct instance *i = find_living(t, c, c->machines.at[k]);
		*ret_is_worker = false;
		if (i && n-- == 0)
			return i;
	}
	const struct scaling_member *m = scaling_member_first_by_scaling_group(t, c->scaling_group);
	for (; m; m = scaling_member_next_by_scaling_group(t, m)) {
		const struct instance *i = find_living(t, c, m->instance);
		*ret_is_worker = true;
		if (i && n-- == 0)
			return i;
	}
	return NULL;
}

/* ---- states ---- */

/* Facts of the machines. */
struct facts {
	size_t running, gone; /* machines of the control plane */
	size_t answering;     /* machines of the control plane whose API answers the load balancer */
	int64_t in_service;   /* workers */
	int64_t wanted;       /* workers, by the scaling group; -1: the group is gone */
	bool is_settled;      /* no worker comes or goes */
	bool has_balancer;
};

/* Ignores targets that somebody else has registered in the group, such as other ports of a machine. */
static bool leads_to_api(const struct tables *t, const struct cluster *c, const struct target *target)
{
	const struct port *port = port_find(t, target->port);
	return port && target->number == CLUSTER_PORT && uuids_have(&c->machines, port->instance);
}

static void count_control(const struct tables *t, const struct cluster *c, struct facts *f)
{
	for (size_t k = 0; k < c->machines.count; k++) {
		const struct instance *i = find_living(t, c, c->machines.at[k]);
		f->gone += !i || model_derive_instance_state(i) == INSTANCE_SHUTTING_DOWN;
		f->running += i && model_derive_instance_state(i) == INSTANCE_RUNNING;
	}
	const struct target_group *group = target_group_find(t, c->target_group);
	const struct target *target = group ? target_first_by_target_group(t, group->row.id) : NULL;
	for (; target; target = target_next_by_target_group(t, target))
		f->answering += leads_to_api(t, c, target) &&
				engine_get_target_condition(t, group, target).state == TARGET_HEALTHY;
	const struct elastic_load_balancer *b = elastic_load_balancer_find(t, c->balancer);
	f->has_balancer = group && b && row_is_live(&b->row);
}

static void count_workers(const struct tables *t, const struct cluster *c, struct facts *f)
{
	const struct scaling_group *group = scaling_group_find(t, c->scaling_group);
	bool is_there = group && !group->is_deleting;
	f->wanted = is_there ? group->desired : -1;
	f->is_settled = true;
	const struct scaling_member *m =
		is_there ? scaling_member_first_by_scaling_group(t, group->row.id) : NULL;
	for (; m; m = scaling_member_next_by_scaling_group(t, m)) {
		f->in_service += m->stage == SCALING_MEMBER_STAGE_IN_SERVICE;
		f->is_settled = f->is_settled && (m->stage == SCALING_MEMBER_STAGE_IN_SERVICE ||
						  m->stage == SCALING_MEMBER_STAGE_STANDBY ||
						  m->pool == SCALING_MEMBER_POOL_WARM);
	}
}

struct verdict {
	enum cluster_status status;
	const char *problem; /* NULL: none */
};

static const char *find_problem(const struct cluster *c, const struct facts *f, int64_t now_us)
{
	bool is_late = c->status == CLUSTER_STATUS_CREATING && now_us - c->row.created_us > CREATION_MAX_US;
	if (f->gone)
		return "A machine of the control plane has been terminated.";
	if (!f->has_balancer)
		return "The load balancer of the API, or its target group, has been deleted.";
	if (f->wanted < 0)
		return "The scaling group of the workers has been deleted.";
	if (f->answering == 0 && (is_late || c->status == CLUSTER_STATUS_FAILED))
		return "The API has not answered for an hour. The first machine's console output tells what "
		       "kubeadm did.";
	return NULL;
}

static struct verdict weigh(const struct tables *t, const struct cluster *c, int64_t now_us, struct facts *f)
{
	*f = (struct facts){0};
	count_control(t, c, f);
	count_workers(t, c, f);
	const char *problem = find_problem(c, f, now_us);
	bool is_up = f->answering && f->running == c->machines.count;
	bool is_whole = f->is_settled && f->in_service >= f->wanted;
	if (problem)
		return (struct verdict){CLUSTER_STATUS_FAILED, problem};
	if (is_up && is_whole)
		return (struct verdict){CLUSTER_STATUS_ACTIVE, NULL};
	/* machines that stop or a lost host leave a cluster active: its nodes' health is Kubernetes' own affair */
	if (c->status == CLUSTER_STATUS_CREATING)
		return (struct verdict){CLUSTER_STATUS_CREATING, NULL};
	if (!is_whole)
		return (struct verdict){CLUSTER_STATUS_UPDATING, NULL};
	return (struct verdict){CLUSTER_STATUS_ACTIVE, NULL};
}

/* True once kubeadm has the keys on every machine, so that user data needs them no more. */
static bool may_be_bared(const struct cluster *c, const struct facts *f)
{
	return !c->bared_us && f->answering == c->machines.count && f->running == c->machines.count;
}

static bool is_new(const struct cluster *c, const struct verdict *v, const struct facts *f)
{
	return c->status != v->status || !str_equal(c->problem, str_from(v->problem)) ||
	       (f->wanted >= 0 && f->wanted != c->workers) || may_be_bared(c, f);
}

bool engine_has_cluster_turn(const struct tables *t, const struct cluster *c, int64_t now_us)
{
	struct facts f;
	if (c->is_deleting)
		return true;
	struct verdict v = weigh(t, c, now_us, &f);
	return is_new(c, &v, &f);
}

/* ---- turns of a cluster that stays ---- */

RESULT cluster_put_status(struct op *op, struct cluster *next, enum cluster_status status, struct str problem)
{
	bool is_change = next->status != status;
	bool is_problem = problem.n && !str_equal(next->problem, problem);
	if (is_change)
		next->status_us = op->now_us;
	next->status = status;
	next->problem = str_cut(problem, PROBLEM_MAX);
	TRY(cluster_put(op, next));
	if (is_problem)
		return engine_log_event(op, KIND_CLUSTER, &next->row, "problem", "%" STR_FMT,
					STR_ARG(next->problem));
	return is_change ? engine_log_event(op, KIND_CLUSTER, &next->row, "status", "%s",
					    cluster_status_words[status])
			 : OK;
}

/* Replaces the user data that has the keys. cloud-init has done its work, and ignores the new data at later boots. */
static RESULT bare(struct op *op, const struct cluster *c)
{
	struct str text = str_print(op->ctx->arena,
				    "#cloud-config\n# The keys of cluster %" STR_FMT
				    " were removed when its API answered.\n",
				    STR_ARG(c->name));
	if (!text.p)
		return ctx_no_memory(op->ctx);
	for (size_t k = 0; k < c->machines.count; k++) {
		struct instance next = *instance_find(op->head, c->machines.at[k]);
		next.user_data = text;
		TRY(instance_put(op, &next));
	}
	return OK;
}

static RESULT follow(struct op *op, const struct cluster *present)
{
	struct cluster next = *present;
	struct facts f;
	struct verdict v = weigh(op->head, present, op->now_us, &f);
	if (!is_new(present, &v, &f))
		return OK;
	if (may_be_bared(present, &f)) {
		TRY(bare(op, present));
		next.bared_us = op->now_us;
	}
	if (f.wanted >= 0 && f.wanted != next.workers) {
		next.workers = f.wanted; /* somebody has changed the scaling group itself */
		next.row.gen++;
	}
	return cluster_put_status(op, &next, v.status, str_from(v.problem));
}

/* ---- deletion ---- */

static RESULT delete_template(struct op *op, struct ref *ref)
{
	struct launch_template_target wish = {.launch_template = *ref};
	return engine_delete_launch_template(op, &wish);
}

/* Detaches the gateway first, unless somebody has done so. */
static RESULT delete_gateway(struct op *op, struct ref *ref)
{
	const struct gateway *g = gateway_find(op->head, ref->prefix);
	struct gateway_target wish = {.gateway = *ref};
	if (g && !uuid_is_none(g->router)) {
		struct gateway_attachment attachment = {
			.gateway = *ref, .router = engine_ref_to(op, KIND_ROUTER, g->router, STR_NONE)};
		TRY(engine_detach_gateway(op, &attachment));
	}
	return engine_delete_gateway(op, &wish);
}

static const struct row_deleter gateway_deleter = {KIND_GATEWAY, "gateway.delete", delete_gateway};
static const struct row_deleter template_deleter = {KIND_LAUNCH_TEMPLATE, "launch_template.delete",
						    delete_template};

/* Parts of one kind. */
struct parts {
	enum kind kind;
	const struct row_deleter *deleter; /* NULL: that of the kind */
	struct uuids ids;
	bool is_of_network;
};
enum { PART_KINDS = 9 };

/* In the order in which they can go. */
static void list_parts(const struct cluster *c, struct parts parts[static PART_KINDS])
{
	const struct parts all[PART_KINDS] = {
		{KIND_SCALING_GROUP, NULL, {&c->scaling_group, 1}, false},
		{KIND_INSTANCE, NULL, c->machines, false},
		{KIND_ELASTIC_LOAD_BALANCER, NULL, {&c->balancer, 1}, false},
		{KIND_TARGET_GROUP, NULL, {&c->target_group, 1}, false},
		{KIND_LAUNCH_TEMPLATE, &template_deleter, {&c->template, 1}, false},
		{KIND_SECURITY_GROUP, NULL, c->groups, false},
		{KIND_SUBNET, NULL, c->subnets, true},
		{KIND_GATEWAY, &gateway_deleter, {&c->gateway, 1}, true},
		{KIND_ROUTER, NULL, {&c->router, 1}, true},
	};
	memcpy(parts, all, sizeof all);
}

/* Terminated instances stay as rows for a while. A part that was given to another account is not deleted. */
static bool is_there(const struct tables *t, const struct cluster *c, enum kind kind, uuid id)
{
	const struct row *row = uuid_is_none(id) ? NULL : tables_find(t, kind, id);
	return row && row_is_live(row) && uuid_equal(engine_get_owner(kind, row), c->account) &&
	       (kind != KIND_INSTANCE ||
		model_derive_instance_state(instance_of(row)) != INSTANCE_TERMINATED);
}

static const struct row_deleter *deleter_of(const struct parts *p)
{
	return p->deleter ? p->deleter : engine_find_row_deleter(p->kind);
}

/* *ret_is_left: parts of the kind still exist. */
static RESULT delete_kind(struct op *op, const struct cluster *c, const struct parts *p, struct emptying *e,
			  bool *ret_is_left)
{
	*ret_is_left = false;
	for (size_t k = 0; k < p->ids.count; k++) {
		uuid id = p->ids.at[k];
		if (!is_there(op->head, c, p->kind, id))
			continue;
		if (!emptying_is_going(op->head, p->kind, id))
			TRY(emptying_try(op, deleter_of(p), id, engine_write_id(op, p->kind, id), e));
		*ret_is_left = *ret_is_left || is_there(op->head, c, p->kind, id);
	}
	return OK;
}

/* A part of the network is deleted once nothing before it in the list is left. */
static RESULT delete_parts(struct op *op, const struct cluster *c, struct emptying *e, bool *ret_is_left)
{
	struct parts parts[PART_KINDS];
	list_parts(c, parts);
	*ret_is_left = false;
	for (size_t k = 0; k < PART_KINDS; k++) {
		bool is_left = false;
		if (parts[k].is_of_network && !c->owns_network)
			continue;
		if (*ret_is_left && parts[k].is_of_network)
			return OK;
		TRY(delete_kind(op, c, &parts[k], e, &is_left));
		*ret_is_left = *ret_is_left || is_left;
	}
	return OK;
}

static RESULT take_down(struct op *op, const struct cluster *present)
{
	struct cluster next = *present;
	struct emptying e = {0};
	bool is_left = false;
	TRY(delete_parts(op, present, &e, &is_left));
	if (!is_left)
		return cluster_forget(op, next.row.id);
	/* obstacles that the turn itself removes are no problems */
	struct str problem = e.is_on_the_way ? STR_NONE : e.problem;
	return str_equal(problem, next.problem)
		       ? OK
		       : cluster_put_status(op, &next, CLUSTER_STATUS_DELETING, problem);
}

RESULT engine_follow_cluster(struct op *op, struct cluster_following *wish)
{
	const struct cluster *c = cluster_find(op->head, wish->cluster);
	if (!c)
		return OK;
	return c->is_deleting ? take_down(op, c) : follow(op, c);
}

/* A policy that denies the deletion of a part denies that of the cluster. */
static RESULT permit_parts(struct op *op, const struct cluster *c)
{
	struct parts parts[PART_KINDS];
	list_parts(c, parts);
	for (size_t k = 0; k < PART_KINDS; k++)
		for (size_t n = 0; n < parts[k].ids.count; n++) {
			uuid id = parts[k].ids.at[n];
			if (is_there(op->head, c, parts[k].kind, id) &&
			    !(parts[k].is_of_network && !c->owns_network))
				TRY(engine_permit(op, deleter_of(&parts[k])->permission, parts[k].kind,
						  tables_find(op->head, parts[k].kind, id)));
		}
	return OK;
}

RESULT engine_delete_cluster(struct op *op, struct cluster_target *wish)
{
	const struct cluster *present = NULL;
	TRY(engine_permit_cluster(op, &wish->cluster, "cluster.delete", &present));
	if (present->is_deleting)
		return OK;
	struct cluster next = *present;
	TRY(permit_parts(op, present));
	next.is_deleting = true;
	next.row.gen++;
	return cluster_put_status(op, &next, CLUSTER_STATUS_DELETING, STR_NONE);
}
