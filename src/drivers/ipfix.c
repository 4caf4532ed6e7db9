/* SPDX-License-Identifier: Apache-2.0
 * Reads IPFIX messages. Numbers of elements: IANA, "IPFIX Information Elements". */
#include "drivers/ipfix.h"

#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/heap.h"

enum {
	HEADER_SIZE = 16,
	SET_HEADER_SIZE = 4,
	VERSION = 10,
	TEMPLATE_SET = 2,
	DATA_SETS = 256,       /* from this number on */
	FIELDS_MAX = 64,       /* maximum in a template */
	TEMPLATES_MAX = 32768, /* maximum for all exporters; an Open vSwitch has 88 */
	EXPORTERS_MAX = 4096,  /* two of each host */
	BUCKETS = 4096,
	LOST_MAX = 1000000, /* a greater leap is a restart */
	VARIABLE = 65535,   /* length of a field that begins with its length */
	ENTERPRISE = 0x8000,
	EGRESS = 1
};

enum element {
	OCTETS = 1,
	PACKETS = 2,
	PROTOCOL = 4,
	SOURCE_PORT = 7,
	SOURCE_V4 = 8,
	DESTINATION_PORT = 11,
	DESTINATION_V4 = 12,
	SOURCE_V6 = 27,
	DESTINATION_V6 = 28,
	DIRECTION = 61,
	INTERFACE_NAME = 82,
	POINT = 138,
	START_DELTA = 158,
	END_DELTA = 159
};

struct field {
	uint16_t element, length; /* element 0: an enterprise's, which is skipped */
};

struct template
{
	struct template *next; /* in its bucket */
	struct ip source;
	uint16_t number, count;
	struct field fields[];
};

struct exporter {
	struct exporter *next; /* in its bucket */
	struct ip source;
	uint16_t port;
	uint32_t expected; /* sequence number of the next message */
};

struct ipfix_templates {
	struct template *templates[BUCKETS];
	struct exporter *exporters[BUCKETS];
	size_t template_count, exporter_count;
};

/* ---- numbers ---- */

struct reader {
	const uint8_t *at, *end;
	bool is_short; /* it read beyond the end */
};

static const uint8_t *take(struct reader *r, size_t size)
{
	if ((size_t) (r->end - r->at) < size) {
		r->is_short = true;
		return NULL;
	}
	r->at += size;
	return r->at - size;
}

static uint64_t number(const uint8_t *p, size_t size)
{
	uint64_t n = 0;
	for (size_t k = 0; k < size && k < 8; k++)
		n = n << 8 | p[k];
	return n;
}

static uint32_t take_number(struct reader *r, size_t size)
{
	const uint8_t *p = take(r, size);
	return p ? (uint32_t) number(p, size) : 0;
}

/* ---- memory ---- */

struct ipfix_templates *ipfix_templates_new(void)
{
	return heap_new(struct ipfix_templates);
}

void ipfix_templates_free(struct ipfix_templates *t)
{
	for (size_t k = 0; t && k < BUCKETS; k++) {
		while (t->templates[k]) {
			struct template *next = t->templates[k]->next;
			heap_free(t->templates[k]);
			t->templates[k] = next;
		}
		while (t->exporters[k]) {
			struct exporter *next = t->exporters[k]->next;
			heap_free(t->exporters[k]);
			t->exporters[k] = next;
		}
	}
	heap_free(t);
}

static size_t bucket_of(struct ip source, uint16_t more)
{
	uint64_t hash = hash_add(0, more);
	for (size_t k = 0; k < sizeof source.b; k += 8)
		hash = hash_add(hash, number(source.b + k, 8));
	return hash % BUCKETS;
}

static struct template **find_template(struct ipfix_templates *t, struct ip source, uint16_t wanted)
{
	struct template **at = &t->templates[bucket_of(source, wanted)];
	while (*at && ((*at)->number != wanted || !ip_equal((*at)->source, source)))
		at = &(*at)->next;
	return at;
}

/* A new definition replaces the old one. */
static void keep_template(struct ipfix_templates *t, struct ip source, uint16_t id,
			  const struct field *fields, uint16_t count)
{
	struct template **at = find_template(t, source, id);
	struct template *old = *at;
	if (old && old->count == count && memcmp(old->fields, fields, count * sizeof *fields) == 0)
		return;
	if (!old && t->template_count == TEMPLATES_MAX)
		return;
	struct template *made = heap_alloc(sizeof *made + count * sizeof *fields);
	if (!made)
		return;
	made->source = source;
	made->number = id;
	made->count = count;
	memcpy(made->fields, fields, count * sizeof *fields);
	made->next = old ? old->next : NULL;
	*at = made;
	t->template_count += !old;
	heap_free(old);
}

/* Number of records that are missing before a message of `count` records. */
static int64_t follow(struct ipfix_templates *t, struct ip source, uint16_t port, uint32_t sequence,
		      uint32_t count)
{
	struct exporter **at = &t->exporters[bucket_of(source, port)];
	while (*at && ((*at)->port != port || !ip_equal((*at)->source, source)))
		at = &(*at)->next;
	uint32_t gap = *at ? sequence - (*at)->expected : 0;
	if (!*at && t->exporter_count < EXPORTERS_MAX && (*at = heap_new(struct exporter))) {
		(*at)->source = source;
		(*at)->port = port;
		t->exporter_count++;
	}
	if (*at)
		(*at)->expected = sequence + count;
	return gap < LOST_MAX ? gap : 0;
}

/* ---- templates ---- */

static void read_templates(struct ipfix_templates *t, struct ip source, struct reader *r)
{
	while (r->end - r->at >= 4) {
		struct field fields[FIELDS_MAX];
		uint16_t id = (uint16_t) take_number(r, 2), count = (uint16_t) take_number(r, 2);
		if (count == 0 || count > FIELDS_MAX)
			return;
		for (uint16_t k = 0; k < count; k++) {
			uint32_t element = take_number(r, 2);
			fields[k].length = (uint16_t) take_number(r, 2);
			fields[k].element = element & ENTERPRISE ? 0 : (uint16_t) element;
			if (element & ENTERPRISE)
				(void) take(r, 4);
		}
		if (r->is_short)
			return;
		keep_template(t, source, id, fields, count);
	}
}

/* ---- records ---- */

static struct ip read_ip(enum ip_family family, const uint8_t *p)
{
	struct ip ip = {.family = family};
	memcpy(ip.b, p, family == IP_V4 ? 4 : 16);
	return ip;
}

static void read_name(const uint8_t *p, size_t size, char *into)
{
	size_t n = size < IPFIX_NAME_SIZE ? size : IPFIX_NAME_SIZE - 1;
	memcpy(into, p, n);
	into[n] = '\0';
}

/* names: interface names so far: the one of the arrival is first. */
static void read_field(const struct field *f, const uint8_t *p, size_t size, int64_t now_us, int *names,
		       struct ipfix_record *record)
{
	int64_t n = size <= 8 ? (int64_t) number(p, size) : 0;
	switch ((enum element) f->element) {
	case OCTETS:
		record->bytes = n;
		break;
	case PACKETS:
		record->packets = n;
		break;
	case PROTOCOL:
		record->protocol = (uint8_t) n;
		break;
	case SOURCE_PORT:
		record->source_port = (uint16_t) n;
		break;
	case DESTINATION_PORT:
		record->destination_port = (uint16_t) n;
		break;
	case SOURCE_V4:
		record->source = size == 4 ? read_ip(IP_V4, p) : record->source;
		break;
	case DESTINATION_V4:
		record->destination = size == 4 ? read_ip(IP_V4, p) : record->destination;
		break;
	case SOURCE_V6:
		record->source = size == 16 ? read_ip(IP_V6, p) : record->source;
		break;
	case DESTINATION_V6:
		record->destination = size == 16 ? read_ip(IP_V6, p) : record->destination;
		break;
	case DIRECTION:
		record->is_output = n == EGRESS;
		break;
	case INTERFACE_NAME:
		read_name(p, size, (*names)++ == 0 ? record->in : record->out);
		break;
	case POINT:
		record->point = (uint32_t) n;
		break;
	case START_DELTA:
		record->start_us = now_us - n;
		break;
	case END_DELTA:
		record->end_us = now_us - n;
		break;
	}
}

/* False: the record is incomplete. */
static bool read_record(struct reader *r, const struct template *like, int64_t now_us,
			struct ipfix_record *record)
{
	int names = 0;
	for (size_t k = 0; k < like->count; k++) {
		size_t size = like->fields[k].length;
		if (size == VARIABLE) {
			size = take_number(r, 1);
			if (size == 255)
				size = take_number(r, 2);
		}
		const uint8_t *p = take(r, size);
		if (!p)
			return false;
		read_field(&like->fields[k], p, size, now_us, &names, record);
	}
	return like->count > 0;
}

struct message {
	struct ip source;
	uint32_t domain, count;
	int64_t now_us;
	ipfix_each *each;
	void *arg;
};

static void read_records(struct ipfix_templates *t, struct message *m, uint16_t id, struct reader *r)
{
	const struct template *like = *find_template(t, m->source, id);
	while (like && r->at < r->end) {
		const uint8_t *from = r->at;
		struct ipfix_record record = {
			.domain = m->domain, .start_us = m->now_us, .end_us = m->now_us};
		if (!read_record(r, like, m->now_us, &record) || r->at == from)
			return;
		m->count++;
		if (record.packets > 0 && record.source.family != IP_NONE)
			m->each(m->arg, &record);
	}
	/* The records of an unknown template cannot be counted. Open vSwitch sends one record in a message. */
	if (!like)
		m->count++;
}

bool ipfix_read(struct ipfix_templates *t, struct ip source, uint16_t port, struct str text, ipfix_each *each,
		void *arg, int64_t *ret_lost)
{
	const uint8_t *begin = (const uint8_t *) text.p;
	struct reader r = {begin, begin + text.n, false};
	uint32_t version = take_number(&r, 2), size = take_number(&r, 2);
	int64_t seconds = take_number(&r, 4);
	uint32_t sequence = take_number(&r, 4);
	struct message m = {.source = source,
			    .domain = take_number(&r, 4),
			    .now_us = seconds * SECOND,
			    .each = each,
			    .arg = arg};
	*ret_lost = 0;
	if (r.is_short || version != VERSION || size > text.n || size < HEADER_SIZE)
		return false;
	r.end = begin + size;
	while (r.end - r.at >= SET_HEADER_SIZE) {
		uint16_t id = (uint16_t) take_number(&r, 2);
		size_t length = take_number(&r, 2);
		const uint8_t *body = length >= SET_HEADER_SIZE ? take(&r, length - SET_HEADER_SIZE) : NULL;
		if (!body)
			return false;
		struct reader set = {body, r.at, false};
		if (id == TEMPLATE_SET)
			read_templates(t, source, &set);
		else if (id >= DATA_SETS)
			read_records(t, &m, id, &set);
	}
	*ret_lost = m.count ? follow(t, source, port, sequence, m.count) : 0;
	return true;
}
