/* SPDX-License-Identifier: Apache-2.0
 * Records for billing that follow from changes of rows: meters derived from a row, used and idle public
 * addresses, and names of resources. Compares each row before and after the change. The meters of allocations
 * and disks are written by the code that starts and ends these. */
#include "engine/engine.h"

#include "base/json_write.h"
#include "engine/annotation.h"
#include "engine/billing/elsewhere.h"
#include "engine/billing/standing.h"
#include "engine/events/events_internal.h"
#include "engine/licence/licence_internal.h"
#include "engine/network/address/address_prefix.h"
#include "engine/reservation/capacity_reservation_internal.h"
#include "engine/resolve.h"
#include "engine/row_bytes.h"
#include "store/account.h"
#include "store/address.h"
#include "store/address_prefix.h"
#include "store/backup.h"
#include "store/capacity_reservation.h"
#include "store/dedicated_host.h"
#include "store/image.h"
#include "store/instance.h"
#include "store/instance_type.h"
#include "store/ledger.h"
#include "store/listener.h"
#include "store/load_balancer.h"
#include "store/nat_gateway.h"
#include "store/port.h"
#include "store/provider.h"
#include "store/remote_machine.h"
#include "store/snapshot.h"
#include "store/volume.h"
#include "store/zone.h"

#define ADDRESS_USED STR("address:used")
#define ADDRESS_IDLE STR("address:idle")
/* The performance included with a gp3 volume (Amazon EBS, General Purpose SSD volumes). */
enum { GP3_IOPS = 3000, GP3_RATE = 125, TAGS_TEXT_CAP = 1 << 20 };

/* ---- meters of single rows ---- */

/* level: 0 is off. The meter's name is `prefix` followed by `suffix`. */
struct derived {
	enum kind kind;
	const char *prefix;
	int64_t (*level)(const struct row *row);
	struct str (*suffix)(const struct tables *t, const struct row *row);
};

static int64_t above(int64_t asked, int64_t base)
{
	return asked > base ? asked - base : 0;
}

static int64_t is_on(const struct row *row)
{
	const struct instance *i = instance_of(row);
	return i->seen_power == INSTANCE_SEEN_POWER_ON && uuid_is_none(i->spot_request);
}

static int64_t is_spot_on(const struct row *row)
{
	const struct instance *i = instance_of(row);
	return i->seen_power == INSTANCE_SEEN_POWER_ON && !uuid_is_none(i->spot_request);
}

/* A type's row stays as long as an instance has it. */
static struct str type_name(const struct tables *t, const struct row *row)
{
	const struct instance_type *type = instance_type_find(t, instance_of(row)->type);
	return type ? type->name : STR("unknown");
}

static int64_t volume_iops(const struct row *row)
{
	const struct volume *v = volume_of(row);
	bool counts = row_is_live(row) && v->local == VOLUME_LOCAL_NO;
	return counts ? above(v->iops, str_is(v->type, "gp3") ? GP3_IOPS : 0) : 0;
}

static int64_t volume_rate(const struct row *row)
{
	const struct volume *v = volume_of(row);
	bool counts = row_is_live(row) && v->local == VOLUME_LOCAL_NO;
	return counts ? above(v->throughput, str_is(v->type, "gp3") ? GP3_RATE : 0) : 0;
}

static struct str volume_kind(const struct tables *t, const struct row *row)
{
	(void) t;
	return volume_of(row)->type;
}

/* The image's own file; its disks are snapshots, which have their own meter. */
static int64_t image_bytes(const struct row *row)
{
	const struct image *i = image_of(row);
	return row_is_live(row) && !uuid_is_none(i->account) ? i->data_size : 0;
}

static int64_t exists(const struct row *row)
{
	return row_is_live(row) ? 1 : 0;
}

static struct str family(const struct tables *t, const struct row *row)
{
	(void) t;
	return dedicated_host_of(row)->family;
}

/* A used unit is paid as the instance that uses it. */
static int64_t free_units(const struct row *row)
{
	return row_is_live(row) ? (int64_t) capacity_reservation_of(row)->hosts.count : 0;
}

static struct str reserved_type(const struct tables *t, const struct row *row)
{
	(void) t;
	return capacity_reservation_of(row)->type;
}

static struct str nothing(const struct tables *t, const struct row *row)
{
	(void) t;
	(void) row;
	return STR_NONE;
}

static struct str balanced(const struct tables *t, const struct row *row)
{
	(void) t;
	return load_balancer_of(row)->protocol == LOAD_BALANCER_PROTOCOL_UDP ? STR("udp") : STR("tcp");
}

/* Listeners of application and Classic Load Balancers and of Octavia, and those of network load balancers with a proxy. Rows of
 * load_balancer meter the other listeners of network load balancers. Only listeners of Octavia have a proxy_gen: octavia_put_listener() sets it with the row's first version. */
static int64_t proxied(const struct row *row)
{
	const struct listener *l = listener_of(row);
	return l->instance_port > 0 || l->proxy_gen > 0 || l->is_proxied ||
	       l->protocol == LISTENER_PROTOCOL_HTTP || l->protocol == LISTENER_PROTOCOL_HTTPS;
}

static struct str proxied_protocol(const struct tables *t, const struct row *row)
{
	(void) t;
	return str_from(listener_protocol_words[listener_of(row)->protocol]);
}

static const struct derived derived[] = {
	{KIND_INSTANCE, "instance:", is_on, type_name},
	{KIND_INSTANCE, "spot:", is_spot_on, type_name},
	{KIND_VOLUME, "iops:", volume_iops, volume_kind},
	{KIND_VOLUME, "rate:", volume_rate, volume_kind},
	{KIND_IMAGE, "image", image_bytes, nothing},
	{KIND_DEDICATED_HOST, "dedicated-host:", exists, family},
	{KIND_CAPACITY_RESERVATION, "reserved:", free_units, reserved_type},
	{KIND_LOAD_BALANCER, "lb:", exists, balanced},
	{KIND_LISTENER, "lb:", proxied, proxied_protocol},
};

static RESULT write_level(struct op *op, const struct derived *d, const struct row *row, int64_t level)
{
	struct str suffix = d->suffix(op->head, row);
	struct str meter = str_print(op->ctx->arena, "%s%" STR_FMT, d->prefix, STR_ARG(suffix));
	return meter.p ? op_usage(op, d->kind, row->id, engine_get_owner(d->kind, row), meter, level)
		       : ctx_no_memory(op->ctx);
}

static RESULT follow_derived(struct op *op, const struct derived *d, const struct row *before,
			     const struct row *after)
{
	int64_t was = before ? d->level(before) : 0, is = after ? d->level(after) : 0;
	bool is_same_meter = before && after &&
			     str_equal(d->suffix(op->head, before), d->suffix(op->head, after)) &&
			     uuid_equal(engine_get_owner(d->kind, before), engine_get_owner(d->kind, after));
	if (was == is && (is_same_meter || !was))
		return OK;
	if (was && !is_same_meter)
		TRY(write_level(op, d, before, 0));
	if (is || (was && is_same_meter))
		TRY(write_level(op, d, after, is));
	return OK;
}

/* ---- addresses ---- */

enum use { NOT_HELD, IDLE, USED };

/* As in EC2, an address is used if it leads to a running instance or a NAT gateway. */
static enum use use_of(const struct address *a, const struct port *port, const struct instance *instance)
{
	if (!a || !row_is_live(&a->row) || !a->is_elastic)
		return NOT_HELD;
	if (!port || uuid_is_none(a->port))
		return IDLE;
	bool is_on = instance && instance->seen_power == INSTANCE_SEEN_POWER_ON;
	return is_on || !uuid_is_none(port->nat_gateway) ? USED : IDLE;
}

static enum use use_before(const struct op *op, const struct address *a)
{
	const struct row *port = a ? op_row_before(op, KIND_PORT, a->port, NULL) : NULL;
	const struct row *instance =
		port ? op_row_before(op, KIND_INSTANCE, port_of(port)->instance, NULL) : NULL;
	return use_of(a, port ? port_of(port) : NULL, instance ? instance_of(instance) : NULL);
}

static enum use use_now(const struct op *op, const struct address *a)
{
	const struct port *port = a ? port_find(op->head, a->port) : NULL;
	return use_of(a, port, port ? instance_find(op->head, port->instance) : NULL);
}

static RESULT follow_address(struct op *op, const struct address *before, const struct address *after)
{
	enum use was = use_before(op, before), is = use_now(op, after);
	const struct address *a = after ? after : before;
	if (was == is)
		return OK;
	TRY(op_usage(op, KIND_ADDRESS, a->row.id, a->account, ADDRESS_USED, is == USED));
	return op_usage(op, KIND_ADDRESS, a->row.id, a->account, ADDRESS_IDLE, is == IDLE);
}

/* The block's unallocated addresses, which are reserved for its owner. */
static RESULT follow_undrawn(struct op *op, uuid prefix, uuid account)
{
	return op_usage(op, KIND_ADDRESS_PREFIX, prefix, account, ADDRESS_IDLE,
			engine_count_undrawn(op->head, prefix));
}

static bool is_drawn(const struct address *a)
{
	return a && row_is_live(&a->row) && a->is_elastic && !uuid_is_none(a->prefix);
}

static RESULT follow_drawn(struct op *op, const struct address *before, const struct address *after)
{
	const struct address *a = after ? after : before;
	return is_drawn(before) == is_drawn(after) ? OK : follow_undrawn(op, a->prefix, a->account);
}

static RESULT follow_address_row(struct op *op, const struct row *before, const struct row *after)
{
	const struct address *was = before ? address_of(before) : NULL,
			     *is = after ? address_of(after) : NULL;
	TRY(follow_address(op, was, is));
	return follow_drawn(op, was, is);
}

static RESULT follow_prefix_row(struct op *op, const struct row *before, const struct row *after)
{
	bool was = before && row_is_live(before), is = after && row_is_live(after);
	const struct address_prefix *p = address_prefix_of(after ? after : before);
	return was == is ? OK : follow_undrawn(op, p->row.id, p->account);
}

/* Leaves out addresses that the change touched itself. */
static RESULT follow_port(struct op *op, uuid port)
{
	for (const struct address *a = address_first_by_port(op->head, port); a;
	     a = address_next_by_port(op->head, a)) {
		bool has_changed = false;
		const struct row *before = op_row_before(op, KIND_ADDRESS, a->row.id, &has_changed);
		if (!has_changed)
			TRY(follow_address(op, address_of(before), a));
	}
	return OK;
}

/* Leaves out ports that the change touched itself. */
static RESULT follow_instance(struct op *op, const struct instance *before, const struct instance *after)
{
	if (!before || !after || before->seen_power == after->seen_power)
		return OK;
	for (const struct port *p = port_first_by_instance(op->head, after->row.id); p;
	     p = port_next_by_instance(op->head, p)) {
		bool has_changed = false;
		(void) op_row_before(op, KIND_PORT, p->row.id, &has_changed);
		if (!has_changed)
			TRY(follow_port(op, p->row.id));
	}
	return OK;
}

/* ---- names of resources ---- */

/* Offsets of the kind's name and zone; 0: none. */
static const struct subject_fields {
	bool is_metered;
	size_t name, zone;
} subject_fields[KIND_COUNT] = {
	[KIND_INSTANCE] = {true, offsetof(struct instance, name), offsetof(struct instance, zone)},
	[KIND_VOLUME] = {true, offsetof(struct volume, name), offsetof(struct volume, zone)},
	[KIND_SNAPSHOT] = {true, offsetof(struct snapshot, name), 0},
	[KIND_IMAGE] = {true, offsetof(struct image, name), 0},
	[KIND_BACKUP] = {true, offsetof(struct backup, name), 0},
	[KIND_ADDRESS] = {true, 0, 0},
	[KIND_ADDRESS_PREFIX] = {true, offsetof(struct address_prefix, name), 0},
	[KIND_NAT_GATEWAY] = {true, 0, 0},
	[KIND_TRANSIT_ATTACHMENT] = {true, 0, 0},
	[KIND_VPC_ENDPOINT] = {true, 0, 0},
	[KIND_LOAD_BALANCER] = {true, offsetof(struct load_balancer, name), 0},
	[KIND_LISTENER] = {true, 0, 0},
	[KIND_DEDICATED_HOST] = {true, 0, offsetof(struct dedicated_host, zone)},
	[KIND_CAPACITY_RESERVATION] = {true, 0, offsetof(struct capacity_reservation, zone)},
};

static struct str text_at(const struct row *row, size_t offset)
{
	return offset ? *(const struct str *) ((const char *) row + offset) : STR_NONE;
}

static uuid id_at(const struct row *row, size_t offset)
{
	return offset ? *(const uuid *) ((const char *) row + offset) : UUID_NONE;
}

static struct tags tags_at(enum kind kind, const struct row *row)
{
	size_t offset = model_kinds[kind].tags_offset;
	return offset ? *(const struct tags *) ((const char *) row + offset) : (struct tags){0};
}

static bool tags_equal(struct tags a, struct tags b)
{
	bool is_same = a.count == b.count;
	for (size_t k = 0; is_same && k < a.count; k++)
		is_same = str_equal(a.at[k].key, b.at[k].key) && str_equal(a.at[k].value, b.at[k].value);
	return is_same;
}

static bool is_called_the_same(enum kind kind, const struct row *a, const struct row *b)
{
	const struct subject_fields *f = &subject_fields[kind];
	return str_equal(text_at(a, f->name), text_at(b, f->name)) &&
	       uuid_equal(id_at(a, f->zone), id_at(b, f->zone)) &&
	       tags_equal(tags_at(kind, a), tags_at(kind, b));
}

/* A flat object; a tag without a value is true. */
static struct str tags_text(struct op *op, struct tags tags)
{
	struct buf text;
	struct json_writer w;
	buf_init(&text, TAGS_TEXT_CAP);
	json_write_begin(&w, &text);
	json_write_open(&w, NULL);
	for (size_t k = 0; k < tags.count; k++) {
		json_write_key(&w, tags.at[k].key);
		if (tags.at[k].value.n)
			json_write_text(&w, NULL, tags.at[k].value);
		else
			json_write_bool(&w, NULL, true);
	}
	json_write_close(&w);
	bool is_whole = result_is_ok(json_write_end(&w));
	struct str copy = is_whole ? str_copy(op->ctx->arena, buf_str(&text)) : STR_NONE;
	buf_done(&text);
	return copy;
}

/* Written again when it changes, so that earlier bills keep the old name. */
static RESULT follow_subject(struct op *op, enum kind kind, const struct row *before, const struct row *after)
{
	const struct subject_fields *f = &subject_fields[kind];
	if (!f->is_metered || !after || !row_is_live(after))
		return OK;
	TRY(standing_follow(op, kind, engine_get_owner(kind, after), before, after));
	if (before && is_called_the_same(kind, before, after))
		return OK;
	const struct zone *zone = zone_find(op->head, id_at(after, f->zone));
	struct str name = text_at(after, f->name);
	if (!before && !zone && !name.n && !tags_at(kind, after).count)
		return OK; /* no name, zone or tags */
	struct str tags = tags_text(op, tags_at(kind, after));
	const struct tag *tag = tags_find(tags_at(kind, after), STR("Name"));
	struct str text = str_print(op->ctx->arena, "%" STR_FMT "\n%" STR_FMT,
				    STR_ARG(zone ? zone->name : STR_NONE), STR_ARG(tags));
	if (!tags.p || !text.p)
		return ctx_no_memory(op->ctx);
	const struct ledger_record record = {.type = LEDGER_SUBJECT,
					     .id = after->id,
					     .account = engine_get_owner(kind, after),
					     .name = name.n ? name
						     : tag  ? tag->value
							    : STR_NONE,
					     .text = text};
	return op_ledger(op, &record);
}

/* ---- machines elsewhere ---- */

static const struct provider *find_provider(const struct op *op, const struct remote_machine *m)
{
	const struct row *before = op_row_before(op, KIND_PROVIDER, m->provider, NULL);
	const struct provider *now = provider_find(op->head, m->provider);
	return now ? now : before ? provider_of(before) : NULL;
}

static bool is_running(const struct remote_machine *m)
{
	return m && m->power == REMOTE_MACHINE_POWER_RUNNING;
}

static RESULT write_use(struct op *op, const struct remote_machine *m, const struct provider *p,
			int64_t level)
{
	struct str meter = str_print(op->ctx->arena, REMOTE_USE_PREFIX "%" STR_FMT ":%" STR_FMT,
				     STR_ARG(p->name), STR_ARG(m->type.n ? m->type : STR("unknown")));
	return meter.p ? op_usage(op, KIND_REMOTE_MACHINE, m->row.id, m->account, meter, level)
		       : ctx_no_memory(op->ctx);
}

static RESULT follow_use(struct op *op, const struct provider *p, const struct remote_machine *before,
			 const struct remote_machine *after)
{
	bool was = is_running(before), is = is_running(after);
	bool is_same_type = was && is && str_equal(before->type, after->type);
	if (is_same_type)
		return OK;
	if (was)
		TRY(write_use(op, before, p, 0));
	return is ? write_use(op, after, p, 1) : OK;
}

static bool is_same_machine(const struct remote_machine *a, const struct remote_machine *b)
{
	return str_equal(a->name, b->name) && str_equal(a->zone, b->zone) && str_equal(a->ref, b->ref) &&
	       tags_equal(a->remote_tags, b->remote_tags);
}

/* FOCUS names the machine as its cloud does. */
static RESULT write_machine(struct op *op, const struct provider *p, const struct remote_machine *m)
{
	struct str tags = tags_text(op, m->remote_tags);
	struct str cloud = elsewhere_cloud_name(p);
	struct str text = str_print(
		op->ctx->arena, "%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT "\n%" STR_FMT,
		STR_ARG(m->zone), STR_ARG(tags), STR_ARG(cloud), STR_ARG(p->region), STR_ARG(m->ref));
	if (!tags.p || !text.p)
		return ctx_no_memory(op->ctx);
	const struct ledger_record record = {.type = LEDGER_SUBJECT,
					     .id = m->row.id,
					     .account = m->account,
					     .name = m->name,
					     .text = text};
	return op_ledger(op, &record);
}

static RESULT follow_remote_machine(struct op *op, const struct row *old, const struct row *new)
{
	const struct remote_machine *before = old ? remote_machine_of(old) : NULL,
				    *after = new ? remote_machine_of(new) : NULL;
	const struct provider *p = find_provider(op, after ? after : before);
	if (!p)
		return OK;
	TRY(follow_use(op, p, before, after));
	return !after || (before && is_same_machine(before, after)) ? OK : write_machine(op, p, after);
}

/* The owner's number and domain, for bills written after the account is gone. */
static RESULT follow_account(struct op *op, const struct account *before, const struct account *after)
{
	if (!row_is_live(&after->row) ||
	    (before && str_equal(before->name, after->name) && uuid_equal(before->domain, after->domain)))
		return OK;
	char domain[UUID_TEXT_SIZE];
	const struct ledger_record record = {.type = LEDGER_SUBJECT,
					     .id = after->row.id,
					     .account = after->row.id,
					     .name = after->name,
					     .text = str_print(op->ctx->arena, "%" STR_FMT "\n%s",
							       STR_ARG(after->number),
							       uuid_write(after->domain, domain))};
	return record.text.p ? op_ledger(op, &record) : ctx_no_memory(op->ctx);
}

RESULT engine_follow(struct op *op, enum kind kind, const struct row *before, const struct row *after)
{
	TRY(engine_check_permitted(op));
	TRY(row_bytes_check(op, kind, before, after));
	for (size_t k = 0; k < sizeof derived / sizeof *derived; k++)
		if (derived[k].kind == kind)
			TRY(follow_derived(op, &derived[k], before, after));
	TRY(licence_follow(op, kind, before, after));
	if (kind == KIND_REMOTE_MACHINE)
		TRY(follow_remote_machine(op, before, after));
	if (kind == KIND_ADDRESS)
		TRY(follow_address_row(op, before, after));
	if (kind == KIND_ADDRESS_PREFIX)
		TRY(follow_prefix_row(op, before, after));
	if (kind == KIND_PORT)
		TRY(follow_port(op, after ? after->id : before->id));
	if (kind == KIND_INSTANCE) {
		const struct instance *was = before ? instance_of(before) : NULL,
				      *is = after ? instance_of(after) : NULL;
		TRY(follow_instance(op, was, is));
		TRY(capacity_follow_instance(op, was, is));
	}
	TRY(event_follow(op, kind, before, after));
	TRY(annotation_follow(op, kind, before, after));
	if (kind == KIND_ACCOUNT && after)
		TRY(follow_account(op, before ? account_of(before) : NULL, account_of(after)));
	return follow_subject(op, kind, before, after);
}
