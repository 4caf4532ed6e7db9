/* SPDX-License-Identifier: Apache-2.0
 * Reads answers of EC2's query API with libxml2's reader. The path of the current element selects a row of a
 * table, which says into which field its text goes. */
#include "drivers/remote/ec2/answer.h"

#include "base/clock.h"
#include "drivers/remote/draft.h"
#include "drivers/remote/xml_walk.h"
#include "model/remote_machine.h"

enum { SHORT_MAX = 64 };

/* The machine that is being read, with the parts that EC2 spreads over several elements. */
struct draft {
	struct machine_draft base;
	struct str key, value; /* the tag that is being read */
	int64_t cores, threads;
};

struct reading {
	struct ctx *c;
	struct ec2_answer *answer;
	struct remote_machines machines;
	struct draft draft;
};

static RESULT bad(struct reading *r, const char *what)
{
	return ctx_fail(r->c, ERR_IO, "The answer is not usable: %s.", what);
}

/* ---- fields of a machine ---- */

enum put { PUT_ID, PUT_TEXT, PUT_TIME, PUT_INT, PUT_IP, PUT_LIST, PUT_KEY, PUT_VALUE };

struct place {
	const char *path; /* below the machine's element */
	enum put how;
	size_t offset; /* in struct draft */
	size_t most;
};

#define AT(member) offsetof(struct draft, member)
#define NIC "networkInterfaceSet/item/"
static const struct place places[] = {
	{"instanceId", PUT_ID, AT(base.machine.ref), DRAFT_ID_MAX},
	{"imageId", PUT_TEXT, AT(base.machine.image), DRAFT_ID_MAX},
	{"instanceState/name", PUT_TEXT, AT(base.machine.raw_state), SHORT_MAX},
	{"instanceType", PUT_TEXT, AT(base.machine.type), SHORT_MAX},
	{"keyName", PUT_TEXT, AT(base.machine.key_name), DRAFT_ID_MAX},
	{"launchTime", PUT_TIME, AT(base.machine.launched_us), 0},
	{"placement/availabilityZone", PUT_TEXT, AT(base.machine.zone), SHORT_MAX},
	{"platformDetails", PUT_TEXT, AT(base.machine.platform), SHORT_MAX},
	{"usageOperation", PUT_TEXT, AT(base.operation), SHORT_MAX},
	{"vpcId", PUT_TEXT, AT(base.machine.network), DRAFT_ID_MAX},
	{"subnetId", PUT_LIST, AT(base.subnets), 16},
	{"privateIpAddress", PUT_IP, AT(base.private_ips), 0},
	{"ipAddress", PUT_IP, AT(base.public_ips), 0},
	{"groupSet/item/groupId", PUT_LIST, AT(base.groups), 32},
	{"blockDeviceMapping/item/ebs/volumeId", PUT_LIST, AT(base.volumes), DRAFT_LIST_MAX},
	{NIC "subnetId", PUT_LIST, AT(base.subnets), 16},
	{NIC "privateIpAddressesSet/item/privateIpAddress", PUT_IP, AT(base.private_ips), 0},
	{NIC "privateIpAddressesSet/item/association/publicIp", PUT_IP, AT(base.public_ips), 0},
	{NIC "ipv6AddressesSet/item/ipv6Address", PUT_IP, AT(base.private_ips), 0},
	{"cpuOptions/coreCount", PUT_INT, AT(cores), 0},
	{"cpuOptions/threadsPerCore", PUT_INT, AT(threads), 0},
	{"tagSet/item/key", PUT_KEY, 0, 0},
	{"tagSet/item/value", PUT_VALUE, 0, 0},
};

static RESULT put(struct reading *r, const struct place *p, struct str text)
{
	struct draft *d = &r->draft;
	void *at = (char *) d + p->offset;
	switch (p->how) {
	case PUT_ID:
		if (!draft_is_id(text))
			return bad(r, "a machine has no proper id");
		*(struct str *) at = text;
		break;
	case PUT_TEXT:
		draft_put_text(at, text, p->most);
		break;
	case PUT_TIME: /* an unreadable time counts as absent */
		IGNORE(clock_parse(text, at));
		break;
	case PUT_INT:
		if (!result_is_ok(str_parse_int(text, at)))
			*(int64_t *) at = 0;
		break;
	case PUT_IP:
		draft_add_ip(at, text);
		break;
	case PUT_LIST:
		draft_add_id(at, text, p->most);
		break;
	case PUT_KEY:
		d->key = text;
		break;
	case PUT_VALUE:
		d->value = text;
		break;
	}
	return OK;
}

/* ---- a machine ---- */

static enum remote_machine_power power_of(struct str word)
{
	static const struct {
		const char *word;
		enum remote_machine_power power;
	} powers[] = {{"pending", REMOTE_MACHINE_POWER_PENDING},
		      {"running", REMOTE_MACHINE_POWER_RUNNING},
		      {"stopping", REMOTE_MACHINE_POWER_STOPPING},
		      {"stopped", REMOTE_MACHINE_POWER_STOPPED},
		      {"shutting-down", REMOTE_MACHINE_POWER_TERMINATING},
		      {"terminated", REMOTE_MACHINE_POWER_TERMINATED}};
	for (size_t k = 0; k < sizeof powers / sizeof powers[0]; k++)
		if (str_is(word, powers[k].word))
			return powers[k].power;
	return REMOTE_MACHINE_POWER_UNKNOWN;
}

static void end_tag(struct draft *d)
{
	draft_add_tag(&d->base, d->key, d->value);
	if (str_is(d->key, "Name"))
		draft_put_text(&d->base.machine.name, d->value, DRAFT_ID_MAX);
	d->key = d->value = STR_NONE;
}

static RESULT end_machine(struct reading *r)
{
	struct draft *d = &r->draft;
	struct remote_machine *m = &d->base.machine;
	m->power = power_of(m->raw_state);
	if (d->cores > 0 && d->cores < 65536 && d->threads > 0 && d->threads < 256)
		m->vcpus = d->cores * d->threads;
	return draft_end(r->c, &d->base, &r->machines);
}

/* ---- paths ---- */

/* Elements of a machine: of DescribeInstances, and of RunInstances. */
static const char *const machine_paths[] = {"reservationSet/item/instancesSet/item", "instancesSet/item"};

/* The path below the machine's element. False: elsewhere. */
static bool is_in_machine(struct str path, struct str *ret_path)
{
	for (size_t k = 0; k < sizeof machine_paths / sizeof machine_paths[0]; k++) {
		struct str machine = str_from(machine_paths[k]);
		if (str_starts_with(path, machine) && (path.n == machine.n || path.p[machine.n] == '/')) {
			*ret_path = str_slice(path, machine.n + 1, path.n);
			return true;
		}
	}
	return false;
}

static RESULT enter(void *self, struct str path)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (is_in_machine(path, &below) && !below.n)
		r->draft = (struct draft){0};
	return OK;
}

/* Texts outside of machines: errors, the identity, the next page. */
static RESULT take_member(struct reading *r, struct str path, struct str text)
{
	struct ec2_answer *answer = r->answer;
	bool is_error = str_ends_with(path, STR("Error/Code")) || str_ends_with(path, STR("Error/Message"));
	if (str_ends_with(path, STR("Error/Code")) && !answer->code.n)
		answer->code = str_cut(text, SHORT_MAX);
	else if (is_error && !answer->message.n)
		answer->message = str_cut(text, 512);
	else if (str_is(path, "nextToken") && text.n > EC2_CURSOR_MAX)
		return bad(r, "the token of the next page is too long");
	else if (str_is(path, "nextToken"))
		answer->next = text;
	else if (str_is(path, "GetCallerIdentityResult/Account") && draft_is_id(text))
		answer->account = text;
	return OK;
}

static const struct place *find_place(struct str path)
{
	for (size_t k = 0; k < sizeof places / sizeof places[0]; k++)
		if (str_is(path, places[k].path))
			return &places[k];
	return NULL;
}

static RESULT leave(void *self, struct str path, struct str text)
{
	struct reading *r = self;
	struct str below = STR_NONE;
	if (!is_in_machine(path, &below))
		return take_member(r, path, str_copy(r->c->arena, text));
	if (!below.n)
		return end_machine(r);
	if (str_is(below, "tagSet/item"))
		end_tag(&r->draft);
	const struct place *p = find_place(below);
	if (!p || !text.n)
		return OK;
	struct str copy = str_copy(r->c->arena, text);
	return copy.p ? put(r, p, copy) : ctx_no_memory(r->c);
}

RESULT ec2_read_answer(struct ctx *c, struct str text, struct ec2_answer *ret_answer)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	if (!r)
		return ctx_no_memory(c);
	*r = (struct reading){.c = c, .answer = ret_answer};
	*ret_answer = (struct ec2_answer){0};
	TRY(remote_walk_xml(c, text, &(struct xml_visitor){r, enter, leave}, &ret_answer->root));
	ret_answer->machines = r->machines.at;
	ret_answer->machine_count = r->machines.count;
	return OK;
}
