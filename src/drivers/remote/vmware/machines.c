/* SPDX-License-Identifier: Apache-2.0
 * Machines of vCenter and ESXi: see machines.h. Source: vSphere Web Services API reference 8.0, VirtualMachine. */
#include "drivers/remote/vmware/machines.h"

#include <stdio.h>

#include "base/clock.h"
#include "drivers/remote/machine_size.h"
#include "model/remote_machine.h"

enum { PAGE_SIZE = 500, NAME_SIZE = 255, KEY_MAX = 20 };

/* ---- reading ---- */

/* config.createDate came with version 6.7. */
#define PROPERTIES                                                                                           \
	"name", "runtime.powerState", "runtime.connectionState", "runtime.host", "runtime.bootTime",         \
		"config.template", "config.annotation", "config.instanceUuid", "config.uuid",                \
		"config.guestFullName", "config.hardware.numCPU", "config.hardware.memoryMB",                \
		"guest.ipAddress", "guest.net", "network", "customValue"

const char *const *vmware_machine_properties(int version)
{
	static const char *const older[] = {PROPERTIES, NULL};
	static const char *const newer[] = {PROPERTIES, "config.createDate", NULL};
	return version >= VIM_VERSION_67 ? newer : older;
}

struct reading {
	struct ctx *c;
	const struct vmware_fields *fields;
	struct remote_machines list;
	struct machine_draft draft;
	struct draft_ids networks;
	int64_t vcpus, mib, booted_us, created_us;
	struct str connection, key;
	bool lists, is_template, has_config;
};

static RESULT begin(void *self, struct str type, struct str ref)
{
	struct reading *r = self;
	if (!str_is(type, "VirtualMachine"))
		return remote_fail_answer(r->c, "it has an object of another type");
	r->draft = (struct machine_draft){.machine.ref = str_copy(r->c->arena, ref)};
	r->networks.count = 0;
	r->vcpus = r->mib = r->booted_us = r->created_us = 0;
	r->connection = r->key = STR_NONE;
	r->is_template = r->has_config = false;
	return OK;
}

static void take_time(struct str text, int64_t *ret_us)
{
	int64_t time_us = 0;
	if (result_is_ok(clock_parse(text, &time_us)) && time_us > 0)
		*ret_us = time_us;
}

static void take_count(struct str text, int64_t most, int64_t *ret_count)
{
	int64_t count = 0;
	if (result_is_ok(str_parse_int(text, &count)) && count > 0 && count <= most)
		*ret_count = count;
}

/* The line of the notes that has the token of a machine that was created from here. */
static void take_notes(struct reading *r, struct str notes)
{
	struct str rest = notes, line = STR_NONE;
	while (str_split_next(&rest, '\n', &line))
		if (str_starts_with(line, STR(VIM_TOKEN_LINE)))
			draft_add_tag(&r->draft, STR(REMOTE_TOKEN_TAG),
				      str_trim(str_slice(line, sizeof VIM_TOKEN_LINE - 1, line.n)));
}

/* Addresses of the link alone are left out: every interface has one. */
static void take_address(struct reading *r, struct str text)
{
	if (!str_equal_nocase(str_slice(text, 0, 5), STR("fe80:")))
		draft_add_ip(&r->draft.private_ips, text);
}

static void take_attribute(struct reading *r, struct str text)
{
	for (size_t k = 0; k < r->fields->count; k++)
		if (str_equal(r->fields->at[k].key, r->key) && text.n)
			draft_add_tag(&r->draft, r->fields->at[k].name, text);
}

/* Properties that are lists. */
static void take_inner(struct reading *r, struct str property, struct str below, struct str text)
{
	if (str_is(property, "guest.net") && str_ends_with(below, STR("/ipAddress")))
		take_address(r, text);
	if (str_is(property, "network"))
		draft_add_id(&r->networks, text, DRAFT_LIST_MAX);
	if (str_is(property, "customValue") && str_ends_with(below, STR("/key")))
		r->key = str_cut(text, KEY_MAX);
	if (str_is(property, "customValue") && str_ends_with(below, STR("/value")))
		take_attribute(r, text);
}

static void take_config(struct reading *r, struct str name, struct str text)
{
	struct remote_machine *m = &r->draft.machine;
	r->has_config = true;
	if (str_is(name, "template"))
		r->is_template = str_is(text, "true");
	else if (str_is(name, "annotation"))
		take_notes(r, text);
	else if (str_is(name, "instanceUuid") && uuid_is_none(m->row.id))
		IGNORE(uuid_parse(
			text,
			&m->row.id)); /* a machine that Dari did not create has a UUID that is not a row's id */
	else if (str_is(name, "uuid"))
		IGNORE(uuid_parse(text, &m->guest_uuid)); /* another form: unknown */
	else if (str_is(name, "guestFullName"))
		draft_put_text(&m->platform, text, DRAFT_WORD_MAX);
	else if (str_is(name, "hardware.numCPU"))
		take_count(text, MACHINE_VCPUS_MAX, &r->vcpus);
	else if (str_is(name, "hardware.memoryMB"))
		take_count(text, MACHINE_MIB_MAX, &r->mib);
	else if (str_is(name, "createDate"))
		take_time(text, &r->created_us);
}

static RESULT value(void *self, struct str property, struct str below, struct str transient)
{
	struct reading *r = self;
	struct remote_machine *m = &r->draft.machine;
	struct str config = STR("config."), text = transient.n ? str_copy(r->c->arena, transient) : STR_NONE;
	if (below.n)
		take_inner(r, property, below, text);
	else if (str_is(property, "name"))
		draft_put_text(&m->name, text, NAME_SIZE);
	else if (str_is(property, "runtime.powerState"))
		draft_put_text(&m->raw_state, text, DRAFT_WORD_MAX);
	else if (str_is(property, "runtime.connectionState"))
		r->connection = text;
	else if (str_is(property, "runtime.host"))
		draft_put_text(&m->zone, text, DRAFT_WORD_MAX);
	else if (str_is(property, "runtime.bootTime"))
		take_time(text, &r->booted_us);
	else if (str_is(property, "guest.ipAddress"))
		take_address(r, text);
	else if (str_starts_with(property, config))
		take_config(r, str_slice(property, config.n, property.n), text);
	return OK;
}

/* The state of a machine that its server does not reach is not known. */
static void judge_power(struct reading *r)
{
	struct remote_machine *m = &r->draft.machine;
	bool is_on = str_is(m->raw_state, "poweredOn");
	bool is_off = str_is(m->raw_state, "poweredOff") || str_is(m->raw_state, "suspended");
	m->power = is_on    ? REMOTE_MACHINE_POWER_RUNNING
		   : is_off ? REMOTE_MACHINE_POWER_STOPPED
			    : REMOTE_MACHINE_POWER_UNKNOWN;
	if (!r->connection.n || str_is(r->connection, "connected"))
		return;
	m->power = REMOTE_MACHINE_POWER_UNKNOWN;
	draft_put_text(&m->raw_state, r->connection, DRAFT_WORD_MAX);
}

/* A machine whose connection is fine and that has no configuration is being made. */
static RESULT end(void *self)
{
	struct reading *r = self;
	struct remote_machine *m = &r->draft.machine;
	const struct draft_ids *networks = &r->networks;
	bool is_being_made = !r->has_config && str_is(r->connection, "connected");
	if (r->lists && (r->is_template || is_being_made))
		return OK;
	judge_power(r);
	for (size_t k = 0; k < networks->count; k++)
		if (!m->network.n || str_compare(networks->at[k], m->network) < 0)
			m->network = networks->at[k];
	m->vcpus = r->vcpus;
	m->type = machine_size_write(r->c, r->vcpus, r->mib);
	m->launched_us = r->created_us ? r->created_us : r->booted_us;
	return draft_end(r->c, &r->draft, &r->list);
}

static struct reading *begin_reading(struct ctx *c, const struct vmware_fields *fields, bool lists)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	if (r)
		*r = (struct reading){.c = c, .fields = fields, .lists = lists};
	return r;
}

static struct vmware_visitor visitor_of(struct reading *r)
{
	return (struct vmware_visitor){r, begin, NULL, value, end};
}

static struct remote_page page_of(const struct reading *r, const struct vmware_page *page)
{
	return (struct remote_page){.machines = r->list.at,
				    .count = r->list.count,
				    .cursor = page->token,
				    .entries = page->objects};
}

RESULT vmware_read_machines(struct ctx *c, struct str text, const char *method,
			    const struct vmware_fields *fields, bool lists, struct remote_page *ret_page)
{
	struct vmware_page page;
	struct reading *r = begin_reading(c, fields, lists);
	if (!r)
		return ctx_no_memory(c);
	const struct vmware_visitor visitor = visitor_of(r);
	TRY(vmware_read_objects(c, text, method, &visitor, &page));
	*ret_page = page_of(r, &page);
	return OK;
}

/* ---- custom attributes ---- */

struct defining {
	struct ctx *c;
	struct vmware_fields *fields;
	struct vmware_field field;
	bool is_of_others; /* an attribute of hosts, of networks and so on */
};

static RESULT begin_fields(void *self, struct str type, struct str ref)
{
	(void) self, (void) type, (void) ref;
	return OK;
}

static RESULT take_field(void *self, struct str property, struct str below, struct str text)
{
	struct defining *d = self;
	bool is_end = str_is(below, "CustomFieldDef");
	if (!str_is(property, "field"))
		return OK;
	if (str_is(below, "CustomFieldDef/key"))
		d->field.key = str_copy(d->c->arena, str_cut(text, KEY_MAX));
	if (str_is(below, "CustomFieldDef/name"))
		d->field.name = str_copy(d->c->arena, str_cut(text, NAME_SIZE));
	if (str_is(below, "CustomFieldDef/managedObjectType"))
		d->is_of_others = text.n && !str_is(text, "VirtualMachine");
	if (is_end && !d->is_of_others && d->field.key.n && d->field.name.n &&
	    d->fields->count < VIM_FIELDS_MAX)
		d->fields->at[d->fields->count++] = d->field;
	if (is_end) {
		d->field = (struct vmware_field){0};
		d->is_of_others = false;
	}
	return OK;
}

static RESULT end_fields(void *self)
{
	(void) self;
	return OK;
}

static RESULT begin_defining(struct ctx *c, struct defining *d, struct vmware_fields *fields)
{
	*fields =
		(struct vmware_fields){.at = arena_new_array(c->arena, struct vmware_field, VIM_FIELDS_MAX)};
	*d = (struct defining){.c = c, .fields = fields};
	return fields->at ? OK : ctx_no_memory(c);
}

RESULT vmware_read_fields(struct ctx *c, struct str text, struct vmware_fields *ret_fields)
{
	struct defining d;
	struct vmware_page page;
	TRY(begin_defining(c, &d, ret_fields));
	return vmware_read_objects(c, text, "RetrievePropertiesEx",
				   &(struct vmware_visitor){&d, begin_fields, NULL, take_field, end_fields},
				   &page);
}

RESULT vmware_list_fields(struct ctx *c, struct remote *r, struct vmware_fields *ret_fields)
{
	static const char *const names[] = {"field", NULL};
	struct defining d;
	const struct vmware_get get = {"CustomFieldsManager", vmware_id(r, VIM_FIELDS), names};
	*ret_fields = (struct vmware_fields){0};
	if (!get.id.n)
		return OK;
	TRY(begin_defining(c, &d, ret_fields));
	return vmware_get_object(c, r, &get,
				 &(struct vmware_visitor){&d, begin_fields, NULL, take_field, end_fields});
}

/* ---- asking ---- */

RESULT vmware_list_machines(struct ctx *c, struct remote *r, struct str cursor, struct remote_page *ret_page)
{
	struct vmware_page page;
	struct vmware_fields fields;
	const struct vmware_listing listing = {
		"VirtualMachine", vmware_machine_properties(remote_session_peek(r)->version), PAGE_SIZE};
	TRY(vmware_list_fields(c, r, &fields));
	struct reading *reading = begin_reading(c, &fields, true);
	if (!reading)
		return ctx_no_memory(c);
	const struct vmware_visitor visitor = visitor_of(reading);
	TRY(vmware_list_objects(c, r, &listing, cursor, &visitor, &page));
	*ret_page = page_of(reading, &page);
	return OK;
}

RESULT vmware_get_machine(struct ctx *c, struct remote *r, struct str ref, struct remote_machine *ret_machine)
{
	struct vmware_fields fields;
	const struct vmware_get get = {"VirtualMachine", ref,
				       vmware_machine_properties(remote_session_peek(r)->version)};
	TRY(vmware_list_fields(c, r, &fields));
	struct reading *reading = begin_reading(c, &fields, false);
	if (!reading)
		return ctx_no_memory(c);
	const struct vmware_visitor visitor = visitor_of(reading);
	TRY(vmware_get_object(c, r, &get, &visitor));
	if (reading->list.count != 1 || !str_equal(reading->list.at[0].ref, ref))
		return remote_fail_answer(c, "it is about another machine");
	*ret_machine = reading->list.at[0];
	return OK;
}
