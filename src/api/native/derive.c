/* SPDX-License-Identifier: Apache-2.0
 * Derived members: values computed from other rows or from usage counters.
 */
#include "api/native/rows.h"

#include "engine/engine.h"
#include "engine/remote/migration.h"
#include "engine/remote/provider.h"
#include "engine/remote/remote_resource.h"
#include "engine/storage/image/image.h"
#include "engine/support/ticket.h"
#include "model/host.h"
#include "model/image.h"
#include "model/remote_machine.h"
#include "model/remote_resource.h"
#include "model/states.h"
#include "model/storage_pool.h"
#include "model/subnet.h"
#include "store/address.h"
#include "store/desk.h"
#include "store/port.h"
#include "store/provider.h"
#include "store/secondary_ip.h"
#include "store/ticket_link.h"

const char *native_state(const struct tables *t, enum kind kind, const struct row *row)
{
	const struct kind_info *info = &model_kinds[kind];
	if (model_tells_state(kind))
		return info->states[model_derive_state(kind, row)].name;
	if (kind == KIND_IMAGE && row_is_live(row))
		return info->states[engine_derive_image_state(t, image_of(row))].name;
	if (kind == KIND_SUPPORT_TICKET && row_is_live(row))
		return ticket_state_words[engine_get_ticket_state(t, support_ticket_of(row), NULL)];
	if (kind == KIND_HOST && row_is_live(row))
		return host_seen_state_words[host_of(row)->seen_state];
	return row_is_live(row) ? NULL : "deleting";
}

/* ---- addresses ---- */

static void write_ip(struct json_writer *w, const char *key, struct ip ip)
{
	char text[IP_TEXT_SIZE];
	if (!ip_is_none(ip))
		json_write_z(w, key, ip_write(ip, text));
}

static struct ip public_of(const struct tables *t, uuid port, struct ip private_ip)
{
	const struct address *a = address_first_by_port(t, port);
	for (; a; a = address_next_by_port(t, a))
		if (row_is_live(&a->row) &&
		    (ip_is_none(a->private_ip) || ip_equal(a->private_ip, private_ip)))
			return a->ip;
	return (struct ip){0};
}

static void write_one(const struct row_writer *rw, struct json_writer *w, const struct port *p, struct ip ip)
{
	json_write_open(w, NULL);
	json_write_uuid(w, "port", p->row.id);
	write_ip(w, "ip", ip);
	write_ip(w, "public_ip", public_of(rw->tables, p->row.id, ip));
	json_write_close(w);
}

static void write_of_port(const struct row_writer *rw, struct json_writer *w, const struct port *p)
{
	if (!ip_is_none(p->ip))
		write_one(rw, w, p, p->ip);
	for (const struct secondary_ip *s = secondary_ip_first_by_port(rw->tables, p->row.id); s;
	     s = secondary_ip_next_by_port(rw->tables, s))
		if (row_is_live(&s->row))
			write_one(rw, w, p, s->ip);
}

static void write_addresses(const struct row_writer *rw, struct json_writer *w, const struct row *row,
			    unsigned class)
{
	(void) class;
	json_write_open_list(w, "addresses");
	if (rw->kind == KIND_PORT)
		write_of_port(rw, w, port_of(row));
	else
		for (const struct port *p = port_first_by_instance(rw->tables, row->id); p;
		     p = port_next_by_instance(rw->tables, p))
			if (row_is_live(&p->row))
				write_of_port(rw, w, p);
	json_write_close_list(w);
}

static bool has_word(struct ip ip, struct str word)
{
	char text[IP_TEXT_SIZE];
	return !ip_is_none(ip) && str_contains(str_from(ip_write(ip, text)), word);
}

static bool port_has(const struct tables *t, const struct port *p, struct str word)
{
	const struct secondary_ip *s = secondary_ip_first_by_port(t, p->row.id);
	const struct address *a = address_first_by_port(t, p->row.id);
	bool has = has_word(p->ip, word);
	for (; s && !has; s = secondary_ip_next_by_port(t, s))
		has = row_is_live(&s->row) && has_word(s->ip, word);
	for (; a && !has; a = address_next_by_port(t, a))
		has = row_is_live(&a->row) && has_word(a->ip, word);
	return has;
}

bool native_has_address(struct arena *a, const struct tables *t, enum kind kind, const struct row *row,
			struct str word)
{
	(void) a;
	if (kind == KIND_PORT)
		return port_has(t, port_of(row), word);
	if (kind != KIND_INSTANCE)
		return false;
	const struct port *p = port_first_by_instance(t, row->id);
	while (p && !(row_is_live(&p->row) && port_has(t, p, word)))
		p = port_next_by_instance(t, p);
	return p;
}

/* Writes the instance that the address is associated with. */
static void write_instance(const struct row_writer *rw, struct json_writer *w, const struct row *row,
			   unsigned class)
{
	const struct port *p = port_find(rw->tables, address_of(row)->port);
	(void) class;
	if (p && !uuid_is_none(p->instance))
		json_write_uuid(w, "instance", p->instance);
}

/* ---- figures ---- */

static void write_usage(const struct row_writer *rw, struct json_writer *w, const struct row *row,
			unsigned class)
{
	(void) class;
	json_write_open(w, "usage");
	if (rw->kind == KIND_HOST) {
		struct host_usage use = {0};
		engine_read_host_use(host_of(row), &use);
		json_write_int(w, "instances", use.instances);
		json_write_int(w, "vcpus", use.vcpus);
		json_write_int(w, "memory", use.memory);
		json_write_int(w, "disk", use.disk);
	} else if (rw->kind == KIND_STORAGE_POOL) {
		json_write_int(w, "disk", engine_read_pool_use(storage_pool_of(row)));
	} else if (rw->kind == KIND_SUBNET && subnet_usage(subnet_of(row))) {
		json_write_int(w, "addresses",
			       __atomic_load_n(&subnet_usage(subnet_of(row))->addresses, __ATOMIC_RELAXED));
	}
	json_write_close(w);
}

/* ---- tickets ---- */

static void write_text(struct json_writer *w, const char *key, struct str text)
{
	if (text.n)
		json_write_text(w, key, text);
}

/* Writes the ticket's state at a desk. Only administrators see the desk's problems. */
static void write_desk(const struct row_writer *rw, struct json_writer *w, const struct ticket_link *l,
		       unsigned class)
{
	const struct desk *desk = desk_find(rw->tables, l->desk);
	json_write_open(w, NULL);
	if (desk) {
		json_write_text(w, "name", desk->name);
		json_write_z(w, "role", desk_role_words[desk->role]);
	}
	write_text(w, "number", l->foreign_number.n ? l->foreign_number : l->foreign_id);
	json_write_z(w, "state", ticket_state_words[l->state]);
	json_write_bool(w, "is_ended", l->aim == TICKET_LINK_AIM_CLOSED);
	if (class & ROW_FOR_ADMIN) {
		write_text(w, "foreign_state", l->foreign_state);
		write_text(w, "problem", l->problem);
		json_write_bool(w, "is_stopped", l->is_stopped);
	}
	json_write_close(w);
}

static void write_desks(const struct row_writer *rw, struct json_writer *w, const struct row *row,
			unsigned class)
{
	json_write_open_list(w, "desks");
	for (const struct ticket_link *l = ticket_link_first_by_ticket(rw->tables, row->id); l;
	     l = ticket_link_next_by_ticket(rw->tables, l))
		if (row_is_live(&l->row))
			write_desk(rw, w, l, class);
	json_write_close_list(w);
}

/* ---- clouds elsewhere ---- */

static int64_t get_refreshed_us(const struct row_writer *rw, const struct row *row)
{
	if (rw->kind == KIND_PROVIDER)
		return engine_get_refreshed_us(provider_of(row));
	bool is_machine = rw->kind == KIND_REMOTE_MACHINE;
	const struct provider *p = provider_find(rw->tables, is_machine ? remote_machine_of(row)->provider
									: remote_resource_of(row)->provider);
	if (!p)
		return 0;
	return is_machine ? engine_get_refreshed_us(p)
			  : engine_get_resource_refreshed_us(p, remote_resource_of(row));
}

/* The end of the last complete listing, which is how fresh a provider's rows are. */
static void write_refreshed(const struct row_writer *rw, struct json_writer *w, const struct row *row,
			    unsigned class)
{
	int64_t at_us = get_refreshed_us(rw, row);
	(void) class;
	if (at_us)
		json_write_int(w, "refreshed_us", at_us);
}

/* Writes what the round under way or the next one, and a cutover requested now, are expected to take. */
static void write_estimate(const struct row_writer *rw, struct json_writer *w, const struct row *row,
			   unsigned class)
{
	const struct migration_estimate e = engine_estimate_migration(rw->tables, cloud_migration_of(row));
	(void) class;
	json_write_open(w, "estimate");
	json_write_int(w, "size", e.size);
	json_write_int(w, "left_bytes", e.left_bytes);
	json_write_int(w, "left_s", e.left_s);
	json_write_int(w, "downtime_s", e.downtime_s);
	json_write_bool(w, "is_measured", e.is_measured);
	json_write_close(w);
}

static const struct {
	const char *name;
	void (*write)(const struct row_writer *rw, struct json_writer *w, const struct row *row,
		      unsigned class);
} derived[] = {{"addresses", write_addresses},    {"desks", write_desks},
	       {"estimate", write_estimate},      {"instance", write_instance},
	       {"refreshed_us", write_refreshed}, {"usage", write_usage}};

bool native_write_derived(const char *name, const struct row_writer *rw, struct json_writer *w,
			  const struct row *row, unsigned class)
{
	for (size_t k = 0; k < sizeof derived / sizeof derived[0]; k++)
		if (strcmp(derived[k].name, name) == 0) {
			derived[k].write(rw, w, row, class);
			return true;
		}
	return false;
}

bool native_has_derived(const char *name)
{
	for (size_t k = 0; k < sizeof derived / sizeof derived[0]; k++)
		if (strcmp(derived[k].name, name) == 0)
			return true;
	return false;
}
