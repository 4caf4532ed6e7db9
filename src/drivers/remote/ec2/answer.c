/* SPDX-License-Identifier: Apache-2.0
 * Reads answers of EC2's query API with libxml2's reader. The path of the current element selects a row of a
 * table, which says into which field its text goes. */
#include "drivers/remote/ec2/answer.h"

#include <libxml/xmlreader.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/vec.h"

enum { PATH_MAX_SIZE = 512, ID_MAX = 255, SHORT_MAX = 64, LIST_MAX = 64, TAGS_MAX = 50, TAG_MAX = 255 };

/* A text list that is being collected; longer ones are cut. */
struct texts {
	struct str at[LIST_MAX];
	size_t count;
};

struct addresses {
	struct ip at[32];
	size_t count;
};

/* The machine that is being read. */
struct draft {
	struct remote_machine machine;
	struct texts subnets, groups, volumes;
	struct addresses private_ips, public_ips;
	struct tag tags[TAGS_MAX];
	size_t tag_count;
	struct tag tag; /* the one that is being read */
	int64_t cores, threads;
};

struct reading {
	struct ctx *c;
	struct ec2_answer *answer;
	char path[PATH_MAX_SIZE]; /* "DescribeInstancesResponse/reservationSet/item" */
	size_t path_size;
	size_t ends[EC2_DEPTH_MAX]; /* size of the path at each depth */
	size_t depth;
	struct buf text; /* text inside the current element */
	VEC(struct remote_machine) machines;
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
	{"instanceId", PUT_ID, AT(machine.ref), ID_MAX},
	{"imageId", PUT_TEXT, AT(machine.image), ID_MAX},
	{"instanceState/name", PUT_TEXT, AT(machine.raw_state), SHORT_MAX},
	{"instanceType", PUT_TEXT, AT(machine.type), SHORT_MAX},
	{"keyName", PUT_TEXT, AT(machine.key_name), ID_MAX},
	{"launchTime", PUT_TIME, AT(machine.launched_us), 0},
	{"placement/availabilityZone", PUT_TEXT, AT(machine.zone), SHORT_MAX},
	{"platformDetails", PUT_TEXT, AT(machine.platform), SHORT_MAX},
	{"vpcId", PUT_TEXT, AT(machine.network), ID_MAX},
	{"subnetId", PUT_LIST, AT(subnets), 16},
	{"privateIpAddress", PUT_IP, AT(private_ips), 0},
	{"ipAddress", PUT_IP, AT(public_ips), 0},
	{"groupSet/item/groupId", PUT_LIST, AT(groups), 32},
	{"blockDeviceMapping/item/ebs/volumeId", PUT_LIST, AT(volumes), LIST_MAX},
	{NIC "subnetId", PUT_LIST, AT(subnets), 16},
	{NIC "privateIpAddressesSet/item/privateIpAddress", PUT_IP, AT(private_ips), 0},
	{NIC "privateIpAddressesSet/item/association/publicIp", PUT_IP, AT(public_ips), 0},
	{NIC "ipv6AddressesSet/item/ipv6Address", PUT_IP, AT(private_ips), 0},
	{"cpuOptions/coreCount", PUT_INT, AT(cores), 0},
	{"cpuOptions/threadsPerCore", PUT_INT, AT(threads), 0},
	{"tagSet/item/key", PUT_KEY, 0, 0},
	{"tagSet/item/value", PUT_VALUE, 0, 0},
};

/* The cloud's ids go into requests and policies' resources: letters, digits and a few signs. */
static bool is_id(struct str s)
{
	for (size_t k = 0; k < s.n; k++)
		if (!str_is_alphanumeric(s.p[k]) && !strchr("-_.:", s.p[k]))
			return false;
	return s.n >= 1 && s.n <= ID_MAX;
}

static void add_text(struct texts *list, struct str text, size_t most)
{
	for (size_t k = 0; k < list->count; k++)
		if (str_equal(list->at[k], text))
			return;
	if (list->count < most && is_id(text))
		list->at[list->count++] = text;
}

static void add_ip(struct addresses *list, struct str text)
{
	struct ip ip;
	if (!result_is_ok(ip_parse(text, &ip)) || list->count == sizeof list->at / sizeof list->at[0])
		return;
	for (size_t k = 0; k < list->count; k++)
		if (ip_equal(list->at[k], ip))
			return;
	list->at[list->count++] = ip;
}

static RESULT put(struct reading *r, const struct place *p, struct str text)
{
	struct draft *d = &r->draft;
	void *at = (char *) d + p->offset;
	switch (p->how) {
	case PUT_ID:
		if (!is_id(text))
			return bad(r, "a machine has no proper id");
		*(struct str *) at = text;
		break;
	case PUT_TEXT:
		*(struct str *) at = str_is_line(text) ? str_cut(text, p->most) : STR_NONE;
		break;
	case PUT_TIME: /* an unreadable time counts as absent */
		IGNORE(clock_parse(text, at));
		break;
	case PUT_INT:
		if (!result_is_ok(str_parse_int(text, at)))
			*(int64_t *) at = 0;
		break;
	case PUT_IP:
		add_ip(at, text);
		break;
	case PUT_LIST:
		add_text(at, text, p->most);
		break;
	case PUT_KEY:
		d->tag.key = str_cut(text, TAG_MAX);
		break;
	case PUT_VALUE:
		d->tag.value = str_cut(text, TAG_MAX);
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

static int compare_texts(const void *a, const void *b)
{
	return str_compare(*(const struct str *) a, *(const struct str *) b);
}

static int compare_ips(const void *a, const void *b)
{
	return ip_compare(*(const struct ip *) a, *(const struct ip *) b);
}

static int compare_tags(const void *a, const void *b)
{
	return str_compare(((const struct tag *) a)->key, ((const struct tag *) b)->key);
}

/* Sorted copies, because clouds change the order between answers, and that is no change of the machine. */
static struct strs copy_texts(struct arena *a, struct texts *list)
{
	struct str *copy = arena_new_array(a, struct str, list->count);
	if (list->count > 1)
		qsort(list->at, list->count, sizeof list->at[0], compare_texts);
	if (copy && list->count)
		memcpy(copy, list->at, list->count * sizeof *copy);
	return (struct strs){copy, copy ? list->count : 0};
}

static struct ips copy_ips(struct arena *a, struct addresses *list)
{
	struct ip *copy = arena_new_array(a, struct ip, list->count);
	if (list->count > 1)
		qsort(list->at, list->count, sizeof list->at[0], compare_ips);
	if (copy && list->count)
		memcpy(copy, list->at, list->count * sizeof *copy);
	return (struct ips){copy, copy ? list->count : 0};
}

static struct tags copy_tags(struct arena *a, struct tag *tags, size_t count)
{
	struct tag *copy = arena_new_array(a, struct tag, count);
	size_t kept = 0;
	if (count > 1)
		qsort(tags, count, sizeof tags[0], compare_tags);
	for (size_t k = 0; copy && k < count; k++)
		if (!kept || !str_equal(copy[kept - 1].key, tags[k].key))
			copy[kept++] = tags[k];
	return (struct tags){copy, kept};
}

static void end_tag(struct draft *d)
{
	if (d->tag.key.n && str_is_line(d->tag.key) && str_is_xml_text(d->tag.value) &&
	    d->tag_count < TAGS_MAX)
		d->tags[d->tag_count++] = d->tag;
	d->tag = (struct tag){0};
}

static struct str name_of(const struct draft *d)
{
	for (size_t k = 0; k < d->tag_count; k++)
		if (str_is(d->tags[k].key, "Name") && str_is_line(d->tags[k].value))
			return d->tags[k].value;
	return STR_NONE;
}

static RESULT end_machine(struct reading *r)
{
	struct draft *d = &r->draft;
	struct arena *a = r->c->arena;
	struct remote_machine *m = &d->machine;
	if (!m->ref.n)
		return bad(r, "a machine has no id");
	if (r->machines.count == REMOTE_PAGE_MAX)
		return bad(r, "a page has too many machines");
	m->power = power_of(m->raw_state);
	m->name = name_of(d);
	if (d->cores > 0 && d->cores < 65536 && d->threads > 0 && d->threads < 256)
		m->vcpus = d->cores * d->threads;
	m->subnets = copy_texts(a, &d->subnets);
	m->groups = copy_texts(a, &d->groups);
	m->volumes = copy_texts(a, &d->volumes);
	m->private_ips = copy_ips(a, &d->private_ips);
	m->public_ips = copy_ips(a, &d->public_ips);
	m->remote_tags = copy_tags(a, d->tags, d->tag_count);
	return VEC_PUSH(a, &r->machines, *m) ? OK : ctx_no_memory(r->c);
}

/* ---- paths ---- */

#define MACHINE "reservationSet/item/instancesSet/item"

/* The path below the document's element; empty for that element itself. */
static struct str inner_path(const struct reading *r)
{
	size_t from = r->depth > 1 ? r->ends[0] + 1 : r->path_size;
	return (struct str){r->path + from, r->path_size - from};
}

/* The path below the machine's element. False: elsewhere. */
static bool is_in_machine(struct str path, struct str *ret_path)
{
	static const struct str machine = {MACHINE, sizeof MACHINE - 1};
	if (!str_starts_with(path, machine) || (path.n > machine.n && path.p[machine.n] != '/'))
		return false;
	*ret_path = str_slice(path, machine.n + 1, path.n);
	return true;
}

static RESULT enter(struct reading *r, struct str name)
{
	if (r->depth == EC2_DEPTH_MAX || name.n + 1 > sizeof r->path - r->path_size)
		return bad(r, "it is nested too deeply");
	if (r->depth)
		r->path[r->path_size++] = '/';
	memcpy(r->path + r->path_size, name.p, name.n);
	r->path_size += name.n;
	r->ends[r->depth++] = r->path_size;
	buf_done(&r->text);
	buf_init(&r->text, EC2_TEXT_MAX);
	if (r->depth == 1)
		r->answer->root = str_copy(r->c->arena, name);
	if (str_is(inner_path(r), MACHINE))
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
	else if (str_is(path, "GetCallerIdentityResult/Account") && is_id(text))
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

static RESULT end_element(struct reading *r)
{
	struct str path = inner_path(r), below = STR_NONE;
	struct str text = str_trim(buf_str(&r->text));
	if (!is_in_machine(path, &below)) {
		text = str_copy(r->c->arena, text);
		return take_member(r, path, text);
	}
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

static RESULT leave(struct reading *r)
{
	TRY(end_element(r));
	r->depth--;
	r->path_size = r->depth ? r->ends[r->depth - 1] : 0;
	buf_done(&r->text);
	buf_init(&r->text, EC2_TEXT_MAX);
	return OK;
}

/* ---- the reader ---- */

static void be_quiet(void *arg, const char *message, xmlParserSeverities severity,
		     xmlTextReaderLocatorPtr locator)
{
	(void) arg, (void) message, (void) severity, (void) locator;
}

static RESULT take_node(struct reading *r, xmlTextReaderPtr reader)
{
	switch (xmlTextReaderNodeType(reader)) {
	case XML_READER_TYPE_ELEMENT:
		TRY(enter(r, str_from((const char *) xmlTextReaderConstLocalName(reader))));
		return xmlTextReaderIsEmptyElement(reader) ? leave(r) : OK;
	case XML_READER_TYPE_END_ELEMENT:
		return leave(r);
	case XML_READER_TYPE_TEXT:
	case XML_READER_TYPE_CDATA:
		buf_add_str(&r->text, str_from((const char *) xmlTextReaderConstValue(reader)));
		return r->text.failed ? bad(r, "a text is too long") : OK;
	case XML_READER_TYPE_DOCUMENT_TYPE:
	case XML_READER_TYPE_ENTITY_REFERENCE:
	case XML_READER_TYPE_ENTITY:
		return bad(r, "it has a document type or entities");
	default:
		return OK;
	}
}

static RESULT read_all(struct reading *r, xmlTextReaderPtr reader)
{
	int more = 0;
	while ((more = xmlTextReaderRead(reader)) == 1)
		TRY(take_node(r, reader));
	if (more < 0 || !r->answer->root.n)
		return bad(r, "it is no well-formed XML, or ends early");
	return arena_is_full(r->c->arena) ? ctx_no_memory(r->c) : OK;
}

RESULT ec2_read_answer(struct ctx *c, struct str text, struct ec2_answer *ret_answer)
{
	struct reading *r = arena_new_object(c->arena, struct reading);
	if (!r)
		return ctx_no_memory(c);
	*r = (struct reading){.c = c, .answer = ret_answer};
	*ret_answer = (struct ec2_answer){0};
	if (text.n > INT_MAX || !text.n)
		return bad(r, "it is empty or too large");
	xmlTextReaderPtr reader = xmlReaderForMemory(
		text.p, (int) text.n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!reader)
		return ctx_no_memory(c);
	xmlTextReaderSetErrorHandler(reader, be_quiet, NULL);
	buf_init(&r->text, EC2_TEXT_MAX);
	struct result result = read_all(r, reader);
	buf_done(&r->text);
	xmlFreeTextReader(reader);
	ret_answer->machines = r->machines.at;
	ret_answer->machine_count = r->machines.count;
	return result;
}
