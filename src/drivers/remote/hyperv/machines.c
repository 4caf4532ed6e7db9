/* SPDX-License-Identifier: Apache-2.0
 * Machines of a Hyper-V host: see machines.h. Source: Hyper-V WMI provider (V2), classes Msvm_ComputerSystem,
 * Msvm_VirtualSystemSettingData, Msvm_…SettingData and Msvm_KvpExchangeComponent. */
#include "drivers/remote/hyperv/machines.h"

#include "base/clock.h"
#include "drivers/remote/machine_size.h"

enum { INSTANCES_MAX = 50000, NAME_SIZE = 255, ITEM_TEXT_MAX = 2048 };

/* ---- ids ---- */

static bool is_guid(struct str s)
{
	uuid id;
	return s.n == UUID_TEXT_SIZE - 1 && result_is_ok(uuid_parse(s, &id));
}

struct str hyperv_owner(struct ctx *c, struct str instance_id)
{
	struct str head = STR("Microsoft:");
	size_t from = head.n, to = from + UUID_TEXT_SIZE - 1;
	bool is_owned = str_starts_with(instance_id, head) && is_guid(str_slice(instance_id, from, to)) &&
			(instance_id.n == to || instance_id.p[to] == '\\');
	return is_owned ? str_lower(c->arena, str_slice(instance_id, from, to)) : STR_NONE;
}

struct str hyperv_upper(struct ctx *c, struct str id)
{
	char *copy = arena_new_array(c->arena, char, id.n + 1);
	for (size_t k = 0; copy && k < id.n; k++)
		copy[k] = id.p[k] >= 'a' && id.p[k] <= 'z' ? (char) (id.p[k] - 'a' + 'A') : id.p[k];
	return copy ? (struct str){copy, id.n} : STR_NONE;
}

struct str hyperv_part_id(struct ctx *c, struct str instance_id)
{
	struct str head = STR("Microsoft:");
	bool has_head = str_starts_with(instance_id, head);
	struct str inner = has_head ? str_slice(instance_id, head.n, instance_id.n) : instance_id;
	char *copy = arena_new_array(c->arena, char, inner.n + 1);
	for (size_t k = 0; copy && k < inner.n; k++)
		copy[k] = inner.p[k] == '\\' ? ':' : inner.p[k];
	return copy ? str_lower(c->arena, (struct str){copy, inner.n}) : STR_NONE;
}

struct str hyperv_path_name(struct str path)
{
	static const char *const keys[] = {",Name=\"", ".Name=\""};
	for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++)
		for (size_t at = 0; at + 7 <= path.n; at++)
			if (str_starts_with(str_slice(path, at, path.n), str_from(keys[k])))
				return str_slice(path, at + 7, str_find_char(path, '"', at + 7));
	return STR_NONE;
}

/* ---- reading ---- */

/* A text of a machine that belongs into a list. */
enum list { LIST_ADDRESS, LIST_NETWORK, LIST_VOLUME };
struct note {
	enum list list;
	struct str text;
	struct note *next;
};
struct found {
	struct str id, name, notes, platform, bios;
	int64_t state, vcpus, mib, created_us;
	bool has_settings;
	struct note *list;
};
struct founds {
	VEC(struct found);
};

struct hyperv_reading {
	struct ctx *c;
	bool lists; /* leaves machines out that are being made */
	struct founds machines;
	size_t last;        /* index of the machine that was found last */
	struct note *items; /* what the guest that is being read reports */
	struct str platform;
	struct wsman_instance item;
	struct machine_draft draft;
};

static struct found *find(struct hyperv_reading *r, struct str id)
{
	for (size_t k = 0; id.n && k < r->machines.count; k++) {
		size_t at = (r->last + k) % r->machines.count;
		if (str_equal(r->machines.at[at].id, id)) {
			r->last = at;
			return &r->machines.at[at];
		}
	}
	return NULL;
}

static RESULT add_note(struct hyperv_reading *r, struct note **list, enum list kind, struct str text)
{
	struct note *note = arena_new_object(r->c->arena, struct note);
	struct str copy = str_copy(r->c->arena, text);
	if (!note || !copy.p)
		return ctx_no_memory(r->c);
	*note = (struct note){kind, copy, *list};
	*list = note;
	return OK;
}

static int64_t number_of(const struct wsman_instance *i, const char *property, int64_t most)
{
	int64_t count = 0;
	bool is_count = result_is_ok(str_parse_int(wsman_get(i, property), &count));
	return is_count && count > 0 && count <= most ? count : 0;
}

/* The host is an instance, too: its name is no id. */
static RESULT take_system(struct hyperv_reading *r, const struct wsman_instance *i)
{
	struct str id = wsman_get(i, "Name");
	if (!is_guid(id))
		return OK;
	if (r->machines.count == HYPERV_MACHINES_MAX)
		return remote_fail_answer(r->c, "a host has too many machines");
	const struct found machine = {.id = str_lower(r->c->arena, id),
				      .name = wsman_get(i, "ElementName"),
				      .state = number_of(i, "EnabledState", UINT16_MAX)};
	return VEC_PUSH(r->c->arena, &r->machines, machine) ? OK : ctx_no_memory(r->c);
}

static RESULT take_settings(struct hyperv_reading *r, const struct wsman_instance *i)
{
	struct found *machine = find(r, hyperv_owner(r->c, wsman_get(i, "InstanceID")));
	int64_t time_us = 0;
	if (!machine)
		return OK;
	machine->has_settings = true;
	machine->notes = wsman_get(i, "Notes");
	machine->bios = wsman_get(i, "BIOSGUID");
	if (result_is_ok(clock_parse(wsman_get(i, "CreationTime"), &time_us)) && time_us > 0)
		machine->created_us = time_us;
	return OK;
}

static RESULT take_processor(struct hyperv_reading *r, const struct wsman_instance *i)
{
	struct found *machine = find(r, hyperv_owner(r->c, wsman_get(i, "InstanceID")));
	if (machine)
		machine->vcpus = number_of(i, "VirtualQuantity", MACHINE_VCPUS_MAX);
	return OK;
}

static RESULT take_memory(struct hyperv_reading *r, const struct wsman_instance *i)
{
	struct found *machine = find(r, hyperv_owner(r->c, wsman_get(i, "InstanceID")));
	if (machine)
		machine->mib = number_of(i, "VirtualQuantity", MACHINE_MIB_MAX);
	return OK;
}

static RESULT take_port(struct hyperv_reading *r, const struct wsman_instance *i)
{
	struct found *machine = find(r, hyperv_owner(r->c, wsman_get(i, "InstanceID")));
	struct str network = str_lower(r->c->arena, hyperv_path_name(wsman_get(i, "HostResource")));
	return machine && network.n ? add_note(r, &machine->list, LIST_NETWORK, network) : OK;
}

static RESULT take_disk(struct hyperv_reading *r, const struct wsman_instance *i)
{
	struct str id = wsman_get(i, "InstanceID");
	struct found *machine = find(r, hyperv_owner(r->c, id));
	bool is_disk = str_is(wsman_get(i, "ResourceSubType"), HYPERV_DISK_TYPE);
	return machine && is_disk ? add_note(r, &machine->list, LIST_VOLUME, hyperv_part_id(r->c, id)) : OK;
}

static RESULT take_guest(struct hyperv_reading *r, const struct wsman_instance *i)
{
	struct found *machine = find(r, str_lower(r->c->arena, wsman_get(i, "SystemName")));
	struct note *items = r->items, *next = NULL;
	r->items = NULL;
	for (; machine && items; items = next) {
		next = items->next;
		items->next = machine->list;
		machine->list = items;
	}
	if (machine)
		machine->platform = r->platform;
	r->platform = STR_NONE;
	return OK;
}

static RESULT take_addresses(struct hyperv_reading *r, struct str text)
{
	struct str rest = text, address = STR_NONE;
	struct ip ip;
	for (size_t k = 0; k < DRAFT_IPS_MAX && str_split_next(&rest, ';', &address); k++) {
		bool is_local = str_equal_nocase(str_slice(address, 0, 5), STR("fe80:"));
		if (!is_local && result_is_ok(ip_parse(address, &ip)))
			TRY(add_note(r, &r->items, LIST_ADDRESS, address));
	}
	return OK;
}

/* An item that the guest reports. A guest writes what it likes: a malformed item is left out. */
static RESULT take_item(void *self, struct str text)
{
	static const char *const wanted[] = {"Name", "Data", NULL};
	struct hyperv_reading *r = self;
	struct ctx *c = r->c;
	if (text.n > ITEM_TEXT_MAX || !result_is_ok(wsman_read_embedded(c, text, wanted, &r->item))) {
		ctx_clear_problem(c);
		return OK;
	}
	struct str name = wsman_get(&r->item, "Name"), data = wsman_get(&r->item, "Data");
	if (str_is(name, "OSName"))
		draft_put_text(&r->platform, data, DRAFT_WORD_MAX);
	bool has_addresses = str_is(name, "NetworkAddressIPv4") || str_is(name, "NetworkAddressIPv6");
	return has_addresses ? take_addresses(r, data) : OK;
}

/* key: property that has the machine's id, alone or within an InstanceID. */
static const struct part_row {
	const char *class_name, *key;
	const char *wanted[4];
	RESULT (*take)(struct hyperv_reading *r, const struct wsman_instance *i);
	const char *streamed;
} rows[HYPERV_PARTS] = {
	[HYPERV_SYSTEMS] =
		{"Msvm_ComputerSystem", "Name", {"Name", "ElementName", "EnabledState"}, take_system, NULL},
	[HYPERV_SETTINGS] = {"Msvm_VirtualSystemSettingData",
			     "InstanceID",
			     {"InstanceID", "Notes", "CreationTime", "BIOSGUID"},
			     take_settings,
			     NULL},
	[HYPERV_PROCESSORS] = {"Msvm_ProcessorSettingData",
			       "InstanceID",
			       {"InstanceID", "VirtualQuantity"},
			       take_processor,
			       NULL},
	[HYPERV_MEMORIES] = {"Msvm_MemorySettingData",
			     "InstanceID",
			     {"InstanceID", "VirtualQuantity"},
			     take_memory,
			     NULL},
	[HYPERV_PORTS] = {"Msvm_EthernetPortAllocationSettingData",
			  "InstanceID",
			  {"InstanceID", "HostResource"},
			  take_port,
			  NULL},
	[HYPERV_DISKS] = {"Msvm_StorageAllocationSettingData",
			  "InstanceID",
			  {"InstanceID", "ResourceSubType"},
			  take_disk,
			  NULL},
	[HYPERV_GUESTS] = {"Msvm_KvpExchangeComponent",
			   "SystemName",
			   {"SystemName"},
			   take_guest,
			   "GuestIntrinsicExchangeItems"},
};

struct part_visit {
	struct hyperv_reading *reading;
	const struct part_row *row;
};

static RESULT take_part(void *self, const struct wsman_instance *i)
{
	const struct part_visit *v = self;
	return v->row->take(v->reading, i);
}

static RESULT stream_part(void *self, struct str text)
{
	const struct part_visit *v = self;
	return take_item(v->reading, text);
}

static struct wsman_visitor visitor_of(struct part_visit *v)
{
	return (struct wsman_visitor){.self = v,
				      .wanted = v->row->wanted,
				      .take = take_part,
				      .streamed = v->row->streamed,
				      .stream = stream_part};
}

struct hyperv_reading *hyperv_begin_machines(struct ctx *c, bool lists)
{
	struct hyperv_reading *r = arena_new_object(c->arena, struct hyperv_reading);
	if (r)
		*r = (struct hyperv_reading){.c = c, .lists = lists};
	return r;
}

RESULT hyperv_read_machines(struct hyperv_reading *reading, enum hyperv_part part, struct str text)
{
	struct wsman_page page;
	struct part_visit v = {reading, &rows[part]};
	const struct wsman_visitor visitor = visitor_of(&v);
	return wsman_read_page(reading->c, text, &visitor, &page);
}

/* ---- machines ---- */

/* The words are those of Hyper-V's own tools. A paused machine keeps its memory, and a saved one is off: both are started
 * to go on. */
static const struct {
	int64_t state;
	const char *word;
	enum remote_machine_power power;
} states[] = {{2, "Running", REMOTE_MACHINE_POWER_RUNNING},
	      {3, "Off", REMOTE_MACHINE_POWER_STOPPED},
	      {4, "Stopping", REMOTE_MACHINE_POWER_STOPPING},
	      {6, "Saved", REMOTE_MACHINE_POWER_STOPPED},
	      {9, "Paused", REMOTE_MACHINE_POWER_STOPPED},
	      {10, "Starting", REMOTE_MACHINE_POWER_PENDING},
	      {11, "Reset", REMOTE_MACHINE_POWER_PENDING},
	      {32768, "Paused", REMOTE_MACHINE_POWER_STOPPED},
	      {32769, "Saved", REMOTE_MACHINE_POWER_STOPPED},
	      {32770, "Starting", REMOTE_MACHINE_POWER_PENDING},
	      {32771, "Snapshotting", REMOTE_MACHINE_POWER_RUNNING},
	      {32773, "Saving", REMOTE_MACHINE_POWER_STOPPING},
	      {32774, "Stopping", REMOTE_MACHINE_POWER_STOPPING},
	      {32776, "Pausing", REMOTE_MACHINE_POWER_STOPPING},
	      {32777, "Resuming", REMOTE_MACHINE_POWER_PENDING}};

static void put_state(struct ctx *c, struct remote_machine *m, int64_t state)
{
	m->power = REMOTE_MACHINE_POWER_UNKNOWN;
	m->raw_state = str_print(c->arena, "state %lld", (long long) state);
	for (size_t k = 0; k < sizeof states / sizeof states[0]; k++)
		if (states[k].state == state) {
			m->raw_state = str_from(states[k].word);
			m->power = states[k].power;
		}
}

/* Lines of the notes that Dari has written: the token of a creation, and tags. */
static void put_notes(struct machine_draft *d, struct str notes)
{
	struct str rest = notes, line = STR_NONE;
	while (str_split_next(&rest, '\n', &line)) {
		line = str_trim(line);
		if (str_starts_with(line, STR(HYPERV_TOKEN_LINE)))
			draft_add_tag(d, STR(REMOTE_TOKEN_TAG),
				      str_trim(str_slice(line, sizeof HYPERV_TOKEN_LINE - 1, line.n)));
		if (!str_starts_with(line, STR(HYPERV_TAG_LINE)))
			continue;
		struct str tag = str_slice(line, sizeof HYPERV_TAG_LINE - 1, line.n);
		size_t sign = str_find_char(tag, '=', 0);
		if (sign < tag.n && !str_starts_with(tag, STR("dari:")))
			draft_add_tag(d, str_slice(tag, 0, sign), str_slice(tag, sign + 1, tag.n));
	}
}

struct str hyperv_strip_notes(struct ctx *c, struct str notes, const char *start)
{
	struct str rest = notes, line = STR_NONE, kept = STR_NONE;
	while (str_split_next(&rest, '\n', &line)) {
		line = str_ends_with(line, STR("\r")) ? str_slice(line, 0, line.n - 1) : line;
		if (!str_starts_with(str_trim(line), str_from(start)))
			kept = str_print(c->arena, "%" STR_FMT "%s%" STR_FMT, STR_ARG(kept),
					 kept.n ? "\n" : "", STR_ARG(line));
	}
	return kept;
}

/* WMI writes {UUID}. Another form is no UUID of a guest. */
static void put_bios(struct remote_machine *m, struct str text)
{
	bool is_braced = text.n > 2 && text.p[0] == '{' && text.p[text.n - 1] == '}';
	IGNORE(uuid_parse(is_braced ? str_slice(text, 1, text.n - 1) : text, &m->guest_uuid));
}

static RESULT end_machine(struct hyperv_reading *r, const struct found *f, struct remote_machines *list)
{
	struct machine_draft *d = &r->draft;
	struct remote_machine *m = &d->machine;
	*d = (struct machine_draft){0};
	m->ref = f->id;
	draft_put_text(&m->name, f->name, NAME_SIZE);
	m->platform = f->platform;
	put_bios(m, f->bios);
	m->vcpus = f->vcpus;
	m->type = machine_size_write(r->c, f->vcpus, f->mib);
	m->launched_us = f->created_us;
	put_state(r->c, m, f->state);
	put_notes(d, f->notes);
	for (const struct note *note = f->list; note; note = note->next) {
		if (note->list == LIST_ADDRESS)
			draft_add_ip(&d->private_ips, note->text);
		else if (note->list == LIST_VOLUME)
			draft_add_id(&d->volumes, note->text, DRAFT_LIST_MAX);
		else if (draft_is_id(note->text) &&
			 (!m->network.n || str_compare(note->text, m->network) < 0))
			m->network = note->text;
	}
	return draft_end(r->c, d, list);
}

static bool is_being_made(struct str notes)
{
	struct str rest = notes, line = STR_NONE;
	while (str_split_next(&rest, '\n', &line))
		if (str_starts_with(str_trim(line), STR(HYPERV_MAKING_LINE)))
			return true;
	return false;
}

/* A machine without settings is being made or deleted. */
RESULT hyperv_end_machines(struct hyperv_reading *r, struct remote_page *ret_page)
{
	struct remote_machines list = {0};
	*ret_page = (struct remote_page){0};
	for (size_t k = 0; k < r->machines.count; k++)
		if (r->machines.at[k].has_settings && !(r->lists && is_being_made(r->machines.at[k].notes)))
			TRY(end_machine(r, &r->machines.at[k], &list));
	ret_page->machines = list.at;
	ret_page->count = list.count;
	ret_page->entries = r->machines.count;
	return OK;
}

/* ---- asking ---- */

static struct str query_of(struct ctx *c, const struct part_row *row, struct str id)
{
	struct str upper = id.n ? hyperv_upper(c, id) : STR_NONE;
	if (!id.n)
		return str_print(c->arena, "select * from %s", row->class_name);
	return str_is(str_from(row->key), "InstanceID")
		       ? str_print(c->arena,
				   "select * from %s where InstanceID like 'Microsoft:%" STR_FMT "%%'",
				   row->class_name, STR_ARG(upper))
		       : str_print(c->arena, "select * from %s where %s = '%" STR_FMT "'", row->class_name,
				   row->key, STR_ARG(upper));
}

/* To a user outside of the group the host shows no machines, instead of a refusal. */
static RESULT check_member(struct wsman_link *l)
{
	static const char *const wanted[] = {"Name", NULL};
	struct wsman_instance *i = arena_new_object(l->c->arena, struct wsman_instance);
	bool is_found = false;
	if (!i)
		return ctx_no_memory(l->c);
	const struct wsman_query query = {
		HYPERV_SPACE, STR("select * from Msvm_VirtualSystemManagementService"), INSTANCES_MAX};
	TRY(wsman_find(l, &query, wanted, i, &is_found));
	return is_found ? OK
			: ctx_fail(l->c, ERR_DENIED,
				   "The host shows no machines, because the user is no member of its group "
				   "Hyper-V Administrators.");
}

RESULT hyperv_list_machines(struct wsman_link *l, struct str id, struct remote_page *ret_page)
{
	struct hyperv_reading *r = hyperv_begin_machines(l->c, !id.n);
	if (!r)
		return ctx_no_memory(l->c);
	for (size_t part = 0; part < HYPERV_PARTS; part++) {
		struct part_visit v = {r, &rows[part]};
		const struct wsman_visitor visitor = visitor_of(&v);
		const struct wsman_query query = {HYPERV_SPACE, query_of(l->c, &rows[part], id),
						  INSTANCES_MAX};
		if (part > HYPERV_SYSTEMS && !r->machines.count)
			break;
		TRY(wsman_enumerate(l, &query, &visitor));
	}
	if (!r->machines.count)
		TRY(check_member(l));
	TRY(hyperv_end_machines(r, ret_page));
	for (size_t k = 0; k < ret_page->count; k++)
		ret_page->machines[k].zone = l->zone;
	return OK;
}

RESULT hyperv_get_machine(struct wsman_link *l, struct str id, struct remote_machine *ret_machine)
{
	struct remote_page page;
	if (!is_guid(id))
		return ctx_fail(l->c, ERR_NOT_FOUND, "The host has no machine %" STR_FMT ".", STR_ARG(id));
	TRY(hyperv_list_machines(l, id, &page));
	if (!page.count)
		return ctx_fail(l->c, ERR_NOT_FOUND, "The host has no machine %" STR_FMT ".", STR_ARG(id));
	if (page.count != 1 || !str_equal(page.machines[0].ref, id))
		return remote_fail_answer(l->c, "it is about another machine");
	*ret_machine = page.machines[0];
	return OK;
}
