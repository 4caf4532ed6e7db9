/* SPDX-License-Identifier: Apache-2.0
 * Deletes accounts and domains with everything in them. Source of the order: CloudStack's
 * AccountManagerImpl.cleanupAccount() and DomainManagerImpl.cleanupDomain(). Called by: api/cloudstack,
 * reconcile/account.c. */
#include "engine/people/account/account_purge.h"

#include "engine/backup/backup_plan.h"
#include "engine/backup/machine_backup.h"
#include "engine/balancing/balancing.h"
#include "engine/emptying_internal.h"
#include "engine/instance/instance_snapshot.h"
#include "engine/job.h"
#include "engine/messaging/messaging.h"
#include "engine/network/address/address.h"
#include "engine/network/guest_network.h"
#include "engine/network/routing/endpoint_service.h"
#include "engine/people/account/account_person.h"
#include "engine/storage/image/export_task.h"
#include "engine/storage/snapshot/backup.h"
#include "model/state.h"
#include "store/account.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/backup.h"
#include "store/backup_plan.h"
#include "store/balancer_set.h"
#include "store/cluster.h"
#include "store/customer_gateway.h"
#include "store/domain.h"
#include "store/elastic_load_balancer.h"
#include "store/endpoint_service.h"
#include "store/export_image_task.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_snapshot.h"
#include "store/load_balancer.h"
#include "store/machine_backup.h"
#include "store/nat_gateway.h"
#include "store/network.h"
#include "store/peering.h"
#include "store/peering_side.h"
#include "store/port.h"
#include "store/queue.h"
#include "store/router.h"
#include "store/scaling_group.h"
#include "store/security_group.h"
#include "store/snapshot.h"
#include "store/source_nat.h"
#include "store/target_group.h"
#include "store/transit_attachment.h"
#include "store/transit_gateway.h"
#include "store/volume.h"
#include "store/vpc_endpoint.h"
#include "store/vpn_connection.h"
#include "store/vpn_endpoint_group.h"
#include "store/vpn_gateway.h"
#include "store/vpn_service.h"

/* Counted from the mark, because hosts may still hold resources of deleted rows. */
#define GIVE_UP_US (2 * MINUTE)
/* Deletions per step, to keep commits short. Each of a queue or a topic takes up to 200 messages along. */
enum { DELETIONS_MAX = 128, MESSAGING_MAX = 4 };
enum { PROBLEM_MAX = 1024 }; /* bytes, as in the schema */

static RESULT delete_set(struct op *op, struct ref *ref)
{
	struct instance_snapshot_target wish = {.snapshot = *ref};
	return engine_delete_instance_snapshot(op, &wish);
}

static RESULT delete_backup(struct op *op, struct ref *ref)
{
	struct backup_deleting wish = {.backup = *ref};
	return engine_delete_backup(op, &wish);
}

static RESULT delete_machine_backup(struct op *op, struct ref *ref)
{
	struct machine_backup_target wish = {.backup = *ref};
	return engine_delete_machine_backup(op, &wish);
}

static RESULT delete_export(struct op *op, struct ref *ref)
{
	struct export_target wish = {.task = *ref};
	return engine_delete_export(op, &wish);
}

static RESULT delete_plan(struct op *op, struct ref *ref)
{
	struct backup_plan_target wish = {.plan = *ref};
	return engine_delete_backup_plan(op, &wish);
}

static RESULT delete_network(struct op *op, struct ref *ref)
{
	struct guest_network_target wish = {.network = *ref};
	return engine_delete_guest_network(op, &wish);
}

static RESULT delete_vpc(struct op *op, struct ref *ref)
{
	struct router_target wish = {.router = *ref};
	return engine_delete_vpc(op, &wish);
}

static RESULT delete_protected_balancer(struct op *op, struct ref *ref)
{
	struct elastic_load_balancer_target wish = {.balancer = *ref, .is_forced = true};
	return engine_delete_elastic_load_balancer(op, &wish);
}

static RESULT delete_connected_service(struct op *op, struct ref *ref)
{
	struct endpoint_service_target wish = {.service = *ref, .is_forced = true};
	return engine_delete_endpoint_service(op, &wish);
}

static RESULT release_address(struct op *op, struct ref *ref)
{
	struct address_target wish = {.address = *ref, .with_association = true, .with_forwardings = true};
	return engine_release_address(op, &wish);
}

static RESULT delete_queue(struct op *op, struct ref *ref)
{
	struct queue_target wish = {.queue = *ref};
	return engine_delete_queue(op, &wish);
}

static RESULT delete_topic(struct op *op, struct ref *ref)
{
	struct topic_target wish = {.topic = *ref};
	return engine_delete_topic(op, &wish);
}

/* In an order that respects dependencies. A kind without its own deleter uses that of emptying.c. */
static const struct owned {
	enum kind kind;
	unsigned index; /* the index by account */
	struct row_deleter own;
} owned[] = {
	{KIND_INSTANCE_SNAPSHOT,
	 INSTANCE_SNAPSHOT_INDEX_ACCOUNT,
	 {KIND_INSTANCE_SNAPSHOT, "snapshot.delete", delete_set}},
	{KIND_CLUSTER, CLUSTER_INDEX_ACCOUNT, {0}},
	{KIND_SCALING_GROUP, SCALING_GROUP_INDEX_ACCOUNT, {0}},
	{KIND_INSTANCE, INSTANCE_INDEX_ACCOUNT, {0}},
	{KIND_IMAGE, IMAGE_INDEX_OWNER, {0}},
	{KIND_ENDPOINT_SERVICE,
	 ENDPOINT_SERVICE_INDEX_ACCOUNT,
	 {KIND_ENDPOINT_SERVICE, "endpoint.delete_service", delete_connected_service}},
	{KIND_BALANCER_SET, BALANCER_SET_INDEX_ACCOUNT, {0}},
	{KIND_ELASTIC_LOAD_BALANCER,
	 ELASTIC_LOAD_BALANCER_INDEX_ACCOUNT,
	 {KIND_ELASTIC_LOAD_BALANCER, "elastic_load_balancer.delete", delete_protected_balancer}},
	{KIND_TARGET_GROUP, TARGET_GROUP_INDEX_ACCOUNT, {0}},
	{KIND_LOAD_BALANCER, LOAD_BALANCER_INDEX_ACCOUNT, {0}},
	{KIND_NAT_GATEWAY, NAT_GATEWAY_INDEX_ACCOUNT, {0}},
	{KIND_PEERING_SIDE, PEERING_SIDE_INDEX_ACCOUNT, {0}},
	{KIND_PEERING, PEERING_INDEX_ACCOUNT, {0}},
	{KIND_TRANSIT_ATTACHMENT, TRANSIT_ATTACHMENT_INDEX_ACCOUNT, {0}},
	{KIND_TRANSIT_GATEWAY, TRANSIT_GATEWAY_INDEX_ACCOUNT, {0}},
	{KIND_VPN_CONNECTION, VPN_CONNECTION_INDEX_ACCOUNT, {0}},
	{KIND_VPN_SERVICE, VPN_SERVICE_INDEX_ACCOUNT, {0}},
	{KIND_VPN_ENDPOINT_GROUP, VPN_ENDPOINT_GROUP_INDEX_ACCOUNT, {0}},
	{KIND_VPN_GATEWAY, VPN_GATEWAY_INDEX_ACCOUNT, {0}},
	{KIND_CUSTOMER_GATEWAY, CUSTOMER_GATEWAY_INDEX_ACCOUNT, {0}},
	{KIND_VPC_ENDPOINT, VPC_ENDPOINT_INDEX_ACCOUNT, {0}},
	{KIND_EXPORT_IMAGE_TASK,
	 EXPORT_IMAGE_TASK_INDEX_ACCOUNT,
	 {KIND_EXPORT_IMAGE_TASK, "export_image_task.delete", delete_export}},
	{KIND_BACKUP_PLAN, BACKUP_PLAN_INDEX_ACCOUNT, {KIND_BACKUP_PLAN, "backup_plan.delete", delete_plan}},
	{KIND_MACHINE_BACKUP,
	 MACHINE_BACKUP_INDEX_ACCOUNT,
	 {KIND_MACHINE_BACKUP, "machine_backup.delete", delete_machine_backup}},
	{KIND_BACKUP, BACKUP_INDEX_ACCOUNT, {KIND_BACKUP, "backup.delete", delete_backup}},
	{KIND_SNAPSHOT, SNAPSHOT_INDEX_ACCOUNT, {0}},
	{KIND_VOLUME, VOLUME_INDEX_ACCOUNT, {0}},
	{KIND_PORT, PORT_INDEX_ACCOUNT, {0}},
	{KIND_SOURCE_NAT, SOURCE_NAT_INDEX_ACCOUNT, {0}},
	{KIND_NETWORK, NETWORK_INDEX_ACCOUNT, {KIND_NETWORK, "network.delete", delete_network}},
	{KIND_ADDRESS, ADDRESS_INDEX_ACCOUNT, {KIND_ADDRESS, "address.release", release_address}},
	{KIND_ADDRESS_PREFIX, ADDRESS_PREFIX_INDEX_ACCOUNT, {0}},
	{KIND_SECURITY_GROUP, SECURITY_GROUP_INDEX_ACCOUNT, {0}},
	{KIND_ROUTER, ROUTER_INDEX_ACCOUNT, {KIND_ROUTER, "router.delete", delete_vpc}},
	{KIND_TOPIC, TOPIC_INDEX_ACCOUNT, {KIND_TOPIC, "topic.delete", delete_topic}},
	{KIND_QUEUE, QUEUE_INDEX_ACCOUNT, {KIND_QUEUE, "queue.delete", delete_queue}},
};
enum { OWNED = sizeof owned / sizeof owned[0] };

static const struct row_deleter *deleter_of(const struct owned *o)
{
	return o->own.delete ? &o->own : engine_find_row_deleter(o->kind);
}

static bool is_over(const struct owned *o, const struct row *row)
{
	return o->kind == KIND_INSTANCE &&
	       model_derive_instance_state(instance_of(row)) == INSTANCE_TERMINATED;
}

/* A key row for the index of rows by account; NULL: no memory. */
static const struct row *make_key(struct op *op, const struct owned *o, uuid account)
{
	const struct kind_info *info = &model_kinds[o->kind];
	struct row *key = arena_alloc(op->ctx->arena, info->row_size);
	if (key)
		memcpy((char *) key + info->account_offset, &account, sizeof account);
	return key;
}

static size_t most_of(enum kind kind)
{
	return kind == KIND_QUEUE || kind == KIND_TOPIC ? MESSAGING_MAX : DELETIONS_MAX;
}

/* Ids of live rows, as many as a step deletes; *ret_is_going: other rows are being removed. */
static RESULT list_rows(struct op *op, const struct owned *o, uuid account, struct uuids *ret_ids,
			bool *ret_is_going)
{
	const struct row *key = make_key(op, o, account);
	uuid *at = arena_new_array(op->ctx->arena, uuid, DELETIONS_MAX);
	size_t count = 0, most = most_of(o->kind);
	if (!key || !at)
		return ctx_no_memory(op->ctx);
	*ret_is_going = false;
	for (const struct row *row = tables_first(op->head, o->kind, o->index, key, 1); row && count < most;
	     row = tables_next(op->head, o->kind, o->index, row, 1)) {
		if (is_over(o, row))
			continue;
		if (!row_is_live(row) || emptying_is_going(op->head, o->kind, row->id))
			*ret_is_going = true;
		else
			at[count++] = row->id;
	}
	*ret_ids = (struct uuids){at, count};
	return OK;
}

/* ---- mark ---- */

static RESULT permit_kind(struct op *op, const struct owned *o, uuid account)
{
	const char *permission = deleter_of(o)->permission;
	const struct row *key = make_key(op, o, account);
	if (!key)
		return ctx_no_memory(op->ctx);
	for (const struct row *row = tables_first(op->head, o->kind, o->index, key, 1); row;
	     row = tables_next(op->head, o->kind, o->index, row, 1))
		if (row_is_live(row) && !is_over(o, row))
			TRY(engine_permit(op, permission, o->kind, row));
	return OK;
}

/* A policy that denies the deletion of any resource in the account denies the deletion of the account. All
 * are checked now, and again when the reconciler deletes them. */
static RESULT permit_all(struct op *op, uuid account)
{
	for (size_t k = 0; k < OWNED; k++)
		TRY(permit_kind(op, &owned[k], account));
	return OK;
}

/* *ret_problem: why the account still exists; empty: it is deleted. */
static RESULT try_delete(struct op *op, uuid id, struct str *ret_problem)
{
	struct op_place place = op_place_now(op);
	struct account_target target = {.account = engine_ref_to(op, KIND_ACCOUNT, id, STR("id"))};
	struct result result = engine_delete_account_with_people(op, &target);
	*ret_problem = STR_NONE;
	if (result_is_ok(result) || result.code != ERR_IN_USE)
		return result;
	op_go_back(op, place);
	*ret_problem = op->ctx->problem.message;
	ctx_clear_problem(op->ctx);
	return OK;
}

static RESULT mark(struct op *op, uuid id)
{
	struct account next = *account_find(op->head, id);
	next.enabled = false;
	next.is_deleting = true;
	next.delete_problem = STR_NONE;
	next.row.gen++;
	TRY(account_put(op, &next));
	return engine_log_event(op, KIND_ACCOUNT, &next.row, "emptied",
				"Account %" STR_FMT ", with all it has.", STR_ARG(next.name));
}

static RESULT purge(struct op *op, uuid id)
{
	struct str problem = STR_NONE;
	if (account_find(op->head, id)->is_deleting)
		return OK;
	TRY(permit_all(op, id));
	TRY(try_delete(op, id, &problem));
	return problem.n ? mark(op, id) : OK;
}

RESULT engine_purge_account(struct op *op, struct account_target *wish)
{
	const struct row *row = NULL;
	TRY(engine_look_up(op->ctx, op->head, KIND_ACCOUNT, &wish->account, &row));
	TRY(engine_permit(op, "account.delete", KIND_ACCOUNT, row));
	return purge(op, row->id);
}

/* ---- domains ---- */

static const struct account *first_account(const struct tables *t, uuid domain)
{
	const struct account *a = account_first_by_domain(t, domain);
	while (a && !row_is_live(&a->row))
		a = account_next_by_domain(t, a);
	return a;
}

static RESULT close_domain(struct op *op, uuid id)
{
	struct domain_target target = {.domain = engine_ref_to(op, KIND_DOMAIN, id, STR("id"))};
	return engine_close_domain(op, &target);
}

/* Nested accounts go first, because an account with a child cannot be deleted. */
static RESULT purge_accounts(struct op *op, uuid domain)
{
	const struct account *a = account_first_by_domain(op->head, domain), *next = NULL;
	for (; a; a = next) {
		next = account_next_by_domain(op->head, a);
		if (row_is_live(&a->row))
			TRY(purge(op, a->row.id));
	}
	return OK;
}

RESULT engine_purge_domain(struct op *op, struct domain_target *wish)
{
	const struct row *row = NULL;
	TRY(engine_permit(op, "domain.delete", KIND_DOMAIN, NULL));
	TRY(engine_look_up(op->ctx, op->head, KIND_DOMAIN, &wish->domain, &row));
	struct domain_change change = {.domain = wish->domain, .enabled = CHOICE_NO};
	uuid id = row->id;
	TRY(engine_update_domain(op, &change));
	TRY(purge_accounts(op, id));
	if (!first_account(op->head, id))
		return close_domain(op, id);
	struct domain next = *domain_find(op->head, id);
	next.is_deleting = true;
	next.delete_problem = STR_NONE;
	return domain_put(op, &next);
}

static RESULT give_up_domain(struct op *op, uuid id, struct str problem)
{
	const struct domain *domain = domain_find(op->head, id);
	if (!domain || !domain->is_deleting)
		return OK;
	struct domain next = *domain;
	next.is_deleting = false;
	next.delete_problem = str_slice(problem, 0, PROBLEM_MAX);
	return domain_put(op, &next);
}

/* ---- one step ---- */

static RESULT give_up(struct op *op, const struct account *account, struct str problem)
{
	struct account next = *account;
	next.is_deleting = false;
	next.delete_problem = str_slice(problem, 0, PROBLEM_MAX);
	TRY(give_up_domain(op, account->domain, problem));
	TRY(account_put(op, &next));
	return engine_log_event(op, KIND_ACCOUNT, &next.row, "kept",
				"Account %" STR_FMT " is not deleted: %" STR_FMT, STR_ARG(next.name),
				STR_ARG(problem));
}

static RESULT empty_of_kind(struct op *op, const struct owned *o, uuid account, struct emptying *e)
{
	struct uuids ids = {NULL, 0};
	bool is_going = false;
	TRY(list_rows(op, o, account, &ids, &is_going));
	for (size_t k = 0; k < ids.count; k++)
		if (tables_find(op->head, o->kind, ids.at[k]))
			TRY(emptying_try(op, deleter_of(o), ids.at[k],
					 engine_write_id(op, o->kind, ids.at[k]), e));
	e->is_on_the_way |= is_going;
	return OK;
}

/* The deletion of the account, or of its domain, has an asker. */
static RESULT begin(struct op *op, const struct account *account, struct later_guard *later,
		    struct emptying *e)
{
	bool is_own = engine_first_deletion(op->head, account->row.id);
	return emptying_begin(op, is_own ? account->row.id : account->domain,
			      is_own ? "account.delete" : "domain.delete", later, e);
}

RESULT engine_empty_account(struct op *op, struct account_emptying *wish)
{
	const struct account *account = account_find(op->head, wish->account);
	struct emptying e = {0};
	struct str problem = STR_NONE;
	if (!account || !row_is_live(&account->row) || !account->is_deleting)
		return OK;
	struct result result = begin(op, account, wish->guard, &e);
	if (!result_is_ok(result) && engine_is_refusal(result.code)) {
		problem = op->ctx->problem.message;
		ctx_clear_problem(op->ctx);
		return give_up(op, account, problem);
	}
	TRY(result);
	uuid id = account->row.id, domain = account->domain;
	for (size_t k = 0; k < OWNED; k++)
		TRY(empty_of_kind(op, &owned[k], id, &e));
	TRY(try_delete(op, id, &problem));
	account = account_find(op->head, id);
	if (!problem.n) {
		const struct domain *of = domain_find(op->head, domain);
		return of && of->is_deleting && !first_account(op->head, domain) ? close_domain(op, domain)
										 : OK;
	}
	bool waits = e.is_on_the_way || op->now_us < account->row.updated_us + GIVE_UP_US;
	return waits ? OK : give_up(op, account, e.problem.n ? e.problem : problem);
}
